import { describe, expect, it } from "vitest";
import { asPtr } from "../../src/kernel/address.ts";
import { classState, closeClassFor, isSmall } from "../../src/kernel/classes.ts";
import { DOUBLE_FREE, MISALIGNED, NOT_A_BLOCK } from "../../src/kernel/codes.ts";
import { free, usableSize } from "../../src/kernel/free.ts";
import * as at from "../../src/kernel/layout.ts";
import { calloc, malloc } from "../../src/kernel/malloc.ts";
import { setSmallLimit } from "../../src/kernel/options.ts";
import {
  blockBytesOf,
  blockCountOf,
  classOf,
  extentOf,
  firstBlock,
  isFree,
  isFull,
  isUnused,
} from "../../src/kernel/slab.ts";
import { flushSlabs, leaveClasses } from "../../src/kernel/slab-idle.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { freeBlock, popBlock, pushBlock, takeBlock } from "../../src/kernel/slabs.ts";
import { Bench, large } from "./broken.ts";

const CLASSES = Array.from({ length: at.CLASS_COUNT }, (_, index) => index + 1);

const WIDE = CLASSES.filter((sizeClass) => sizeClass * 16 > at.NARROW_MAX);

/** Room for many slabs. */
function roomy(): Bench {
  return new Bench({ memory: new ArrayBuffer(1 << 20) });
}

function slabOfPtr(b: Bench, ptr: number): number {
  return slabOf(b.machine, b.base, ptr);
}

/** A word of a size class's state. */
function stateWord(b: Bench, sizeClass: number, offset: number): number {
  return b.word(classState(b.machine, b.base, sizeClass) + offset);
}

/** The slabs in a class's list, first to last. */
function listed(b: Bench, sizeClass: number): number[] {
  const slabs: number[] = [];
  for (let slab = stateWord(b, sizeClass, at.CLASS_HEAD); slab !== 0; slab = b.word(slab + at.SLAB_NEXT))
    slabs.push(slab);
  return slabs;
}

const current = (b: Bench, sizeClass: number): number => stateWord(b, sizeClass, at.CLASS_SLAB);
const slabCount = (b: Bench): number => b.word(b.base + at.AT_SLAB_COUNT);

/** Fills so many slabs of 112-byte blocks, one after the other; each as its blocks, in the order they were handed out. */
function filled(b: Bench, slabs: number): number[][] {
  const all: number[][] = [];
  for (let index = 0; index < slabs; index++) {
    const ptrs = [b.heap.malloc(100)];
    const slab = slabOfPtr(b, ptrs[0] as number);
    while (!isFull(b.machine, slab)) ptrs.push(b.heap.malloc(100));
    all.push(ptrs);
  }
  return all;
}

function snapshot(b: Bench): Buffer {
  return Buffer.from(Buffer.from(b.heap.buffer as ArrayBuffer));
}

function expectUnchanged(b: Bench, before: Buffer): void {
  expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
}

