import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("a double free with another free of the same size between is refused", () => {
  const heap = smallHeap();
  const a = filled(heap, 100);
  const b = filled(heap, 100);
  heap.free(a);
  heap.free(b);
  for (const ptr of [a, b]) expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, 112);
  const blocks = [heap.malloc(100), heap.malloc(100), heap.malloc(100)];
  expect(new Set(blocks).size).toBe(3);
  expectOneTop(heap, ...blocks);
});

it("a double free with a malloc of another size between is refused", () => {
  const heap = smallHeap();
  const a = filled(heap, 100);
  heap.free(a);
  const b = filled(heap, 200);
  expectMisuse(heap, () => heap.free(a), "double-free", a, 112);
  expectOneTop(heap, b);
});
