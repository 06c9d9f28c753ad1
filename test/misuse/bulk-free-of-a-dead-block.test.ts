import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it.each([0, 1, 2, 3])("a list with a freed block at place %i is refused, and none is freed", (place) => {
  const heap = smallHeap();
  const live = [filled(heap, 100, 1), filled(heap, 200, 2), filled(heap, 3000, 3)];
  const dead = filled(heap, 50);
  heap.free(dead);
  const list = live.toSpliced(place, 0, dead);
  expectMisuse(heap, () => heap.bulkFree(list), "double-free", dead, 64);
  live.forEach((ptr, index) => {
    expect(heap.u8(ptr).every((byte) => byte === index + 1)).toBe(true);
  });
  expectOneTop(heap, ...live);
});

it("a list with an address that is no block is refused, and none is freed", () => {
  const heap = smallHeap();
  const live = [filled(heap, 100, 0), filled(heap, 100, 0)];
  const inside = (live[0] as number) + 32;
  expectMisuse(heap, () => heap.bulkFree([...live, 0, inside]), "not-a-block", inside, 112);
  expectMisuse(heap, () => heap.bulkFree([...live, heap.base]), "outside", heap.base);
  expectOneTop(heap, ...live);
});