describe("a size class", () => {
  it("is as many granules as a request needs, and at least one", () => {
    expect(closeClassFor(0)).toBe(1);
    for (let bytes = 1; bytes <= at.SMALL_MAX; bytes++)
      expect(closeClassFor(bytes)).toBe(Math.ceil(bytes / 16));
  });

  it.each(CLASSES)("%i serves the 16 sizes up to its blocks', and no others", (sizeClass) => {
    const b = large();
    const most = sizeClass * 16;
    for (let bytes = most - 15; bytes <= most; bytes++) {
      const ptr = b.heap.malloc(bytes);
      expect(b.heap.usableSize(ptr)).toBe(most);
      expect(b.heap.goodSize(bytes)).toBe(most);
      expect(classOf(b.machine, slabOfPtr(b, ptr))).toBe(sizeClass);
      b.heap.free(ptr);
    }
    expect(stateWord(b, sizeClass, at.CLASS_SLABS)).toBe(1);
    expect(slabCount(b)).toBe(1);
    b.heap.check();
  });

  it("of one granule serves requests of 0 bytes; what is above 496 bytes is a chunk", () => {
    const b = large();
    expect(usableSize(b.machine, b.base, asPtr(b.heap.malloc(0)))).toBe(16);
    const chunk = b.heap.malloc(497);
    expect(slabOfPtr(b, chunk)).toBe(0);
    expect(usableSize(b.machine, b.base, asPtr(chunk))).toBe(508);
    expect(slabCount(b)).toBe(1);
  });

  it.each(WIDE)("%i of wide blocks has chunks in a small heap, and slabs once that is large", (sizeClass) => {
    const b = new Bench({ memory: new ArrayBuffer(1 << 23), trimThreshold: Infinity });
    const bytes = sizeClass * 16;
    const chunk = b.heap.malloc(bytes);
    expect([slabOfPtr(b, chunk), b.heap.usableSize(chunk), slabCount(b)]).toEqual([0, bytes + 12, 0]);
    expect(b.heap.goodSize(bytes)).toBe(bytes + 12);
    b.heap.free(b.heap.malloc(2 << 20));
    const block = b.heap.malloc(bytes);
    expect([classOf(b.machine, slabOfPtr(b, block)), b.heap.usableSize(block)]).toEqual([sizeClass, bytes]);
    expect(b.heap.goodSize(bytes)).toBe(bytes);
    b.heap.check();
    // The slab goes on serving when the heap is small again; what was a chunk stays one.
    b.heap.trim();
    expect(b.heap.footprint).toBeLessThan(bytes * at.MIN_BLOCKS * 256);
    expect(slabOfPtr(b, b.heap.malloc(bytes))).toBe(slabOfPtr(b, block));
    expect([slabOfPtr(b, chunk), b.heap.usableSize(chunk)]).toEqual([0, bytes + 12]);
    b.heap.check();
    // But there is no second one.
    while (!isFull(b.machine, slabOfPtr(b, block))) b.heap.malloc(bytes);
    expect([slabOfPtr(b, b.heap.malloc(bytes)), slabCount(b)]).toEqual([0, 1]);
    b.heap.check();
  });

  it("has no slab before its first request, and none of another class's", () => {
    const b = new Bench();
    for (const sizeClass of CLASSES) {
      expect(popBlock(b.machine, classState(b.machine, b.base, sizeClass), sizeClass)).toBe(0);
      expect(current(b, sizeClass)).toBe(0);
    }
    b.heap.malloc(100);
    for (const sizeClass of CLASSES) expect(current(b, sizeClass) !== 0).toBe(sizeClass === 7);
  });
});

describe("a listed slab whose last word stands for one block", () => {
  it("goes back when that block is the last to be freed", () => {
    const b = large();
    const bytes = at.SMALL_MAX;
    const ptrs: number[] = [];
    let alone = 0;
    while (alone === 0) {
      ptrs.push(b.heap.malloc(bytes));
      const slab = slabOfPtr(b, ptrs.at(-1) as number);
      if (blockCountOf(b.machine, slab) % 32 === 1) alone = slab;
    }
    const blocks = [ptrs.at(-1) as number];
    while (current(b, at.CLASS_COUNT) === alone) blocks.push(b.heap.malloc(bytes));
    // The last one is another slab's.
    blocks.pop();
    expect(blocks).toHaveLength(blockCountOf(b.machine, alone));
    const slabs = stateWord(b, at.CLASS_COUNT, at.CLASS_SLABS);
    for (const ptr of blocks) b.heap.free(ptr);
    expect(stateWord(b, at.CLASS_COUNT, at.CLASS_SLABS)).toBe(slabs - 1);
    b.heap.check();
  });
});

