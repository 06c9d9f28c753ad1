import type { Heap } from "morecore";
import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it.each<[string, (heap: Heap, last: number) => void]>([
  [
    "trim",
    (heap, last) => {
      heap.free(last);
      heap.trim();
    },
  ],
  ["bulkFree", (heap, last) => heap.bulkFree([last])],
  [
    "large blocks",
    (heap, last) => {
      heap.free(last);
      heap.free(heap.malloc(5000));
      heap.free(heap.malloc(5000));
    },
  ],
])("a double free is refused after the block's slab was given back for %s", (_, giveBack) => {
  const heap = smallHeap();
  const [first, ptr] = [filled(heap, 100), filled(heap, 100)];
  const guard = filled(heap, 300, 0x22);
  heap.free(ptr);
  giveBack(heap, first);
  expect(heap.statistics().flushCount).toBe(1);
  expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, "0x00000070: size 112, free");
  expect(heap.u8(guard).every((byte) => byte === 0x22)).toBe(true);
  expectOneTop(heap, guard);
});
