import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

const FOUND = 112;

it("a sized free with a size that is larger than the block is refused, and the block stays live", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100, 0x21);
  for (const bytes of [113, 124, 257, 1000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    expectMisuse(heap, () => heap.freeSized(ptr, bytes), "size-mismatch", ptr, FOUND);
    expectMisuse(heap, () => heap.freeAlignedSized(ptr, 16, bytes), "size-mismatch", ptr, FOUND);
  }
  expect(heap.u8(ptr).every((byte) => byte === 0x21)).toBe(true);
  expectOneTop(heap, ptr);
});

it("a sized free takes every size that the block may have been asked for or shrunk to", () => {
  const heap = smallHeap();
  for (let bytes = 0; bytes <= 112; bytes++) {
    heap.freeSized(filled(heap, 100), bytes);
    heap.freeAlignedSized(filled(heap, 100), 16, bytes);
  }
  expectOneTop(heap);
});

it("a sized free after a realloc wants the new size", () => {
  const heap = smallHeap();
  const ptr = heap.realloc(filled(heap, 200), 100);
  expectMisuse(heap, () => heap.freeSized(ptr, 200), "size-mismatch", ptr, 112);
  heap.freeSized(ptr, 100);
  expectOneTop(heap);
});

it("a sized free of a block above the small ones wants its chunk's size", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 1000);
  for (const bytes of [100, 988, 1005, 1 << 20])
    expectMisuse(
      heap,
      () => heap.freeSized(ptr, bytes),
      "size-mismatch",
      ptr,
      "0x000003f3: size 1008, in use, previous in use",
    );
  heap.freeSized(ptr, 989);
  expectOneTop(heap);
});