describe("the blocks of a slab", () => {
  it.each(CLASSES)("of class %i lie side by side, in the order in which they are handed out", (sizeClass) => {
    const b = large();
    const bytes = sizeClass * 16;
    const first = b.heap.malloc(bytes);
    const slab = slabOfPtr(b, first);
    const blocks = blockCountOf(b.machine, slab);
    expect(blocks).toBeGreaterThanOrEqual(at.MIN_BLOCKS);
    expect(blocks).toBeLessThanOrEqual(at.MAX_BLOCKS);
    expect(first).toBe(firstBlock(b.machine, slab));
    for (let index = 1; index < blocks; index++) expect(b.heap.malloc(bytes)).toBe(first + index * bytes);
    expect(isFull(b.machine, slab)).toBe(true);
    expect(extentOf(b.machine, slab)).toBe(blocks * bytes);
    expect(blockBytesOf(b.machine, slab)).toBe(bytes);
    expect(slabOfPtr(b, b.heap.malloc(bytes))).not.toBe(slab);
    b.heap.check();
  });

  it("can be written from the first byte to the last, and the heap's own words are not among them", () => {
    const b = large();
    const ptrs = CLASSES.flatMap((sizeClass) =>
      Array.from({ length: 30 }, () => b.heap.malloc(sizeClass * 16)),
    );
    for (const ptr of ptrs) b.heap.u8(ptr, b.heap.usableSize(ptr)).fill(0xff);
    b.heap.check();
    for (const ptr of ptrs) b.heap.free(ptr);
    // Nor when they are free, which is harmless.
    for (const ptr of ptrs.slice(0, 30)) if (slabOfPtr(b, ptr) !== 0) b.heap.u8(ptr, 16).fill(0xff);
    b.heap.check();
    b.heap.trim();
    expect(b.heap.mallinfo().ordblks).toBe(1);
  });

  it.each([
    ["as they were taken", (index: number) => index],
    ["backwards", (index: number) => -index],
    ["in disorder", (index: number) => (index * 7) % 10],
  ])("that were freed %s are handed out again in the order of their addresses", (_, key) => {
    const b = new Bench();
    const ptrs = Array.from({ length: 10 }, () => b.heap.malloc(100));
    expect(slabCount(b)).toBe(1);
    const order = ptrs.map((ptr, index) => [key(index), ptr] as const).sort((x, y) => x[0] - y[0]);
    for (const [, ptr] of order) b.heap.free(ptr);
    expect(ptrs.map(() => b.heap.malloc(100))).toEqual(ptrs);
    b.heap.check();
  });

  it("are all handed out before another slab is begun, also those of words that were left behind", () => {
    const b = roomy();
    // More than two words of blocks: those of the first word are freed when malloc has left it.
    const ptrs = [b.heap.malloc(16)];
    const slab = slabOfPtr(b, ptrs[0] as number);
    const blocks = blockCountOf(b.machine, slab);
    expect(blocks).toBeGreaterThan(70);
    while (ptrs.length < 70) ptrs.push(b.heap.malloc(16));
    for (const index of [3, 1, 40]) b.heap.free(ptrs[index] as number);
    b.heap.check();
    const rest = Array.from({ length: blocks - 70 + 3 }, () => b.heap.malloc(16));
    expect(rest.every((ptr) => slabOfPtr(b, ptr) === slab)).toBe(true);
    expect(new Set([...ptrs, ...rest]).size).toBe(blocks);
    expect(isFull(b.machine, slab)).toBe(true);
    expect(rest).toEqual(expect.arrayContaining([ptrs[1], ptrs[3], ptrs[40]]));
    expect(slabCount(b)).toBe(1);
    b.heap.malloc(16);
    expect(slabCount(b)).toBe(2);
    b.heap.check();
  });
});

