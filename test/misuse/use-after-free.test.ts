import type { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

/** Every call that takes a live block, with arguments that would be right if it were one of 100 bytes. */
const CALLS: readonly [string, (heap: Heap, ptr: number) => unknown][] = [
  ["free", (heap, ptr) => heap.free(ptr)],
  ["realloc to more", (heap, ptr) => heap.realloc(ptr, 5000)],
  ["realloc to less", (heap, ptr) => heap.realloc(ptr, 1)],
  ["realloc to 0", (heap, ptr) => heap.realloc(ptr, 0)],
  ["realloc to too much", (heap, ptr) => heap.realloc(ptr, 0xffff_ffff)],
  ["reallocInPlace", (heap, ptr) => heap.reallocInPlace(ptr, 5000)],
  ["reallocInPlace to too much", (heap, ptr) => heap.reallocInPlace(ptr, 0xffff_ffff)],
  ["reallocarray", (heap, ptr) => heap.reallocarray(ptr, 10, 20)],
  ["reallocarray with a product that overflows", (heap, ptr) => heap.reallocarray(ptr, 65_536, 65_536)],
  ["usableSize", (heap, ptr) => heap.usableSize(ptr)],
  ["freeSized", (heap, ptr) => heap.freeSized(ptr, 100)],
  ["freeSized with a wrong size", (heap, ptr) => heap.freeSized(ptr, 1)],
  ["freeAlignedSized", (heap, ptr) => heap.freeAlignedSized(ptr, 16, 100)],
  ["bulkFree", (heap, ptr) => heap.bulkFree([ptr])],
  ["a view without a count", (heap, ptr) => heap.u8(ptr)],
];

describe.each(CALLS)("%s", (_name, call) => {
  it("refuses a freed block of a slab", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 100);
    heap.free(ptr);
    expectMisuse(heap, () => call(heap, ptr), "double-free", ptr, 112);
    expectOneTop(heap);
  });

  it("refuses a freed block that lies in a bin", () => {
    const heap = smallHeap({ smallLimit: 0, zeroSizeRealloc: "free" });
    const ptr = filled(heap, 100);
    const guard = filled(heap, 100, 0x11);
    heap.free(ptr);
    expectMisuse(
      heap,
      () => call(heap, ptr),
      "double-free",
      ptr,
      "0x00000071: size 112, free, previous in use",
      true,
    );
    expect(heap.u8(guard).every((byte) => byte === 0x11)).toBe(true);
    expectOneTop(heap, guard);
  });

  it("refuses the old address of a block that realloc has moved", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 100, 0x12);
    const guard = filled(heap, 100);
    const moved = heap.realloc(ptr, 2000);
    expect(moved).not.toBe(ptr);
    expectMisuse(heap, () => call(heap, ptr), "double-free", ptr, 112);
    expect(heap.u8(moved, 100).every((byte) => byte === 0x12)).toBe(true);
    expectOneTop(heap, guard, moved);
  });

  it("refuses what was never allocated", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 100);
    expectMisuse(heap, () => call(heap, ptr + 4096), "not-a-block", ptr + 4096, "0x00000000: size 0, free");
    expectMisuse(heap, () => call(heap, heap.base), "outside", heap.base);
    expectMisuse(heap, () => call(heap, 1 << 18), "outside", 1 << 18);
    expectOneTop(heap, ptr);
  });

  it("refuses an address inside a block, and one that is misaligned", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 100, 0);
    expectMisuse(heap, () => call(heap, ptr + 16), "not-a-block", ptr + 16, 112);
    expectMisuse(heap, () => call(heap, ptr + 8), "misaligned", ptr + 8);
    expectOneTop(heap, ptr);
  });
});
