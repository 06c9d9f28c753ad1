// The counting Machine: that no way to memory goes uncounted (N1), however the kernel's Machine grows.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as plain from "../../../packages/morecore/src/kernel/machine.ts";
import { bufferMemory } from "../../../packages/morecore/src/memory/buffer.ts";
import * as counting from "../../suites/steps/machine.ts";

const KERNEL = new URL("../../../packages/morecore/src/kernel/", import.meta.url);
const TOUCHES_MEMORY = /\bwords\s*\[|\bu8\s*\[|copyWithin|\.fill\(/;
const refuse = (): never => {
  throw new Error("refused");
};

describe("every way of the kernel to memory is counted", () => {
  test("every exported function that indexes words has a counting twin", () => {
    const touching = Object.entries(plain).filter(([, value]) => {
      const isPlainFunction = typeof value === "function" && value !== plain.Machine;
      return isPlainFunction && TOUCHES_MEMORY.test(String(value));
    });
    expect(touching.map(([name]) => name).sort()).toEqual(["load32", "store32"]);
    for (const [name, value] of touching) expect(Reflect.get(counting, name)).not.toBe(value);
  });

  test("every method of Machine that touches memory has a counting twin", () => {
    const methods = Object.getOwnPropertyDescriptors(plain.Machine.prototype);
    const touching = Object.entries(methods).filter(([name, { value }]) => {
      return name !== "constructor" && typeof value === "function" && TOUCHES_MEMORY.test(String(value));
    });
    expect(touching.length).toBeGreaterThan(0);
    for (const [name] of touching) {
      expect(Object.hasOwn(counting.Machine.prototype, name), `Machine.${name}`).toBe(true);
    }
  });

  test("no other file of the kernel indexes words or bytes", () => {
    const files = readdirSync(KERNEL).filter((name) => /\.ts$/.test(name) && !name.startsWith("machine."));
    for (const name of files) {
      const code = readFileSync(new URL(name, KERNEL), "utf8").replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "");
      expect(code, name).not.toMatch(TOUCHES_MEMORY);
    }
  });

  test("each access counts one, words copied and zeroed count apart", () => {
    const machine = new counting.Machine(bufferMemory(new ArrayBuffer(256)), refuse);
    const before = { ...counting.counts };
    machine.store32(16, 7);
    counting.store32(machine.words, 20, 8);
    expect(machine.load32(16) + machine.load32(20) + counting.load32(machine.words, 16)).toBe(22);
    machine.copy(32, 16, 8);
    machine.zero(16, 12);
    expect(machine.load32(36)).toBe(8);
    expect(counting.counts.loads - before.loads).toBe(4);
    expect(counting.counts.stores - before.stores).toBe(2);
    expect(counting.counts.bulkWords - before.bulkWords).toBe(5);
  });
});