describe("a slab", () => {
  it("is full before the next one is begun, and many can be", () => {
    const b = roomy();
    const all = filled(b, 6);
    const slabs = all.map((ptrs) => slabOfPtr(b, ptrs[0] as number));
    expect(new Set(slabs).size).toBe(6);
    expect(slabCount(b)).toBe(6);
    for (const [index, ptrs] of all.entries()) {
      expect(ptrs).toHaveLength(blockCountOf(b.machine, slabs[index] as number));
      expect(ptrs.every((ptr) => slabOfPtr(b, ptr) === slabs[index])).toBe(true);
    }
    expect(current(b, 7)).toBe(slabs[5]);
    expect(listed(b, 7)).toEqual([]);
    b.heap.check();
  });

  it("that was full is listed with the first block that is freed, behind those listed before", () => {
    const b = roomy();
    const [one = [], two = [], three = []] = filled(b, 4);
    const [first, second, third] = [one, two, three].map((ptrs) => slabOfPtr(b, ptrs[0] as number));
    b.heap.free(two[3] as number);
    expect(listed(b, 7)).toEqual([second]);
    b.heap.free(one[0] as number);
    b.heap.free(three[1] as number);
    b.heap.free(two[4] as number);
    expect(listed(b, 7)).toEqual([second, first, third]);
    expect(stateWord(b, 7, at.CLASS_TAIL)).toBe(third);
    b.heap.check();
  });

  it("that is listed serves when the current one is full, the first listed first, before a new one", () => {
    const b = roomy();
    const [one = [], two = []] = filled(b, 3);
    b.heap.free(two[3] as number);
    b.heap.free(one[5] as number);
    b.heap.free(one[2] as number);
    expect(b.heap.malloc(100)).toBe(two[3]);
    expect(current(b, 7)).toBe(slabOfPtr(b, two[0] as number));
    expect(listed(b, 7)).toEqual([slabOfPtr(b, one[0] as number)]);
    b.heap.check();
    expect([b.heap.malloc(100), b.heap.malloc(100)]).toEqual([one[2], one[5]]);
    expect(listed(b, 7)).toEqual([]);
    expect(slabCount(b)).toBe(3);
    b.heap.malloc(100);
    expect(slabCount(b)).toBe(4);
    b.heap.check();
  });

  it("that is current is in no list, whatever is freed in it", () => {
    const b = roomy();
    const [ptrs = []] = filled(b, 1);
    const slab = current(b, 7);
    for (const ptr of ptrs) {
      b.heap.free(ptr);
      expect(current(b, 7)).toBe(slab);
      expect(listed(b, 7)).toEqual([]);
      b.heap.check();
    }
    expect(isUnused(b.machine, slab)).toBe(true);
  });

  it("that is listed is given back with its last live block, at once", () => {
    const b = roomy();
    const [one = [], two = []] = filled(b, 3);
    for (const ptr of one.slice(1)) b.heap.free(ptr);
    b.heap.free(two[0] as number);
    const slab = slabOfPtr(b, one[0] as number);
    const before = b.heap.mallinfo();
    expect(listed(b, 7)).toEqual([slab, slabOfPtr(b, two[0] as number)]);
    b.heap.free(one[0] as number);
    expect(slabCount(b)).toBe(2);
    expect(stateWord(b, 7, at.CLASS_SLABS)).toBe(2);
    expect(listed(b, 7)).toEqual([slabOfPtr(b, two[1] as number)]);
    expect(slabOfPtr(b, one[0] as number)).toBe(0);
    expect(b.heap.mallinfo().fordblks).toBeGreaterThan(before.fordblks);
    expect(b.heap.mallinfo().smblks).toBe(before.smblks - (one.length - 1));
    b.heap.check();
  });

  it.each([
    ["first", 0],
    ["middle", 1],
    ["last", 2],
  ])("that is given back leaves the list it was the %s of, and the others stay", (_, which) => {
    const b = roomy();
    const all = filled(b, 4).slice(0, 3);
    for (const ptrs of all) b.heap.free(ptrs[0] as number);
    const slabs = listed(b, 7);
    for (const ptr of (all[which] as number[]).slice(1)) b.heap.free(ptr);
    expect(listed(b, 7)).toEqual(slabs.filter((_, index) => index !== which));
    b.heap.check();
  });

  it("that was given back leaves words that make a second free of each of its blocks seen", () => {
    for (const bytes of [16, 32, 100, 256, 496]) {
      const b = large();
      const one = [b.heap.malloc(bytes)];
      const slab = slabOfPtr(b, one[0] as number);
      while (!isFull(b.machine, slab)) one.push(b.heap.malloc(bytes));
      b.heap.malloc(bytes);
      // What lies behind the slab keeps it from being part of top.
      b.heap.malloc(2000);
      for (const ptr of one) b.heap.free(ptr);
      expect(slabOfPtr(b, one[0] as number)).toBe(0);
      b.heap.check();
      const before = snapshot(b);
      for (const ptr of one)
        expect(() => free(b.machine, b.base, asPtr(ptr))).toThrow(
          expect.objectContaining({ code: DOUBLE_FREE, address: ptr }),
        );
      expectUnchanged(b, before);
    }
  });

  it("that was given back into top leaves them too", () => {
    const b = new Bench();
    const ptrs = Array.from({ length: 5 }, () => b.heap.malloc(100));
    for (const ptr of ptrs) b.heap.free(ptr);
    b.heap.trim();
    expect(b.heap.mallinfo().ordblks).toBe(1);
    for (const ptr of ptrs)
      expect(() => free(b.machine, b.base, asPtr(ptr))).toThrow(
        expect.objectContaining({ code: DOUBLE_FREE }),
      );
    b.heap.check();
  });

  it("writes no word of a block that a program still has when another slab of the class ends", () => {
    const b = roomy();
    const [one = [], two = []] = filled(b, 3);
    for (const ptr of two) b.heap.u8(ptr).fill(0x77);
    for (const ptr of one) b.heap.free(ptr);
    for (const ptr of two) expect(b.heap.u8(ptr).every((byte) => byte === 0x77)).toBe(true);
    b.heap.check();
  });
});

