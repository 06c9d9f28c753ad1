import { describe, expect, it } from "vitest";
import { expectMisuse, expectOneTop, FIRST, filled, smallHeap } from "./refusal.ts";

describe("double free, immediately", () => {
  it("is refused while the block lies in a cache", () => {
    const heap = smallHeap();
    const other = filled(heap, 64, 0x11);
    const ptr = filled(heap, 100);
    heap.free(ptr);
    expectMisuse(
      heap,
      () => heap.free(ptr),
      "double-free",
      FIRST + 80,
      "0x00000077: size 112, in use, cached, previous in use",
    );
    expect(heap.u8(other).every((byte) => byte === 0x11)).toBe(true);
    expectOneTop(heap, other);
  });

  it("is refused as often as it is tried, and the next two blocks are distinct", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 16);
    heap.free(ptr);
    for (let time = 0; time < 3; time++)
      expectMisuse(
        heap,
        () => heap.free(ptr),
        "double-free",
        ptr,
        "0x00000027: size 32, in use, cached, previous in use",
      );
    const [one, two] = [heap.malloc(16), heap.malloc(16)];
    expect(one).toBe(ptr);
    expect(two).not.toBe(one);
    expectOneTop(heap, one, two);
  });

  it("is refused for the largest chunk that is cached", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 1020);
    heap.free(ptr);
    expectMisuse(
      heap,
      () => heap.free(ptr),
      "double-free",
      ptr,
      "0x00000407: size 1024, in use, cached, previous in use",
    );
    expectOneTop(heap);
  });
});
