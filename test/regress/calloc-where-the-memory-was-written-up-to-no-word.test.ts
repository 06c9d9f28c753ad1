// A Memory may say that it is untouched from any address on. calloc zeroed whole words below that only: up to three bytes before
// the address kept what had been written there.

import { Heap, type Memory } from "morecore";
import { expect, test } from "vitest";

const BYTES = 40;
const BASE = 16;

/** Dirty below `untouched`. */
function written(untouched: number): Memory {
  const buffer = new ArrayBuffer(65_536);
  new Uint8Array(buffer, 0, untouched).fill(0xa5);
  return { buffer, grow: () => 0, untouched };
}

test("calloc zeroes all of its block, wherever the memory is untouched from", () => {
  const options = { base: BASE, smallLimit: 0 };
  const ptr = Heap.create({ memory: written(BASE), ...options }).malloc(BYTES);
  for (let more = 0; more <= BYTES; more++) {
    const heap = Heap.create({ memory: written(ptr + more), ...options });
    expect(heap.calloc(1, BYTES)).toBe(ptr);
    expect(Array.from(new Uint8Array(heap.buffer, ptr, BYTES))).toEqual(new Array(BYTES).fill(0));
  }
});
