import { it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("a list with a misaligned address is refused, and none is freed", () => {
  const heap = smallHeap();
  const [a, b] = [filled(heap, 100), filled(heap, 100)];
  for (const off of [1, 4, 8, 12]) {
    expectMisuse(heap, () => heap.bulkFree([a, b, a + off]), "misaligned", a + off);
    expectMisuse(heap, () => heap.bulkFree([b + off, a, b]), "misaligned", b + off);
  }
  expectOneTop(heap, a, b);
});
