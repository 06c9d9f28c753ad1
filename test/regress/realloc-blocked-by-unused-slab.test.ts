// A realloc failed, though only unused memory was in the way of growing the block where it lies (then cached
// chunks, now an unused slab). The call's own attempt to move had just made that free, so a second call
// succeeded.

import { Heap } from "morecore";
import { expect, test } from "vitest";
import { refusingMemory } from "../support/memories.ts";

test("a realloc that only an unused slab stands in the way of is served at the first call", () => {
  const heap = Heap.create({ memory: refusingMemory(new ArrayBuffer(65_536)), growthStep: 65_536 });
  const block = heap.malloc(3000);
  const small = heap.malloc(100);
  const rest = heap.malloc(heap.mallinfo().keepcost - 20);
  expect(rest).not.toBe(0);
  heap.free(small);
  expect(heap.mallinfo().smblks, "there is an unused slab").toBeGreaterThan(0);
  expect(heap.reallocInPlace(block, 4000), "and it stands in the way").toBe(0);
  expect(heap.realloc(block, 4000)).toBe(block);
  heap.check();
});
