import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

const FOUND = "0x00000073: size 112, in use, previous in use";

it("a sized free with another chunk's size is refused, and the block stays live", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100, 0x21);
  for (const bytes of [0, 1, 92, 109, 124, 1000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    expectMisuse(heap, () => heap.freeSized(ptr, bytes), "size-mismatch", ptr, FOUND);
    expectMisuse(heap, () => heap.freeAlignedSized(ptr, 16, bytes), "size-mismatch", ptr, FOUND);
  }
  expect(heap.u8(ptr).every((byte) => byte === 0x21)).toBe(true);
  expectOneTop(heap, ptr);
});

it("a sized free takes every size that makes the same chunk", () => {
  const heap = smallHeap();
  for (let bytes = 93; bytes <= 108; bytes++) {
    heap.freeSized(filled(heap, 100), bytes);
    heap.freeAlignedSized(filled(heap, 100), 16, bytes);
  }
  expectOneTop(heap);
});

it("a sized free after a realloc wants the new size", () => {
  const heap = smallHeap();
  const ptr = heap.realloc(filled(heap, 100), 200);
  expectMisuse(
    heap,
    () => heap.freeSized(ptr, 100),
    "size-mismatch",
    ptr,
    "0x000000d3: size 208, in use, previous in use",
  );
  heap.freeSized(ptr, 200);
  expectOneTop(heap);
});
