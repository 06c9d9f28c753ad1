import { describe, expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, largeHeap, smallHeap } from "./refusal.ts";

describe("double free, immediately", () => {
  it("is refused while malloc takes from the block's slab", () => {
    const heap = smallHeap();
    const other = filled(heap, 64, 0x11);
    const ptr = filled(heap, 100);
    heap.free(ptr);
    expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, 112);
    expect(heap.u8(other).every((byte) => byte === 0x11)).toBe(true);
    expectOneTop(heap, other);
  });

  it("is refused as often as it is tried, and the next two blocks are distinct", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 16);
    heap.free(ptr);
    for (let time = 0; time < 3; time++) expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, 16);
    const [one, two] = [heap.malloc(16), heap.malloc(16)];
    expect(one).toBe(ptr);
    expect(two).not.toBe(one);
    expectOneTop(heap, one, two);
  });

  it.each([
    [256, "small", smallHeap],
    [496, "large", largeHeap],
  ])("is refused for the largest block of a slab, %i bytes in a %s heap", (bytes, _, make) => {
    const heap = make();
    const ptr = filled(heap, bytes);
    heap.free(ptr);
    expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, bytes);
    expectOneTop(heap);
  });

  it("is refused for a block of as many bytes that is a chunk, as it is in a small heap", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 496);
    const guard = filled(heap, 496);
    heap.free(ptr);
    const found = "0x00000201: size 512, free, previous in use";
    expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, found, true);
    expectOneTop(heap, guard);
  });

  it("is refused in a slab that was full, and in one that has been given more room since", () => {
    const heap = smallHeap();
    const ptrs = Array.from({ length: 200 }, () => filled(heap, 100));
    for (const ptr of [ptrs[0] ?? 0, ptrs[1] ?? 0, ptrs[60] ?? 0]) {
      heap.free(ptr);
      expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, 112);
    }
    expectOneTop(heap, ...ptrs.filter((_, index) => ![0, 1, 60].includes(index)));
  });
});
