// The classes of 512 to 1024 bytes, which only heaps have that threads share: sizes, slabs, notes, states.

import { Heap } from "morecore";
import { beforeEach, describe, expect, it } from "vitest";
import { asPtr, type Base } from "../../src/kernel/address.ts";
import { classFor, classState, isClass, nextClass, noteFor } from "../../src/kernel/classes.ts";
import { BROKEN_CLASS, DOUBLE_FREE, NOT_A_BLOCK, SIZE_MISMATCH } from "../../src/kernel/codes.ts";
import { joinHeap, leaveHeap } from "../../src/kernel/common.ts";
import { bulkFree, calloc, freeSized, goodSize, realloc, trim, usableSize } from "../../src/kernel/family.ts";
import * as at from "../../src/kernel/layout.ts";
import { sharing } from "../../src/kernel/sharing.ts";
import { classOf, isFull } from "../../src/kernel/slab.ts";
import { flushSlabs, flushSome, leaveClasses } from "../../src/kernel/slab-idle.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { takeOver } from "../../src/kernel/take-over.ts";
import { COMMON, Crew, refusalOf } from "./crew.ts";

const FAR = [32, 36, 40, 44, 48, 52, 56, 60, 64];
const ALL = [...Array.from({ length: at.CLASS_COUNT }, (_, index) => index + 1), ...FAR];
const KIB = 1024;

let crew: Crew;
let a: Base;
let b: Base;

/** Makes a's footprint at least so large, with a block that stays. */
function enlarge(bytes: number): void {
  while (crew.word(a + at.AT_FOOTPRINT) < bytes) crew.malloc(a, 32 * KIB);
}

beforeEach(() => {
  crew = new Crew({ threads: 2, pages: 64 });
  [a, b] = crew.heaps as [Base, Base];
  enlarge(512 * KIB);
});

const slabOfPtr = (ptr: number): number => slabOf(crew.m, a, ptr);
const state = (sizeClass: number, offset: number): number =>
  crew.word(classState(crew.m, a, sizeClass) + offset);
const slabsNow = (): number => crew.word(a + at.AT_SLAB_COUNT);
const noted = (): number => (crew.word(a + at.AT_MAYBE_UNUSED) | crew.word(a + at.AT_IDLE)) >>> 0;

describe("the far classes", () => {
  it("come after the others, four granules apart, and no number between them is a class", () => {
    const found: number[] = [];
    for (let each = 1; each !== 0; each = nextClass(crew.m, each)) found.push(each);
    expect(found).toEqual(ALL);
    const numbers = Array.from({ length: 128 }, (_, index) => index);
    expect(numbers.filter((number) => isClass(crew.m, number))).toEqual(ALL);
    crew.m.threads = false;
    expect(nextClass(crew.m, at.CLASS_COUNT)).toBe(0);
    expect(numbers.filter((number) => isClass(crew.m, number))).toEqual(ALL.slice(0, 31));
  });

  it("serve what is above 496 bytes and at most 1024, rounded to multiples of 64", () => {
    for (let bytes = at.SMALL_MAX + 1; bytes <= at.FAR_MAX; bytes++) {
      const rounded = Math.ceil(bytes / 64) * 64;
      expect(classFor(crew.m, bytes) * 16).toBe(rounded);
      expect(goodSize(crew.m, a, bytes)).toBe(rounded);
      const ptr = crew.malloc(a, bytes);
      expect(usableSize(crew.m, a, asPtr(ptr))).toBe(rounded);
      expect(classOf(crew.m, slabOfPtr(ptr)) * 16).toBe(rounded);
      crew.free(a, ptr);
    }
    const chunk = crew.malloc(a, at.FAR_MAX + 1);
    expect([slabOfPtr(chunk), usableSize(crew.m, a, asPtr(chunk))]).toEqual([0, 1036]);
    crew.check();
  });

  it("are none of a heap that threads do not share, however large it is", () => {
    const heap = Heap.create({ reserve: 1 << 22 });
    heap.malloc(1 << 21);
    expect(heap.options.smallLimit).toBe(at.FAR_MAX);
    for (const bytes of [497, 512, 1000, 1024]) {
      expect(heap.usableSize(heap.malloc(bytes))).toBe(Math.ceil((bytes + 4) / 16) * 16 - 4);
    }
  });

  it.each(FAR)(
    "of %i granules has slabs where the shortest is a 32nd of the thread's footprint",
    (sizeClass) => {
      const small = new Crew({ threads: 1, pages: 64 });
      const [heap] = small.heaps as [Base];
      const least = Math.ceil((sizeClass * 16 * at.MIN_BLOCKS) / at.SLAB_UNIT) * at.SLAB_UNIT;
      const seen = new Set<boolean>();
      while (small.word(heap + at.AT_FOOTPRINT) < 64 * least) {
        const isDue = small.word(heap + at.AT_FOOTPRINT) >= 32 * sizeClass * 16 * at.MIN_BLOCKS;
        const ptr = small.malloc(heap, sizeClass * 16);
        expect(slabOf(small.m, heap, ptr) !== 0).toBe(isDue);
        seen.add(isDue);
        small.malloc(heap, 20 * KIB);
      }
      expect(seen.size).toBe(2);
      small.check();
    },
  );

  it("zero what calloc gives, keep what realloc moves, and refuse misuse as any slab does", () => {
    const dirty = crew.malloc(a, 700);
    crew.m.u8.fill(0xaa, dirty, dirty + 704);
    crew.free(a, dirty);
    const ptr = calloc(crew.m, a, 7, 100);
    expect(ptr).toBe(dirty);
    expect(crew.m.u8.subarray(ptr, ptr + 704).every((byte) => byte === 0)).toBe(true);
    crew.m.u8.fill(0x55, ptr, ptr + 700);
    const moved = realloc(crew.m, a, ptr, 1000);
    expect(moved).not.toBe(ptr);
    expect(crew.m.u8.subarray(moved, moved + 700).every((byte) => byte === 0x55)).toBe(true);
    // Within the class it stays.
    expect(realloc(crew.m, a, moved, 961)).toBe(moved);
    expect(refusalOf(() => freeSized(crew.m, a, moved, 1025))).toEqual([SIZE_MISMATCH, moved]);
    expect(refusalOf(() => crew.free(a, moved + 16))).toEqual([NOT_A_BLOCK, moved + 16]);
    crew.free(b, moved);
    for (const heap of [a, b]) expect(refusalOf(() => crew.free(heap, moved))).toEqual([DOUBLE_FREE, moved]);
    crew.check();
  });
});

