import { expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("a double free is refused after the caches were emptied by trim", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100);
  const guard = filled(heap, 100, 0x22);
  heap.free(ptr);
  heap.trim();
  expect(heap.statistics().flushCount).toBe(1);
  expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, "0x00000071: size 112, free, previous in use");
  expect(heap.u8(guard).every((byte) => byte === 0x22)).toBe(true);
  expectOneTop(heap, guard);
});

it("a double free is refused after the caches were emptied by a lower limit", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100);
  const guard = filled(heap, 100);
  heap.free(ptr);
  heap.options.cacheLimit = 0;
  expectMisuse(heap, () => heap.free(ptr), "double-free", ptr, "0x00000071: size 112, free, previous in use");
  expectOneTop(heap, guard);
});
