import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("a double free is refused after the block was merged with a free one before it", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const a = filled(heap, 100);
  const b = filled(heap, 200);
  const guard = filled(heap, 100, 0x33);
  heap.free(a);
  heap.free(b);
  expectMisuse(heap, () => heap.free(b), "double-free", b, "0x000000d0: size 208, free");
  expectMisuse(
    heap,
    () => heap.free(a),
    "double-free",
    a,
    "0x00000141: size 320, free, previous in use",
    true,
  );
  expect(heap.u8(guard).every((byte) => byte === 0x33)).toBe(true);
  expectOneTop(heap, guard);
});

it("a double free is refused after the block was merged with free ones on both sides", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const a = filled(heap, 100);
  const b = filled(heap, 100);
  const c = filled(heap, 100);
  const guard = filled(heap, 100);
  heap.free(a);
  heap.free(c);
  heap.free(b);
  expectMisuse(heap, () => heap.free(b), "double-free", b, "0x00000070: size 112, free");
  expectMisuse(heap, () => heap.free(c), "double-free", c, "0x00000071: size 112, free, previous in use");
  expectOneTop(heap, guard);
});
