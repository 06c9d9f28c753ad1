import { Heap } from "morecore";
import { expect, test } from "vitest";

test("a heap can be made in a given wasm memory that has no page yet", () => {
  const heap = Heap.create({ memory: new WebAssembly.Memory({ initial: 0 }) });
  expect(heap.base).toBe(16);
  expect(heap.malloc(100)).not.toBe(0);
  heap.check();
});
