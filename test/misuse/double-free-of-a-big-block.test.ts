import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("a double free of a block too large for slabs is refused", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 5000);
  const guard = filled(heap, 100, 0x44);
  heap.free(ptr);
  expectMisuse(
    heap,
    () => heap.free(ptr),
    "double-free",
    ptr,
    "0x00001391: size 5008, free, previous in use",
    true,
  );
  expect(heap.u8(guard).every((byte) => byte === 0x44)).toBe(true);
  expectOneTop(heap, guard);
});
