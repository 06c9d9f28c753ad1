// heap.ref looked whether a block is live by marking it for a moment: a process that was killed then left a file in which it was free.

import { Heap, i32, struct } from "morecore";
import { expect, it } from "vitest";
import { storesOf, tearableHeap } from "../support/torn-stores.ts";

it("looking at a raw pointer writes nothing", () => {
  const heap = tearableHeap(1 << 14);
  const Pair = struct({ a: i32, b: i32 });
  const ptr = heap.new(Pair, { a: 1 }).ptr;
  expect(heap instanceof Heap).toBe(true);
  expect(storesOf(heap, () => heap.ref(Pair, ptr))).toEqual([]);
});
