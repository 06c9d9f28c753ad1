import { Heap } from "morecore";
import { expect, test } from "vitest";

test("a request that the footprint limit forbids never makes a memory larger that others have grown", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });
  const heap = Heap.create({ memory, growthStep: 65_536 });
  heap.footprintLimit = heap.footprint + 4096;
  memory.grow(1);
  const bytes = memory.buffer.byteLength;
  const wanted = heap.mallinfo().keepcost + 1000;
  for (let attempt = 0; attempt < 5; attempt++) expect(heap.malloc(wanted)).toBe(0);
  expect(memory.buffer.byteLength).toBe(bytes);
  heap.check();
});
