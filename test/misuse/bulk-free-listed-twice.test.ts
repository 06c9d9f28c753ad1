import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("a list with the same block twice is refused, and none is freed", () => {
  const heap = smallHeap();
  const [a, b, c] = [filled(heap, 100, 1), filled(heap, 100, 2), filled(heap, 100, 3)];
  for (const list of [
    [a, a],
    [a, b, a, c],
    [a, b, c, 0, a],
  ])
    expectMisuse(heap, () => heap.bulkFree(list), "listed-twice", a, 112);
  for (const [index, ptr] of [a, b, c].entries())
    expect(heap.u8(ptr).every((byte) => byte === index + 1)).toBe(true);
  expectOneTop(heap, a, b, c);
});

it("the first fault in the list is the one that is told", () => {
  const heap = smallHeap();
  const [a, dead] = [filled(heap, 100), filled(heap, 100)];
  heap.free(dead);
  const found = 112;
  expectMisuse(heap, () => heap.bulkFree([a, dead, a]), "double-free", dead, found);
  expectMisuse(heap, () => heap.bulkFree([a, a, dead]), "listed-twice", a, 112);
  expectOneTop(heap, a);
});
