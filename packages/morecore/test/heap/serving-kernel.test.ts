// Serving kernel: by which of the two a heap is served, in the engine and under the policy that the test runs in.

import { expect, it } from "vitest";
import { canCompile } from "../../../../test/support/capabilities.ts";
import { Heap } from "../../src/index.ts";

/** The calls of a heap can be given to other modules if they are wasm's own. */
function isServedByWasm(heap: Heap): boolean {
  try {
    return typeof heap.exports.malloc === "function";
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return false;
  }
}

it("a heap of its own is served by wasm where the engine compiles, and else by JavaScript", () => {
  const heap = Heap.create();
  expect(isServedByWasm(heap)).toBe(canCompile);
  const ptr = heap.malloc(100_000);
  heap.u8(ptr, 100_000).fill(1);
  heap.check();
  heap.free(ptr);
});

it.each<[string, () => WebAssembly.Memory | ArrayBufferLike]>([
  ["shared memory", () => new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true })],
  ["an ArrayBuffer", () => new ArrayBuffer(65_536)],
])("a heap of one thread at a time in %s is served by JavaScript everywhere", (_, make) => {
  expect(isServedByWasm(Heap.create({ memory: make(), base: 16, shared: false }))).toBe(false);
});

it("a heap that threads share is served by wasm where the engine compiles, and else by JavaScript", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true });
  expect(isServedByWasm(Heap.create({ memory, base: 16 }))).toBe(canCompile);
});
