import { expect, it } from "vitest";
import { expectOneTop, filled, smallHeap } from "./refusal.ts";

it.each([
  ["zeros", 0],
  ["ones", 0xff],
  ["text", 0x41],
])(
  "a freed block of a slab that is overwritten with %s harms nobody: nothing of the heap's lies there",
  (_, byte) => {
    const heap = smallHeap();
    const ptrs = Array.from({ length: 40 }, () => filled(heap, 100));
    const freed = ptrs.filter((_ptr, index) => index % 3 === 0);
    const live = ptrs.filter((_ptr, index) => index % 3 !== 0);
    for (const ptr of freed) heap.free(ptr);
    for (const ptr of freed) new Uint8Array(heap.buffer, ptr, 112).fill(byte);
    heap.check();
    const again = freed.map(() => filled(heap, 100));
    expect(new Set([...again, ...live]).size).toBe(40);
    heap.check();
    expect(live.every((ptr) => heap.u8(ptr).every((value) => value === 0xa5))).toBe(true);
    expectOneTop(heap, ...live, ...again);
  },
);
