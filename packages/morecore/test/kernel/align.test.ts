import { describe, expect, it } from "vitest";
import { alignedAlloc, memalign } from "../../src/kernel/align.ts";
import { MAX_REQUEST } from "../../src/kernel/layout.ts";
import { Bench } from "./broken.ts";

describe("memalign", () => {
  it("gives 0 where the rounded alignment and the size are too much together, and changes nothing", () => {
    const b = new Bench();
    const before = Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex");
    const alignment = 2 ** 29 + 1;
    for (const bytes of [MAX_REQUEST - alignment, MAX_REQUEST - 2 ** 30 + 1, MAX_REQUEST])
      expect(memalign(b.machine, b.base, alignment, bytes)).toBe(0);
    for (const much of [2 ** 30 + 1, 2 ** 31, 2 ** 32 - 1])
      expect(memalign(b.machine, b.base, much, 1)).toBe(0);
    expect(Buffer.from(new Uint8Array(b.heap.buffer)).toString("hex")).toBe(before);
  });
});

describe("alignedAlloc", () => {
  it("gives 0 for an alignment that is no power of two, as C's does with EINVAL", () => {
    const b = new Bench();
    for (const alignment of [0, 3, 24, 2 ** 32 - 1])
      expect(alignedAlloc(b.machine, b.base, alignment, 100)).toBe(0);
    expect(alignedAlloc(b.machine, b.base, 64, 100) % 64).toBe(0);
    b.heap.check();
  });
});