describe("a free in a slab", () => {
  it("of what is no live block is refused by what it is, with nothing changed", () => {
    const b = roomy();
    const [one, two, three] = [b.heap.malloc(100), b.heap.malloc(100), b.heap.malloc(100)];
    const slab = slabOfPtr(b, one);
    b.heap.free(two);
    const before = snapshot(b);
    const cases: [number, number][] = [[two, DOUBLE_FREE]];
    // A block that was never handed out is one that is free.
    cases.push([three + 112, DOUBLE_FREE]);
    for (let inside = 16; inside < 112; inside += 16) cases.push([one + inside, NOT_A_BLOCK]);
    for (const off of [1, 4, 8, 15]) cases.push([one + off, MISALIGNED], [three + 16 + off, MISALIGNED]);
    for (const [ptr, code] of cases)
      for (const call of [free, usableSize])
        expect(() => call(b.machine, b.base, asPtr(ptr))).toThrow(
          expect.objectContaining({ code, address: ptr }),
        );
    expectUnchanged(b, before);
    expect(isFree(b.machine, slab, 1)).toBe(true);
    b.heap.free(one);
    b.heap.free(three);
    b.heap.check();
  });

  it("by the short way does nothing where there is more to do than a bit", () => {
    const b = roomy();
    const [one = [], two = []] = filled(b, 3);
    const push = (ptr: number) => pushBlock(b.machine, b.base, slabOfPtr(b, asPtr(ptr)), asPtr(ptr));
    for (const ptr of two.slice(1)) b.heap.free(ptr);
    const before = snapshot(b);
    // To be listed; the last live one; dead; not a block's.
    for (const ptr of [one[0], two[0], two[1], (one[0] as number) + 16])
      expect(push(ptr as number)).toBe(false);
    expectUnchanged(b, before);
    b.heap.free(one[0] as number);
    expect(push(one[1] as number), "a listed slab's that stays in use").toBe(true);
    b.heap.check();
  });
});

describe("a free by the slow way", () => {
  it("notes that a current slab may be unused, as the short way does", () => {
    const b = roomy();
    const ptr = asPtr(b.heap.malloc(100));
    freeBlock(b.machine, b.base, slabOfPtr(b, ptr), ptr);
    b.heap.check();
    expect(flushSlabs(b.machine, b.base)).toBe(true);
    expect(slabCount(b)).toBe(0);
  });
});

