// A bin whose first chunk a damaged header puts outside of the heap: a free wrote its link there, into memory that is not the heap's.

import { Heap } from "morecore";
import { expect, it } from "vitest";
import { AT_BINS, BIN_COUNT } from "../../src/kernel/layout.ts";

const BASE = 65_536;
const SIZE = 65_536;

it.each([0x10, 0x100, 0xffff_fff0])(
  "no call writes outside of a heap whose bins all begin at %i",
  (outside) => {
    const buffer = new ArrayBuffer(1 << 20);
    const heap = Heap.create({ memory: buffer, base: BASE, size: SIZE });
    const blocks = Array.from({ length: 40 }, (_, index) => heap.malloc(300 + index * 16));
    for (let index = 0; index < 40; index += 2) heap.free(blocks[index] as number);
    const words = new Uint32Array(buffer);
    for (let at = AT_BINS; at < AT_BINS + BIN_COUNT * 4; at += 4)
      if (words[(BASE + at) >>> 2] === 0) words[(BASE + at) >>> 2] = outside;
    const damaged = Heap.attach(buffer, BASE);
    const attempt = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        expect((error as Error).name).toMatch(/^Heap(Corrupt|Misuse)Error$/);
      }
    };
    for (let index = 0; index < 30; index++) attempt(() => damaged.malloc(290 + index * 20));
    for (let index = 1; index < 40; index += 2) attempt(() => damaged.free(blocks[index] as number));
    const bytes = new Uint8Array(buffer);
    expect(bytes.subarray(0, BASE).every((byte) => byte === 0)).toBe(true);
    expect(bytes.subarray(BASE + SIZE).every((byte) => byte === 0)).toBe(true);
  },
);