describe("the note of slabs that may be unused", () => {
  it("is one bit for all far classes, which no other class has", () => {
    const bits = ALL.map((sizeClass) => noteFor(crew.m, sizeClass) >>> 0);
    expect(new Set(bits.slice(0, 31)).size).toBe(31);
    expect(new Set(bits.slice(31))).toEqual(new Set([1]));
    expect(bits.slice(0, 31)).not.toContain(1);
  });

  it("stays until the last of them has been given back, two at a call", () => {
    for (const sizeClass of FAR) crew.free(a, crew.malloc(a, sizeClass * 16));
    expect([slabsNow(), noted()]).toEqual([9, 1]);
    for (let left = 7; left > 0; left -= 2) {
      expect(flushSome(crew.m, a)).toBe(true);
      expect([slabsNow(), noted()]).toEqual([left, 1]);
      crew.check();
    }
    expect(flushSome(crew.m, a)).toBe(true);
    expect([slabsNow(), noted()]).toEqual([0, 0]);
    expect(flushSome(crew.m, a)).toBe(false);
  });

  it("lets bulkFree and flushSlabs give back a slab of each class there is, far more than a word has bits", () => {
    const begin = (): number[] => ALL.map((sizeClass) => crew.malloc(a, sizeClass * 16));
    const list = crew.malloc(a, 2 * KIB);
    const ptrs = begin();
    expect(slabsNow()).toBe(ALL.length);
    for (const [index, ptr] of ptrs.entries()) crew.poke(list + 4 * index, ptr);
    bulkFree(crew.m, a, asPtr(list), ptrs.length);
    expect(slabsNow()).toBe(0);
    for (const ptr of begin()) crew.free(a, ptr);
    expect(flushSlabs(crew.m, a)).toBe(true);
    expect(slabsNow()).toBe(0);
    crew.check();
  });
});

describe("a small limit within the far classes", () => {
  it("lets those above it have chunks, and leaves the slabs that there are", () => {
    const [small, large] = [crew.malloc(a, 576), crew.malloc(a, 640)];
    crew.poke(a + at.AT_SMALL_LIMIT, 592);
    leaveClasses(crew.m, a, 592 / 16 + 1);
    expect(state(36, at.CLASS_SLAB)).toBe(slabOfPtr(small));
    expect(state(40, at.CLASS_SLAB)).toBe(0);
    expect(state(40, at.CLASS_HEAD)).toBe(slabOfPtr(large));
    expect(slabOfPtr(crew.malloc(a, 576))).toBe(slabOfPtr(small));
    // Its own class has blocks of 640 bytes.
    expect(slabOfPtr(crew.malloc(a, 577))).toBe(0);
    crew.free(a, large);
    crew.check();
    expect(state(40, at.CLASS_SLABS)).toBe(0);
  });
});

