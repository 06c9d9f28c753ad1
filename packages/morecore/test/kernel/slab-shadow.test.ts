// The design's oracle finds what it is there to find.

import { Heap } from "morecore";
import { expect, test } from "vitest";
import { SlabShadow } from "./slab-shadow.ts";

/** A heap with one block on the book. */
function booked(bytes: number, smallLimit = 496): { heap: Heap; shadow: SlabShadow; ptr: number } {
  const heap = Heap.create({ reserve: 0, smallLimit });
  const shadow = new SlabShadow(heap);
  const { ptr } = shadow.add(heap.malloc(bytes), bytes);
  return { heap, shadow, ptr };
}

test("a block that is larger than the request, rounded, is found", () => {
  const slabs = booked(100);
  expect(() => slabs.shadow.add(slabs.heap.malloc(33), 32)).toThrow(/no larger than the request/);
  const chunks = booked(100, 0);
  expect(() => chunks.shadow.add(chunks.heap.malloc(33), 28)).toThrow(/no larger than the request/);
});

test("a block of a slab that shrinks keeps its size only where it lies", () => {
  const { heap, shadow, ptr } = booked(100);
  const [block] = shadow.list;
  if (block === undefined) throw new Error("no block is booked");
  expect(() => shadow.move(block, heap.realloc(ptr, 200), 20)).toThrow(/no larger than the request/);
});