describe("a flush", () => {
  /** A heap whose current slab of class 7 is unused, and one of class 2 that is not. */
  function unused(b = roomy()): Bench {
    b.heap.malloc(32);
    b.heap.free(b.heap.malloc(100));
    expect(isUnused(b.machine, current(b, 7))).toBe(true);
    return b;
  }

  function expectFlushed(b: Bench, flushes = 1): void {
    expect([current(b, 7), current(b, 2) !== 0, slabCount(b)]).toEqual([0, true, 1]);
    expect(b.heap.statistics().flushCount).toBe(flushes);
    b.heap.check();
  }

  it("gives back the current slabs that are unused, and no others; a second one finds none", () => {
    const b = unused();
    expect(flushSlabs(b.machine, b.base)).toBe(true);
    expectFlushed(b);
    expect(flushSlabs(b.machine, b.base)).toBe(false);
    expectFlushed(b);
  });

  it("gives back those of all classes at once, and counts once", () => {
    const b = large();
    for (const ptr of CLASSES.map((sizeClass) => b.heap.malloc(sizeClass * 16))) b.heap.free(ptr);
    expect(slabCount(b)).toBe(at.CLASS_COUNT);
    expect(flushSlabs(b.machine, b.base)).toBe(true);
    expect(slabCount(b)).toBe(0);
    expect(b.heap.statistics().flushCount).toBe(1);
    expect(b.heap.mallinfo().ordblks).toBe(1);
    b.heap.check();
  });

  it("does not give back a slab that was unused for a while and serves again", () => {
    const b = unused();
    const ptr = b.heap.malloc(100);
    expect(flushSlabs(b.machine, b.base)).toBe(false);
    expect(b.heap.usableSize(ptr)).toBe(112);
    b.heap.free(ptr);
    expect(flushSlabs(b.machine, b.base)).toBe(true);
    expectFlushed(b);
  });

  it("does not come with a small request, nor with one that a chunk is at hand for", () => {
    const b = unused();
    b.heap.malloc(16);
    b.heap.malloc(500);
    expect(current(b, 7)).not.toBe(0);
    expect(b.heap.statistics().flushCount).toBe(0);
  });

  it.each([
    ["trim", (b: Bench) => b.heap.trim()],
    ["bulkFree", (b: Bench) => b.heap.bulkFree([])],
    ["a request for a large chunk", (b: Bench) => b.heap.malloc(20_000)],
    ["a growth, here for a small chunk", grow],
  ])("comes with %s", (_, call) => {
    const b = unused();
    call(b);
    expectFlushed(b);
  });

  it("before a growth can make it needless", () => {
    const b = new Bench();
    const ptrs: number[] = [];
    for (let ptr = b.heap.malloc(100); ptr !== 0; ptr = b.heap.malloc(100)) ptrs.push(ptr);
    const { footprint } = b.heap;
    expect(b.heap.malloc(5000)).toBe(0);
    for (const ptr of ptrs) b.heap.free(ptr);
    expect(b.heap.malloc(5000)).not.toBe(0);
    expect(b.heap.footprint).toBe(footprint);
    b.heap.check();
  });

  it("comes with a large block that there is room for, if the slab was unused at the last one already", () => {
    const b = unused();
    b.heap.free(b.heap.malloc(1025));
    expect(b.heap.statistics().flushCount).toBe(0);
    b.heap.check();
    b.heap.free(b.heap.malloc(1024));
    expect(b.heap.statistics().flushCount).toBe(0);
    b.heap.free(b.heap.malloc(1025));
    expectFlushed(b);
  });

  /** An unused slab that a large block finds to be so, and the next one gives back. */
  function flushedByLarge(b: Bench): void {
    b.heap.free(b.heap.malloc(100));
    for (let block = 0; block < 2; block++) b.heap.malloc(5000);
  }

  const merges = (b: Bench, count: number): void => b.poke(b.base + at.AT_COALESCE_COUNT, count >>> 0);
  const paid = (b: Bench): number => b.word(b.base + at.AT_MERGES_PAID);

  it.each([0, 0xffff_fffc])(
    "comes with large blocks again only when chunks were merged 8 times, from %i merges on",
    (from) => {
      const b = large();
      merges(b, from);
      b.poke(b.base + at.AT_MERGES_PAID, from);
      flushedByLarge(b);
      expect([current(b, 7), b.heap.statistics().flushCount]).toEqual([0, 1]);
      expect(paid(b)).toBe((from + 8) >>> 0);
      for (const [more, flushes] of [
        [0, 1],
        [7, 1],
        [8, 2],
        [15, 2],
        [16, 3],
      ] as const) {
        merges(b, from + more);
        flushedByLarge(b);
        expect(b.heap.statistics().flushCount).toBe(flushes);
        b.heap.check();
      }
    },
  );

  it("comes for as many slabs in turn as merges were saved for, which are 128 at most", () => {
    const b = large();
    merges(b, 10_000);
    flushedByLarge(b);
    expect(paid(b)).toBe(10_000 - 128 + 8);
    // 120 merges are left, and one free slab at a time is paid for as long as there is one.
    for (let round = 0; round < 20; round++) {
      merges(b, 10_000);
      flushedByLarge(b);
    }
    expect(b.heap.statistics().flushCount).toBe(17);
  });

  it("comes with two slabs at most, with a large block and with a growth, and with all when there is no memory", () => {
    const b = large();
    const all = () => {
      for (const ptr of CLASSES.map((sizeClass) => b.heap.malloc(sizeClass * 16))) b.heap.free(ptr);
      expect(slabCount(b)).toBe(at.CLASS_COUNT);
    };
    all();
    merges(b, 10_000);
    for (let block = 0; block < 2; block++) b.heap.malloc(5000);
    expect(slabCount(b)).toBe(at.CLASS_COUNT - 2);
    b.heap.check();
    all();
    b.heap.free(b.heap.malloc(b.heap.footprint));
    expect(slabCount(b)).toBe(at.CLASS_COUNT - 2);
    b.heap.check();
    all();
    expect(b.heap.malloc(at.MAX_REQUEST)).toBe(0);
    expect(slabCount(b)).toBe(0);
    b.heap.check();
  });

  it("comes again at once with a trim, however few merges there were", () => {
    const b = unused(large());
    for (let block = 0; block < 2; block++) b.heap.malloc(5000);
    expectFlushed(b);
    b.heap.free(b.heap.malloc(100));
    expect(slabCount(b)).toBe(2);
    b.heap.trim();
    expectFlushed(b, 2);
  });

  it("leaves the slab of small blocks that come and go between large ones", () => {
    const b = unused();
    for (let round = 0; round < 5; round++) {
      b.heap.free(b.heap.malloc(1025));
      const ptr = b.heap.malloc(100);
      b.heap.free(b.heap.malloc(2000));
      b.heap.check();
      b.heap.free(ptr);
    }
    expect([b.heap.statistics().flushCount, slabCount(b)]).toEqual([0, 2]);
    b.heap.trim();
    expectFlushed(b);
  });

  /** Takes chunks of less than 1 KiB until there is less than that of top, and one more. */
  function grow(b: Bench): void {
    const { footprint } = b.heap;
    while (b.heap.mallinfo().keepcost >= 1008) b.heap.malloc(1000);
    expect(b.heap.statistics().flushCount).toBe(0);
    b.heap.malloc(1000);
    // What was given back may have made the growth needless.
    while (b.heap.footprint === footprint && b.heap.statistics().flushCount === 0) b.heap.malloc(1000);
  }
});

