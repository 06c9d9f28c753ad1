import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, hex, smallHeap } from "./refusal.ts";

it("a double free is refused after trim gave back what lay behind the block", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100_000);
  heap.free(ptr);
  expect(heap.trim()).toBe(true);
  const size = heap.mallinfo().keepcost;
  expectMisuse(
    heap,
    () => heap.free(ptr),
    "double-free",
    ptr,
    `${hex(size | 1)}: size ${size}, free, previous in use`,
  );
  expectOneTop(heap);
});

it("a double free is refused, as outside the heap, after trim gave back the block itself", () => {
  const heap = smallHeap();
  const a = filled(heap, 100_000);
  const b = filled(heap, 100_000);
  heap.free(a);
  heap.free(b);
  expect(heap.trim()).toBe(true);
  expect(b).toBeGreaterThan(heap.base + heap.footprint);
  expectMisuse(heap, () => heap.free(b), "outside", b);
  expectOneTop(heap);
});

it("a double free is refused after a free trimmed by itself", () => {
  const heap = smallHeap({ trimThreshold: 0 });
  const ptr = filled(heap, 100_000);
  heap.free(ptr);
  expect(heap.statistics().trimCount).toBe(1);
  const size = heap.mallinfo().keepcost;
  expectMisuse(
    heap,
    () => heap.free(ptr),
    "double-free",
    ptr,
    `${hex(size | 1)}: size ${size}, free, previous in use`,
  );
  expectOneTop(heap);
});
