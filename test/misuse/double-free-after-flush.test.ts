import type { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, largeHeap, smallHeap } from "./refusal.ts";

const WAYS: readonly [string, (heap: Heap, last: number) => void][] = [
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
];

describe.each([
  ["in a small heap", smallHeap, 100, "0x00000070: size 112, free"],
  ["of wide blocks, in a large heap", largeHeap, 496, "0x000001f0: size 496, free"],
])("%s", (_, make, bytes, found) => {
  it.each(WAYS)("a double free is refused after the block's slab was given back for %s", (_, giveBack) => {
    const heap = make();
    const [first, ptr] = [filled(heap, bytes), filled(heap, bytes)];
    const guard = filled(heap, 600, 0x22);
    heap.free(ptr);
    giveBack(heap, first);
    expect(heap.statistics().flushCount).toBe(1);
    expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, found);
    expect(heap.u8(guard).every((byte) => byte === 0x22)).toBe(true);
    expectOneTop(heap, guard);
  });
});
