// bulkFree marked all blocks of its list free, to find one that is listed twice, and then freed them one by
// one. After the first (or second) of a slab, that slab looked unused and was given back, with others of the
// list still in it. These were then taken for chunks, and a header was written over what lay before them.

import { Heap } from "morecore";
import { expect, test } from "vitest";
import { canCompile } from "../support/capabilities.ts";

/** A heap with so many small blocks that there are slabs that malloc does not take from: full ones and, perhaps, others. */
function filled(): { heap: Heap; ptrs: number[] } {
  const heap = Heap.create();
  return { heap, ptrs: Array.from({ length: 200 }, () => heap.malloc(64)) };
}

test("a list of all blocks of slabs that are full is freed", () => {
  const { heap, ptrs } = filled();
  heap.bulkFree(ptrs);
  heap.check();
  expect(heap.mallinfo().ordblks).toBe(1);
});

test("a list of all blocks that are left in slabs with room is freed", () => {
  const { heap, ptrs } = filled();
  for (const ptr of ptrs.filter((_, index) => index % 2 === 0)) heap.free(ptr);
  heap.check();
  heap.bulkFree(ptrs.filter((_, index) => index % 2 === 1));
  heap.check();
  expect(heap.mallinfo().ordblks).toBe(1);
});

test.skipIf(!canCompile)("a list in memory, as C gives it, is freed as well", () => {
  const { heap, ptrs } = filled();
  const list = heap.malloc(4 * ptrs.length);
  heap.u32(list, ptrs.length).set(ptrs);
  const { bulk_free } = heap.exports;
  bulk_free(list, ptrs.length);
  expect(heap.u32(list, ptrs.length).every((word) => word === 0)).toBe(true);
  heap.free(list);
  heap.check();
  expect(heap.mallinfo().ordblks).toBe(1);
});
