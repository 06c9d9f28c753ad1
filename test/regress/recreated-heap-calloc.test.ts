import { Heap, wasmMemory } from "morecore";
import { expect, test } from "vitest";

test("calloc is zero in a heap that was made anew on a wasm memory that another heap has used", () => {
  const memory = wasmMemory();
  const before = Heap.create({ memory });
  before.u8(before.malloc(1000)).fill(0xff);
  const heap = Heap.create({ memory });
  heap.check();
  expect(heap.u8(heap.calloc(1000)).every((byte) => byte === 0)).toBe(true);
});