describe("the states of the far classes", () => {
  it("lie before the header, and are all there is besides what others write", () => {
    const states = FAR.map((sizeClass) => classState(crew.m, a, sizeClass));
    expect(states).toEqual(FAR.map((_, index) => a - at.FAR_STATES + 32 * index));
    expect(a - at.FAR_STATES).toBe(a - at.PLACE_BYTES);
    expect((states.at(-1) as number) + 32).toBeLessThanOrEqual(a - at.NEXT_HEAP);
  });

  it("are empty in a heap that begins where something else has been", () => {
    const used = crew.malloc(a, 200 * KIB);
    crew.m.u8.fill(0xff, used, used + 200 * KIB);
    crew.free(a, used);
    trim(crew.m, a, 0);
    let heap = joinHeap(crew.m, COMMON);
    while (heap < used) heap = joinHeap(crew.m, COMMON);
    expect(heap, "it lies in what was given back").toBeLessThan(used + 200 * KIB - at.MIN_THREAD);
    for (const sizeClass of FAR) {
      const of = classState(crew.m, heap, sizeClass);
      expect(crew.word(of + at.CLASS_BITS)).toBe(heap + at.AT_NO_BITS);
      for (const offset of [at.CLASS_SLAB, at.CLASS_HEAD, at.CLASS_TAIL, at.CLASS_SLABS])
        expect(crew.word(of + offset)).toBe(0);
    }
  });

  it.each([
    ["the word that malloc takes from", at.CLASS_BITS],
    ["its first block", at.CLASS_FIRST],
    ["the number of slabs", at.CLASS_SLABS],
  ])("are looked at by the check: %s", (_, offset) => {
    crew.malloc(a, 1000);
    crew.check();
    const word = classState(crew.m, a, 64) + offset;
    crew.poke(word, crew.word(word) + 4);
    expect(refusalOf(() => crew.check())?.[0]).toBe(BROKEN_CLASS);
  });

  it("are looked at by the check: a slab that is unused, and not noted", () => {
    crew.free(a, crew.malloc(a, 1000));
    crew.check();
    crew.poke(a + at.AT_MAYBE_UNUSED, 0);
    expect(refusalOf(() => crew.check())).toEqual([BROKEN_CLASS, classState(crew.m, a, 64)]);
  });

  it("tell that a thread does something, if it has no other blocks", () => {
    const first = crew.malloc(a, 1000);
    let current = slabOfPtr(first);
    while (current === slabOfPtr(first)) current = slabOfPtr(crew.malloc(a, 1000));
    // The first slab is listed now, and the current one is used up.
    crew.free(a, first);
    while (!isFull(crew.m, current)) crew.malloc(a, 1000);
    const header = (): Uint8Array => crew.m.u8.slice(a, a + at.HEADER_BYTES);
    const [before, doings] = [header(), sharing.signs(crew.m, a).doings];
    expect(crew.malloc(a, 1000)).toBe(first);
    expect(Buffer.compare(header(), before), "the header proper is as it was").toBe(0);
    expect(sharing.signs(crew.m, a).doings).not.toBe(doings);
  });

  it("go over to the other header when the heap is taken over", () => {
    const ptrs = Array.from({ length: 40 }, () => crew.malloc(a, 1000));
    const slabs = state(64, at.CLASS_SLABS);
    expect(slabs).toBeGreaterThan(2);
    const heap = takeOver(crew.m, COMMON, a) as Base;
    // By the old header nothing is to be had.
    expect(state(64, at.CLASS_BITS)).toBe(a + at.AT_NO_BITS);
    expect(state(64, at.CLASS_HEAD)).toBe(0);
    for (let next = heap, round = 0; round < 3; round++) {
      crew.check();
      expect(crew.word(classState(crew.m, next, 64) + at.CLASS_SLABS)).toBe(slabs);
      expect(joinHeap(crew.m, COMMON)).toBe(next);
      next = takeOver(crew.m, COMMON, next) as Base;
    }
    const next = joinHeap(crew.m, COMMON);
    expect(next).toBe(a);
    for (const ptr of ptrs) crew.free(next, ptr);
    leaveHeap(crew.m, next);
    crew.check();
  });
});