/** A region that would be full of slabs too soon. */
function small(): Bench {
  return new Bench({ size: 4096 });
}

/** Room for chunks, but for no slab any more: the map, a descriptor and a slab of 1 KiB at a unit's end. */
function nearlyFull(): Bench {
  const b = new Bench();
  const { heap } = b;
  heap.malloc(heap.memorySize - heap.footprint + heap.mallinfo().keepcost - 1300);
  return b;
}

describe.each([
  ["since the region is small", small],
  ["since it is nearly full", nearlyFull],
])("when no slab can be had, %s,", (_why, tight) => {
  it("a small request is served by a chunk, and all is as with chunks", () => {
    const b = tight();
    const ptr = b.heap.malloc(100);
    expect(ptr).not.toBe(0);
    expect(slabOfPtr(b, ptr)).toBe(0);
    expect(slabCount(b)).toBe(0);
    expect(b.heap.usableSize(ptr)).toBe(108);
    b.heap.inspectAll(({ state }) => expect(state).not.toBe("overhead"));
    b.heap.check();
    b.heap.u8(ptr).fill(0xff);
    b.heap.freeSized(ptr, 100);
    b.heap.check();
    expect(b.heap.mallinfo().ordblks).toBe(1);
  });

  it("a request's usable size is what was asked for at least, and at most 4 bytes less than goodSize says", () => {
    for (let bytes = 0; bytes <= at.SMALL_MAX; bytes++) {
      const b = tight();
      const usable = b.heap.usableSize(b.heap.malloc(bytes));
      expect(usable).toBeGreaterThanOrEqual(Math.max(bytes, b.heap.goodSize(bytes) - 4));
    }
  });

  it("calloc zeroes that chunk's payload and not a byte more, of any size", () => {
    for (let bytes = 0; bytes <= at.SMALL_MAX; bytes++) {
      const b = tight();
      b.heap.u8(b.heap.malloc(300)).fill(0xff);
      b.heap.free(b.word(b.base + at.AT_TOP) - 304 + 4);
      const ptr = calloc(b.machine, b.base, 1, bytes);
      expect(slabOfPtr(b, ptr)).toBe(0);
      expect(b.heap.u8(ptr, bytes).every((byte) => byte === 0)).toBe(true);
      b.heap.check();
      const guard = b.heap.malloc(300);
      expect(guard).not.toBe(0);
      b.heap.free(ptr);
      b.heap.free(guard);
      b.heap.check();
    }
  });

  it("calloc beside a live chunk leaves that alone", () => {
    const b = tight();
    const hole = b.heap.malloc(257);
    const guard = b.heap.malloc(300);
    b.heap.u8(guard).fill(0x5a);
    b.heap.u8(hole).fill(0xff);
    b.heap.free(hole);
    const ptr = calloc(b.machine, b.base, 16, 16);
    expect(ptr).toBe(hole);
    b.heap.check();
    expect(b.heap.u8(guard).every((byte) => byte === 0x5a)).toBe(true);
    expect(b.heap.u8(ptr, 256).every((byte) => byte === 0)).toBe(true);
  });

  it("nothing is kept of the attempt: no descriptor, no map", () => {
    const b = tight();
    const before = b.heap.mallinfo();
    expect(takeBlock(b.machine, b.base, 7)).toBe(0);
    expect(b.heap.mallinfo()).toEqual(before);
    expect([slabCount(b), current(b, 7)]).toEqual([0, 0]);
    b.heap.check();
  });
});

