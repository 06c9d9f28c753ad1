// Hosts that forbid to compile, and how each says so.

import { createContext, runInContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Heap } from "../../src/index.ts";

/** A copy of the library that has not compiled yet. */
let heaps: typeof Heap;

beforeEach(async () => {
  vi.resetModules();
  ({ Heap: heaps } = await import("../../src/index.ts"));
});
afterEach(() => vi.restoreAllMocks());

/** Another realm's WebAssembly, in which nothing may be compiled. */
const closed = createContext({}, { codeGeneration: { wasm: false, strings: true } });
const REFUSED = "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))";
const foreign = (code: string) => () => runInContext(code, closed) as never;

const BANS: readonly [string, () => never][] = [
  ["a CompileError, as a policy does", throwing(new WebAssembly.CompileError("Refused to create …"))],
  ["an EvalError, as an older WebKit does", throwing(new EvalError("Refused to create …"))],
  ["a CompileError of another realm", foreign(REFUSED)],
];

function throwing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

/** Stubs one of WebAssembly's classes: `new` throws. */
function stub(name: "Module" | "Instance", thrower: () => never) {
  return vi.spyOn(WebAssembly, name).mockImplementation(function stubbed() {
    thrower();
  } as never);
}

function expectWorking(heap: Heap): void {
  const all = Array.from({ length: 50 }, (_, index) => heap.malloc(index * 5000));
  expect(all).not.toContain(0);
  heap.u8(all[49] ?? 0, 100).fill(1);
  for (const ptr of all) heap.free(ptr);
  heap.check();
}

/** Whether the kernel in WebAssembly serves. */
function isWasm(heap: Heap): boolean {
  try {
    return Object.keys(heap.exports).length > 0;
  } catch {
    return false;
  }
}

describe.each(["Module", "Instance"] as const)("where WebAssembly.%s is forbidden", (name) => {
  it.each(BANS)("by %s, the kernel in JavaScript serves", (_how, thrower) => {
    const calls = stub(name, thrower);
    const heap = heaps.create();
    expect(isWasm(heap)).toBe(false);
    expect(() => heap.exports).toThrow(/an engine that may compile/);
    expectWorking(heap);
    expectWorking(heaps.attach(heap.memory, heap.base));
    expect(calls).toHaveBeenCalledTimes(1);
  });

  it("no room is no ban: create says so, and the next heap is served by WebAssembly again", () => {
    const engineError = new RangeError("Out of memory");
    const calls = stub(name, throwing(engineError));
    expect(() => heaps.create()).toThrow(
      expect.objectContaining({
        name: "RangeError",
        message: expect.stringMatching(/^the engine has no room for the kernel of another heap \(Out of/),
        cause: engineError,
      }),
    );
    calls.mockRestore();
    expect(isWasm(heaps.create())).toBe(true);
  });

  it("what is no ban and no lack of room is thrown as it is", () => {
    const mistake = new WebAssembly.LinkError("import env.memory");
    stub(name, throwing(mistake));
    expect(() => heaps.create()).toThrow(mistake);
  });
});

it("where nothing forbids it, the kernel in WebAssembly serves", () => {
  const heap = heaps.create();
  expect(isWasm(heap)).toBe(true);
  expectWorking(heap);
});
