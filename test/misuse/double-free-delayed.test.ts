import { describe, expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

describe("double free, long after", () => {
  it("is refused while a thousand other calls have left the block alone", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 100);
    const guard = filled(heap, 100);
    heap.free(ptr);
    for (let round = 0; round < 500; round++) heap.free(heap.malloc(300 + round));
    expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, 112);
    expectOneTop(heap, guard);
  });

  it("is refused when the place has become the inside of a larger block that was not written", () => {
    const heap = smallHeap({ smallLimit: 0 });
    const a = filled(heap, 100);
    const b = filled(heap, 100);
    const guard = filled(heap, 100);
    heap.free(a);
    heap.free(b);
    const larger = heap.malloc(220);
    expect(larger).toBe(a);
    expectMisuse(heap, () => heap.free(b), "double-free", b, "0x00000070: size 112, free");
    expectOneTop(heap, larger, guard);
  });

  it("is refused when the place has become the inside of a larger block of zeros", () => {
    const heap = smallHeap({ smallLimit: 0 });
    const a = filled(heap, 100);
    const b = filled(heap, 100);
    const guard = filled(heap, 100);
    heap.free(a);
    heap.free(b);
    const larger = heap.calloc(1, 220);
    expect(larger).toBe(a);
    expectMisuse(heap, () => heap.free(b), "not-a-block", b, "0x00000000: size 0, free");
    expect(heap.u8(larger).every((byte) => byte === 0)).toBe(true);
    expectOneTop(heap, larger, guard);
  });

  it("cannot be seen once the address was handed out again: the new owner's block is freed", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 100);
    heap.free(ptr);
    expect(heap.malloc(100)).toBe(ptr);
    heap.free(ptr);
    expectOneTop(heap);
  });
});
