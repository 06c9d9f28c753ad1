import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("an aligned free with an alignment that the address has not is refused", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const pad = filled(heap, 12);
  const ptr = filled(heap, 100, 0x31);
  expect(ptr % 32).toBe(16);
  for (const alignment of [32, 64, 4096, 0x8000_0000])
    expectMisuse(
      heap,
      () => heap.freeAlignedSized(ptr, alignment, 100),
      "alignment-mismatch",
      ptr,
      "0x00000073: size 112, in use, previous in use",
    );
  expect(heap.u8(ptr).every((byte) => byte === 0x31)).toBe(true);
  expectOneTop(heap, pad, ptr);
});

it("an aligned free with an alignment that is no power of two is refused", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const ptr = filled(heap, 100);
  for (const alignment of [0, 3, 12, 17, 48, 0xffff_ffff])
    expectMisuse(
      heap,
      () => heap.freeAlignedSized(ptr, alignment, 100),
      "alignment-mismatch",
      ptr,
      "0x00000073: size 112, in use, previous in use",
    );
  expectOneTop(heap, ptr);
});

it("a wrong size is told before a wrong alignment", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const ptr = filled(heap, 100);
  expectMisuse(
    heap,
    () => heap.freeAlignedSized(ptr, 3, 1),
    "size-mismatch",
    ptr,
    "0x00000073: size 112, in use, previous in use",
  );
  expectOneTop(heap, ptr);
});

it("a block from alignedAlloc is freed with its alignment, or with a smaller one", () => {
  const heap = smallHeap({ smallLimit: 0 });
  for (const alignment of [1, 16, 256]) {
    const ptr = heap.alignedAlloc(256, 100);
    heap.freeAlignedSized(ptr, alignment, 100);
  }
  expectOneTop(heap);
});

it("an aligned free of a block of a slab with an alignment that its address has not is refused", () => {
  const heap = smallHeap();
  const ptrs = [filled(heap, 100, 0x31), filled(heap, 100, 0x31)];
  // Of two blocks 112 bytes apart one is no multiple of 32.
  const ptr = ptrs.find((each) => each % 32 !== 0) ?? 0;
  for (const alignment of [0, 3, 17, 32, 64, 4096, 0x8000_0000])
    expectMisuse(heap, () => heap.freeAlignedSized(ptr, alignment, 100), "alignment-mismatch", ptr, 112);
  expectMisuse(heap, () => heap.freeAlignedSized(ptr, 3, 200), "size-mismatch", ptr, 112);
  expect(heap.u8(ptr).every((byte) => byte === 0x31)).toBe(true);
  for (const each of ptrs) heap.freeAlignedSized(each, 16, 100);
  expectOneTop(heap);
});
