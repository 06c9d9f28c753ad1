// What an object of the platform is, told by what it has inside: of any realm, and not by what it says of itself.

import { createContext, runInContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  describeOther,
  hasLongAddresses,
  isArrayBuffer,
  isBuffer,
  isErrorOf,
  isSharedArrayBuffer,
  isTypedArray,
  isWasmGlobal,
  isWasmMemory,
} from "../../src/memory/slots.ts";

const realm = createContext({});
const foreign = (code: string): unknown => runInContext(code, realm);

/** What each makes is an object of the platform, here and in another realm. */
const OBJECTS = {
  plain: "new ArrayBuffer(8)",
  resizable: "new ArrayBuffer(8, { maxByteLength: 16 })",
  shared: "new SharedArrayBuffer(8)",
  memory: "new WebAssembly.Memory({ initial: 1 })",
  sharedMemory: "new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })",
  global: 'new WebAssembly.Global({ value: "i32" }, 16)',
  longGlobal: 'new WebAssembly.Global({ value: "i64" }, 16n)',
  bytes: "new Uint8Array(8)",
  longs: "new BigInt64Array(8)",
  view: "new DataView(new ArrayBuffer(8))",
  list: "[1, 2]",
  nothing: "undefined",
  null: "null",
  number: "8",
};
type Name = keyof typeof OBJECTS;

const PREDICATES: readonly [(value: unknown) => boolean, readonly Name[]][] = [
  [isArrayBuffer, ["plain", "resizable"]],
  [isSharedArrayBuffer, ["shared"]],
  [isBuffer, ["plain", "resizable", "shared"]],
  [isWasmMemory, ["memory", "sharedMemory"]],
  [isWasmGlobal, ["global", "longGlobal"]],
  [isTypedArray, ["bytes", "longs"]],
];

afterEach(() => vi.unstubAllGlobals());

describe.each(PREDICATES)("%o", (is, names) => {
  const found = (make: (code: string) => unknown): string[] =>
    Object.entries(OBJECTS).flatMap(([name, code]) => (is(make(code)) ? name : []));

  it("is true of its own, whichever realm made it", () => {
    // biome-ignore lint/security/noGlobalEval: the same code in this realm and in another
    expect(found((code) => eval(code))).toEqual(names);
    expect(found(foreign)).toEqual(names);
  });

  it("is false of what has only the prototype, or only the tag", () => {
    // biome-ignore lint/security/noGlobalEval: as above
    for (const value of Object.values(OBJECTS).map((code) => eval(code)))
      if (typeof value === "object" && value !== null)
        for (const liar of [
          Object.create(Object.getPrototypeOf(value)),
          { [Symbol.toStringTag]: Object.prototype.toString.call(value).slice(8, -1) },
          new Proxy(value, {}),
        ])
          expect(is(liar)).toBe(false);
  });

  it("is not led astray by a tag that somebody has put on its own", () => {
    for (const name of names) {
      const tags = ["Object", "SharedArrayBuffer", "ArrayBuffer"];
      for (const tag of tags) {
        const value = foreign(OBJECTS[name]) as object;
        Object.defineProperty(value, Symbol.toStringTag, { value: tag });
        expect(is(value)).toBe(true);
      }
    }
  });
});

it("a shared buffer is told in a page that has not got its class", () => {
  const shared = new SharedArrayBuffer(8);
  vi.stubGlobal("SharedArrayBuffer", undefined);
  expect([shared, new ArrayBuffer(8), {}, undefined].map(isSharedArrayBuffer)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(isBuffer(shared)).toBe(true);
});

it("where there is no WebAssembly, nothing is an object of its", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  vi.stubGlobal("WebAssembly", undefined);
  expect([isWasmMemory(memory), isWasmGlobal(memory)]).toEqual([false, false]);
});

describe("isErrorOf", () => {
  it("knows the platform's errors by their names, whichever realm threw them", () => {
    const errors = ["new RangeError()", "new WebAssembly.CompileError()", "new EvalError()"].map(foreign);
    expect(errors.map((error) => isErrorOf(error, "RangeError"))).toEqual([true, false, false]);
    expect(errors.map((error) => isErrorOf(error, "CompileError", "EvalError"))).toEqual([false, true, true]);
  });

  it("takes nothing else for one", () => {
    class Mine extends RangeError {
      override readonly name = "Mine";
    }
    const others = [new Mine(), { name: "RangeError" }, Object.create(RangeError.prototype), "RangeError"];
    expect(others.map((error) => isErrorOf(error, "RangeError"))).toEqual([false, false, false, false]);
  });
});

describe("hasLongAddresses", () => {
  /** Engines before 2025 know no memory64. */
  const Long = WebAssembly.Memory as unknown as new (descriptor: object) => WebAssembly.Memory;
  const made = (): WebAssembly.Memory | undefined => {
    try {
      return new Long({ address: "i64", initial: 1n, maximum: 2n });
    } catch {
      return undefined;
    }
  };

  it("says no of a memory with 32 bits, and leaves it as it was", () => {
    for (const code of [OBJECTS.memory, OBJECTS.sharedMemory]) {
      const memory = foreign(code) as WebAssembly.Memory;
      const { buffer } = memory;
      expect(hasLongAddresses(memory)).toBe(false);
      expect(memory.buffer).toBe(buffer);
      expect(buffer.byteLength).toBe(65_536);
    }
  });

  it("says yes of one whose grow wants a BigInt", () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow").mockImplementation((pages) => {
      return Number(BigInt(pages));
    });
    expect(hasLongAddresses(new WebAssembly.Memory({ initial: 1 }))).toBe(true);
    grow.mockRestore();
  });

  it.skipIf(made() === undefined)("says yes of the engine's own, and leaves it as it was", () => {
    const memory = made() as WebAssembly.Memory;
    const { buffer } = memory;
    expect(hasLongAddresses(memory)).toBe(true);
    expect(memory.buffer).toBe(buffer);
  });
});

it("what only looks like an object of the platform is called that", () => {
  expect(describeOther(Object.create(ArrayBuffer.prototype))).toBe(
    "an object of class ArrayBuffer that is none",
  );
  expect(describeOther(new ArrayBuffer(8))).toBe("an object of class ArrayBuffer");
  expect(describeOther(new Uint8Array())).toBe("an object of class Uint8Array");
});