describe("a full heap", () => {
  it("still serves from the slabs that it has", () => {
    const b = new Bench();
    const ptrs: number[] = [];
    for (let ptr = b.heap.malloc(100); ptr !== 0; ptr = b.heap.malloc(100)) ptrs.push(ptr);
    const inSlab = ptrs.filter((ptr) => slabOfPtr(b, ptr) !== 0);
    expect(inSlab.length).toBeGreaterThan(100);
    expect(inSlab.length, "the last ones are chunks").toBeLessThan(ptrs.length);
    for (const ptr of inSlab.filter((_, index) => index % 10 === 0)) {
      b.heap.free(ptr);
      expect(b.heap.malloc(100)).toBe(ptr);
    }
    expect(b.heap.malloc(100)).toBe(0);
    b.heap.check();
  });
});

describe("the small limit", () => {
  it("says which requests are small: those whose blocks are no larger", () => {
    const b = new Bench();
    for (const limit of [0, 16, 112, 256, 272, 496]) {
      setSmallLimit(b.machine, b.base, limit);
      for (let bytes = 0; bytes <= 600; bytes++)
        expect([bytes, isSmall(b.machine, b.base, bytes)]).toEqual([bytes, Math.max(bytes, 1) <= limit]);
      expect(isSmall(b.machine, b.base, 0xffff_ffff)).toBe(false);
    }
  });

  it("of 0 makes each block a chunk, also of 0 bytes", () => {
    const b = new Bench({ memory: new ArrayBuffer(1 << 21), smallLimit: 0 });
    b.heap.malloc(1 << 20);
    for (let bytes = 0; bytes <= at.SMALL_MAX; bytes++)
      expect(slabOfPtr(b, malloc(b.machine, b.base, bytes))).toBe(0);
    expect(slabCount(b)).toBe(0);
    b.heap.check();
  });

  it("lowered, lists the current slabs that have room, forgets full ones and gives back unused ones", () => {
    const b = roomy();
    // Class 7: some room. Class 8: full. Class 9: unused. Class 2: below the limit.
    const seventh = b.heap.malloc(112);
    const eighth = [b.heap.malloc(128)];
    const full = slabOfPtr(b, eighth[0] as number);
    while (!isFull(b.machine, full)) eighth.push(b.heap.malloc(128));
    b.heap.free(b.heap.malloc(144));
    const second = b.heap.malloc(32);
    setSmallLimit(b.machine, b.base, 96);
    b.heap.check();
    expect([7, 8, 9].map((sizeClass) => current(b, sizeClass))).toEqual([0, 0, 0]);
    expect(listed(b, 7)).toEqual([slabOfPtr(b, seventh)]);
    expect([listed(b, 8), stateWord(b, 8, at.CLASS_SLABS)]).toEqual([[], 1]);
    expect([listed(b, 9), stateWord(b, 9, at.CLASS_SLABS)]).toEqual([[], 0]);
    expect(current(b, 2)).toBe(slabOfPtr(b, second));
    // Each is given back with its last block.
    b.heap.free(seventh);
    for (const ptr of eighth) b.heap.free(ptr);
    expect(slabCount(b)).toBe(1);
    b.heap.check();
  });

  it("raised again, lets the listed slabs serve before new ones", () => {
    const b = roomy();
    const kept = b.heap.malloc(100);
    leaveClasses(b.machine, b.base, 1);
    expect(listed(b, 7)).toEqual([slabOfPtr(b, kept)]);
    b.heap.check();
    expect(b.heap.malloc(100)).toBe(kept + 112);
    expect(listed(b, 7)).toEqual([]);
    expect(slabCount(b)).toBe(1);
    b.heap.check();
  });
});
