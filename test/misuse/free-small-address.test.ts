import { expect, it } from "vitest";
import { bytesOf, expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("the addresses near 0, as of members of a null struct, are refused", () => {
  const heap = smallHeap({ base: 4096 });
  const ptr = filled(heap, 100);
  for (let address = 1; address <= 256; address++)
    expectMisuse(heap, () => heap.free(address), address % 16 === 0 ? "outside" : "misaligned", address);
  expectOneTop(heap, ptr);
});

it("0 is no misuse: free, and the sized frees, do nothing", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100);
  const before = bytesOf(heap);
  heap.free(0);
  heap.freeSized(0, 100);
  heap.freeAlignedSized(0, 16, 100);
  heap.bulkFree([0, 0]);
  expect(heap.usableSize(0)).toBe(0);
  expect(heap.reallocInPlace(0, 10)).toBe(0);
  expect(before.equals(bytesOf(heap))).toBe(true);
  expectOneTop(heap, ptr);
});
