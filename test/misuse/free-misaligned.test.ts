import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("an address that is no multiple of 16 is refused, whatever lies there", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100, 0x73);
  for (let off = 1; off < 16; off++) {
    expectMisuse(heap, () => heap.free(ptr + off), "misaligned", ptr + off);
    expectMisuse(heap, () => heap.free(ptr - off), "misaligned", ptr - off);
  }
  expect(heap.u8(ptr).every((byte) => byte === 0x73)).toBe(true);
  expectOneTop(heap, ptr);
});

it("a misaligned address outside the heap is called misaligned", () => {
  const heap = smallHeap();
  for (const address of [1, 4, 8, 15, 0x7fff_ffff, 0xffff_ffff])
    expectMisuse(heap, () => heap.free(address), "misaligned", address);
  expectOneTop(heap);
});
