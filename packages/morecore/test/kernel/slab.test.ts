import { describe, expect, it } from "vitest";
import { asPtr } from "../../src/kernel/address.ts";
import { classState } from "../../src/kernel/classes.ts";
import * as at from "../../src/kernel/layout.ts";
import {
  extentOf,
  firstBlock,
  fullWord,
  indexOf,
  inverseOf,
  NO_BLOCK,
  shapeOf,
} from "../../src/kernel/slab.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { Bench, large } from "./broken.ts";

const CLASSES = Array.from({ length: at.CLASS_COUNT }, (_, index) => index + 1);

/** The slab that a class takes from when it has begun so many. */
function latestSlab(b: Bench, sizeClass: number, count: number): number {
  let ptr = 0;
  do ptr = b.heap.malloc(sizeClass * 16);
  while (b.word(classState(b.machine, b.base, sizeClass) + at.CLASS_SLABS) < count);
  return slabOf(b.machine, b.base, ptr);
}

describe("the blocks of a slab", () => {
  it.each(CLASSES)("of class %i are told from every other address", (sizeClass) => {
    const b = large();
    const bytes = sizeClass * 16;
    // A longer slab than the first.
    const slab = latestSlab(b, sizeClass, 3);
    const { words } = b.machine;
    const first = firstBlock(b.machine, slab);
    const extent = extentOf(b.machine, slab);
    for (let address = first - 32; address < first + extent + 32; address++) {
      const offset = address - first;
      const isBlock = offset >= 0 && offset < extent && offset % bytes === 0;
      const index = indexOf(words, slab, asPtr(address));
      if (index !== (isBlock ? offset / bytes : NO_BLOCK)) expect([offset, index]).toEqual([offset, "?"]);
    }
    for (const address of [0, 16, 0x7fff_fff0, 0x8000_0000, 0xffff_fff0])
      expect(indexOf(words, slab, asPtr(address))).toBe(NO_BLOCK);
  });

  it("are found by the inverse of their size's odd part", () => {
    for (let odd = 1; odd < 32; odd += 2) expect(Math.imul(odd, inverseOf(odd)), `${odd}`).toBe(1);
  });

  it.each(CLASSES)("of class %i have a shape that says how many they are and how to divide", (sizeClass) => {
    const { machine } = new Bench();
    const shape = shapeOf(machine, sizeClass, at.MAX_BLOCKS);
    expect(shape >>> at.SHAPE_BLOCKS_SHIFT).toBe(at.MAX_BLOCKS);
    expect((shape >>> at.SHAPE_CLASS_SHIFT) & at.SHAPE_CLASS).toBe(sizeClass);
    expect(shape & at.SLAB_LISTED).toBe(0);
    const odd = (sizeClass * 16) >>> (shape & 31);
    expect(odd << (shape & 31)).toBe(sizeClass * 16);
    expect(odd % 2).toBe(1);
  });

  it("have a bit each: a word is full with 32, and the last one with what is left", () => {
    const ALL = 0xffff_ffff;
    expect([0, 1, 2].map((word) => fullWord(70, word))).toEqual([ALL, ALL, 0b11_1111]);
    expect([0, 1, 2].map((word) => fullWord(64, word))).toEqual([ALL, ALL, 0]);
    expect([0, 1].map((word) => fullWord(31, word))).toEqual([0x7fff_ffff, 0]);
    expect(fullWord(at.MAX_BLOCKS, 8)).toBe(ALL);
    expect(fullWord(at.MAX_BLOCKS, 9)).toBe(0);
  });
});
