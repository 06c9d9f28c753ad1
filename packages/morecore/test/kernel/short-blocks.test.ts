// Short blocks are copied and zeroed by loops of words in wasm: of any length, all of it, and nothing of their neighbours.

import { Heap } from "morecore";
import { describe, expect, it } from "vitest";

/** Beyond the largest that a loop serves. */
const LENGTHS = Array.from({ length: 520 }, (_, length) => length + 1);
const DIRT = 0xa5;

const bytesAt = (heap: Heap, ptr: number, length: number) => new Uint8Array(heap.buffer, ptr, length);

describe.each([
  ["a small heap with slabs", 496, 0],
  ["a heap that is large enough for slabs of each size", 496, 1 << 20],
  ["a heap without slabs", 0, 0],
])("in %s,", (_, smallLimit, room) => {
  /** A heap in which a block lies between two others, all of them dirty. */
  function between(length: number): { heap: Heap; ptrs: readonly [number, number, number] } {
    const heap = Heap.create({ memory: new WebAssembly.Memory({ initial: 1 }), smallLimit });
    heap.free(heap.malloc(room));
    expect(heap.footprint).toBeGreaterThan(room);
    const ptrs = [heap.malloc(length), heap.malloc(length), heap.malloc(length)] as const;
    for (const ptr of ptrs) bytesAt(heap, ptr, heap.usableSize(ptr)).fill(DIRT);
    return { heap, ptrs };
  }

  it("calloc zeroes a block of any length, and none beside it", () => {
    for (const length of LENGTHS) {
      const { heap, ptrs } = between(length);
      const [before, ptr, after] = ptrs;
      heap.free(ptr);
      expect(heap.calloc(1, length)).toBe(ptr);
      expect(bytesAt(heap, ptr, length).every((byte) => byte === 0)).toBe(true);
      for (const other of [before, after])
        expect(bytesAt(heap, other, heap.usableSize(other)).every((byte) => byte === DIRT)).toBe(true);
      heap.check();
    }
  });

  it("realloc moves all bytes of a block of any length, and none beside it", () => {
    for (const length of LENGTHS) {
      const { heap, ptrs } = between(length);
      const [before, ptr, after] = ptrs;
      const moved = heap.realloc(ptr, length + 600);
      expect(moved).not.toBe(ptr);
      for (const other of [before, after, moved])
        expect(bytesAt(heap, other, length).every((byte) => byte === DIRT)).toBe(true);
      heap.check();
    }
  });
});
