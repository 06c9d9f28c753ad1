import { describe, expect, it } from "vitest";
import { asChunk, asPtr, chunkOf, NO_CHUNK, ptrOf } from "../../src/kernel/address.ts";
import { sizeOf } from "../../src/kernel/chunk.ts";
import { classState } from "../../src/kernel/classes.ts";
import { free } from "../../src/kernel/free.ts";
import * as at from "../../src/kernel/layout.ts";
import { takeChunk } from "../../src/kernel/malloc.ts";
import { blockCountOf, firstBlock, isFull } from "../../src/kernel/slab.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { blocksIn, hasRoom, takeRoom } from "../../src/kernel/slab-room.ts";
import { Bench, large } from "./broken.ts";

const UNIT = at.SLAB_UNIT;
const CLASSES = Array.from({ length: at.CLASS_COUNT }, (_, index) => index + 1);

/** Room for many slabs. */
function roomy(): Bench {
  return new Bench({ memory: new ArrayBuffer(1 << 22) });
}

const slabOfPtr = (b: Bench, ptr: number): number => slabOf(b.machine, b.base, ptr);

/** Begins so many slabs of a class and fills them: their descriptors. */
function begun(b: Bench, sizeClass: number, count: number): number[] {
  const slabs: number[] = [];
  while (slabs.length < count) {
    const slab = slabOfPtr(b, b.heap.malloc(sizeClass * 16));
    expect(slab, "the class has slabs").not.toBe(0);
    while (!isFull(b.machine, slab)) b.heap.malloc(sizeClass * 16);
    slabs.push(slab);
  }
  return slabs;
}

/** How many bytes the next slab of a class that has so many should have, if its blocks are neither too large nor too many. */
function wantedAfter(slabs: number): number {
  const first = [1024, 2048, 4096, 8192][slabs];
  if (first !== undefined) return first;
  return slabs < 8 ? 8192 : slabs < 32 ? 16_384 : 32_768;
}

/** Where a slab's chunk begins, its size, and where the payload of what follows begins. */
function placeOf(b: Bench, slab: number): { chunk: number; size: number; past: number } {
  const chunk = chunkOf(firstBlock(b.machine, slab));
  const size = sizeOf(b.machine, chunk);
  return { chunk, size, past: chunk + size + 4 };
}

/** Free chunks of so many bytes each, between live ones; their addresses. */
function holes(b: Bench, ...sizes: number[]): number[] {
  const chunks = sizes.map((size) => {
    const chunk = takeChunk(b.machine, b.base, size, false);
    takeChunk(b.machine, b.base, 304, false);
    return chunk;
  });
  for (const chunk of chunks) b.heap.free(ptrOf(chunk));
  for (const [index, chunk] of chunks.entries())
    expect(b.word(chunk)).toBe((sizes[index] as number) | at.PREVIOUS_IN_USE);
  return chunks;
}

/** One of them. */
const hole = (b: Bench, size: number): number => holes(b, size)[0] as number;

/** Makes top begin so many bytes after a unit does, so that what is made next lies in a unit of its own. */
function alignTop(b: Bench, offset: number): void {
  const top = b.word(b.base + at.AT_TOP);
  // The payload of the next chunk but one lies at the offset.
  let bytes = (offset - 4 - top) & (UNIT - 1);
  if (bytes < 512) bytes += UNIT;
  b.heap.malloc(bytes - 4);
  expect((b.word(b.base + at.AT_TOP) + 4) % UNIT).toBe(offset);
}

describe("a slab cut from top", () => {
  it.each(CLASSES)("of class %i ends where a unit does, so that the next can follow at once", (sizeClass) => {
    const b = large();
    for (const slab of begun(b, sizeClass, 8)) {
      const { past, size } = placeOf(b, slab);
      expect(past % UNIT).toBe(0);
      expect(size).toBeGreaterThanOrEqual(at.MIN_SLAB);
      expect(size).toBeLessThanOrEqual(at.MAX_SLAB + UNIT);
    }
    b.heap.check();
  });

  it("leaves nothing free behind it but top: what was taken more than it needs is given back", () => {
    for (const sizeClass of CLASSES) {
      const b = large();
      begun(b, sizeClass, 1);
      expect(b.heap.mallinfo().ordblks).toBe(1);
    }
  });

  it("begins in a unit of its own when one of another class lies where top begins", () => {
    const b = roomy();
    const first = slabOfPtr(b, b.heap.malloc(100));
    alignTop(b, 1024);
    const second = slabOfPtr(b, b.heap.malloc(32));
    expect(Math.floor(placeOf(b, second).chunk / UNIT)).toBeGreaterThan(
      Math.floor((placeOf(b, first).past - 1) / UNIT),
    );
    b.heap.check();
  });

  it.each(CLASSES)(
    "of class %i is shorter as the first of its class, and longer from the third on",
    (sizeClass) => {
      const b = large();
      const sizes = begun(b, sizeClass, 6).map((slab) => placeOf(b, slab).size);
      const most = Math.min(at.MAX_SLAB, sizeClass * 16 * at.MAX_BLOCKS);
      const [first = 0, second = 0, ...later] = sizes;
      expect(first).toBeLessThanOrEqual(Math.max(2 * at.MIN_SLAB, 8 * 16 * sizeClass + UNIT));
      expect(first).toBeLessThan(most);
      expect(second).toBeLessThan(most);
      for (const size of later) expect(size).toBeGreaterThan(Math.max(first, second));
    },
  );

  it.each(CLASSES)(
    "of class %i is as long as the number of slabs before it says: up to 8 KiB, 16 KiB after 8, 32 KiB after 32",
    (sizeClass) => {
      const b = large();
      const sizes = begun(b, sizeClass, 35).map((slab) => placeOf(b, slab).size);
      const least = Math.max(at.MIN_SLAB, sizeClass * 16 * at.MIN_BLOCKS);
      const most = Math.min(at.MAX_SLAB, sizeClass * 16 * at.MAX_BLOCKS);
      for (const [before, size] of sizes.entries()) {
        const wanted = Math.min(Math.max(wantedAfter(before), least), most);
        // It ends with the last unit that it may reach into.
        expect([before, size]).toEqual([
          before,
          expect.toSatisfy((it) => it > Math.min(wanted, most - UNIT)),
        ]);
        expect(size).toBeLessThanOrEqual(Math.min(wanted + UNIT, most + at.GRANULE));
      }
    },
  );

  it("of at most the 128th part of what the heap may have, whatever its class has", () => {
    const b = new Bench({ memory: new ArrayBuffer(1 << 21) });
    const sizes = begun(b, 12, 40).map((slab) => placeOf(b, slab).size);
    expect(Math.max(...sizes)).toBeLessThanOrEqual((1 << 21) / 128);
    expect(sizes.at(-1)).toBeGreaterThan((1 << 21) / 128 - UNIT);
    b.heap.check();
  });

  it("is short again when its class has lost its slabs", () => {
    const b = roomy();
    const first = placeOf(b, begun(b, 7, 1)[0] as number).size;
    const b2 = roomy();
    begun(b2, 7, 5);
    const live: number[] = [];
    b2.heap.inspectAll((piece) => {
      if (piece.state === "live") live.push(piece.ptr);
    });
    b2.heap.bulkFree(live);
    expect(b2.word(classState(b2.machine, b2.base, 7) + at.CLASS_SLABS)).toBe(0);
    expect(placeOf(b2, begun(b2, 7, 1)[0] as number).size).toBe(first);
  });
});

/**
 * A heap with a slab of class 16, and so with a map, and with a free chunk for the descriptor of the next slab, which would
 * else be cut from a hole. Top begins in a unit without a slab.
 */
function withMap(b = roomy()): Bench {
  b.heap.malloc(256);
  hole(b, 64);
  return b;
}

describe("a hole", () => {
  // The first slab of class 7 wants 1024 bytes, and takes up to half as much more.
  it.each([1040, 1200, 1520, 1536])("of %i bytes, about a slab's size, is taken whole", (size) => {
    const b = withMap();
    const chunk = hole(b, size);
    const slab = slabOfPtr(b, b.heap.malloc(100));
    expect(placeOf(b, slab)).toMatchObject({ chunk, size });
    expect(blockCountOf(b.machine, slab)).toBe(Math.floor((size - 4) / 112));
    b.heap.check();
  });

  it.each([
    [1008, "too small"],
    [1552, "too large"],
    [6000, "much too large"],
  ])("of %i bytes is left alone: %s", (size) => {
    const b = withMap();
    const chunk = hole(b, size);
    const slab = slabOfPtr(b, b.heap.malloc(100));
    expect(placeOf(b, slab).chunk).toBeGreaterThan(chunk + size);
    expect(b.word(chunk)).toBe(size | at.PREVIOUS_IN_USE);
    b.heap.check();
  });

  it("of the size that a later slab wants is taken by it, and not by a first one", () => {
    const b = withMap();
    begun(b, 7, 4);
    alignTop(b, 16);
    holes(b, 64, 64);
    alignTop(b, 16);
    const chunk = hole(b, 8000);
    const first = slabOfPtr(b, b.heap.malloc(32));
    expect(placeOf(b, first).chunk).not.toBe(chunk);
    const later = slabOfPtr(b, b.heap.malloc(100));
    expect(placeOf(b, later)).toMatchObject({ chunk, size: 8000 });
    b.heap.check();
  });

  it("of nearly half as much more than a later slab wants is taken whole", () => {
    const b = withMap();
    begun(b, 7, 4);
    alignTop(b, 16);
    hole(b, 64);
    alignTop(b, 16);
    const chunk = hole(b, 12_000);
    const slab = slabOfPtr(b, b.heap.malloc(100));
    expect(placeOf(b, slab)).toMatchObject({ chunk, size: 12_000 });
    b.heap.check();
  });

  it("that is longer than a slab may be is cut where a unit ends, and what is over stays free", () => {
    // No slab has more than 8 KiB here.
    const b = withMap(new Bench({ memory: new ArrayBuffer(1 << 20) }));
    begun(b, 7, 4);
    alignTop(b, 16);
    hole(b, 64);
    alignTop(b, 16);
    const chunk = hole(b, 9600);
    const slab = slabOfPtr(b, b.heap.malloc(100));
    expect(placeOf(b, slab)).toMatchObject({ chunk, size: 2 * UNIT - 16 });
    expect(b.word(chunk + 2 * UNIT - 16)).toBe((9600 - 2 * UNIT + 16) | at.PREVIOUS_IN_USE);
    b.heap.check();
  });

  it("in a unit that has a slab already is passed over", () => {
    const b = withMap();
    alignTop(b, 256);
    holes(b, 64, 64);
    const [one = 0, two = 0] = holes(b, 1040, 1200);
    expect(Math.floor(one / UNIT)).toBe(Math.floor((two + 1200) / UNIT));
    // The smaller one is found first.
    const second = slabOfPtr(b, b.heap.malloc(32));
    expect(placeOf(b, second)).toMatchObject({ chunk: one, size: 1040 });
    const third = slabOfPtr(b, b.heap.malloc(48));
    expect(placeOf(b, third).chunk).toBeGreaterThan(two + 1200);
    expect(b.word(two)).toBe(1200 | at.PREVIOUS_IN_USE);
    b.heap.check();
  });

  it("that begins in a slab's unit and goes on is used from the next unit on; what is before stays free", () => {
    const b = withMap();
    alignTop(b, 256);
    holes(b, 64, 64);
    const one = hole(b, 1040);
    const slab = slabOfPtr(b, b.heap.malloc(32));
    expect(placeOf(b, slab).chunk).toBe(one);
    alignTop(b, UNIT - 208);
    // 208 bytes of a unit that a slab lies in, then 1040 of the next.
    expect(Math.floor(b.word(b.base + at.AT_TOP) / UNIT)).toBe(Math.floor(one / UNIT));
    const two = hole(b, 208 + 1040);
    const next = slabOfPtr(b, b.heap.malloc(48));
    expect(placeOf(b, next)).toMatchObject({ chunk: two + 208, size: 1040 });
    expect(b.word(two)).toBe(208 | at.PREVIOUS_IN_USE);
    b.heap.check();
  });

  it("that ends in a slab's unit is used up to where that begins", () => {
    const b = withMap();
    // A unit with a slab in its upper half; then a hole from the unit before it up to that.
    alignTop(b, UNIT - 1488 + 16);
    const low = b.heap.malloc(1536 - 4);
    b.heap.malloc(300);
    holes(b, 64, 64);
    const upper = hole(b, 1040);
    const slab = slabOfPtr(b, b.heap.malloc(32));
    expect(placeOf(b, slab).chunk).toBe(upper);
    b.heap.free(low);
    expect(Math.floor((low + 1500) / UNIT)).toBe(Math.floor(upper / UNIT));
    const next = slabOfPtr(b, b.heap.malloc(48));
    expect(placeOf(b, next).chunk).toBe(low - 4);
    expect(placeOf(b, next).past % UNIT).toBe(0);
    b.heap.check();
  });
});

describe("a place", () => {
  it("is the heap's own, so that nobody can free it", () => {
    const b = roomy();
    const place = takeRoom(b.machine, b.base, 7, 0);
    expect(b.word(place) & (at.OWN | at.IN_USE)).toBe(at.OWN | at.IN_USE);
    expect(() => free(b.machine, b.base, asPtr(place + 4))).toThrow();
  });

  it("is longer the more slabs a class has, up to 32 times as long", () => {
    const b = large();
    const counts = [0, 1, 2, 3, 4, 7, 8, 31, 32, 100, 1_000_000];
    const sizes = counts.map((slabs) => sizeOf(b.machine, takeRoom(b.machine, b.base, 8, slabs)));
    expect(sizes.slice(1).every((size, index) => size >= (sizes[index] as number) - UNIT)).toBe(true);
    for (const [index, slabs] of counts.entries()) {
      expect(sizes[index]).toBeGreaterThan(wantedAfter(slabs) - UNIT);
      expect(sizes[index]).toBeLessThanOrEqual(wantedAfter(slabs) + UNIT);
    }
    expect(wantedAfter(32)).toBe(at.MAX_SLAB);
  });

  it.each(CLASSES)(
    "has room for at least eight blocks of class %i, and for no more than there are bits",
    (sizeClass) => {
      const b = roomy();
      for (const slabs of [0, 1, 2, 3, 4, 8, 32]) {
        const blocks = blocksIn(b.machine, takeRoom(b.machine, b.base, sizeClass, slabs), sizeClass * 16);
        expect(blocks).toBeGreaterThanOrEqual(at.MIN_BLOCKS);
        expect(blocks).toBeLessThanOrEqual(at.MAX_BLOCKS);
      }
    },
  );

  it("has as many blocks as fit behind its header, and 288 at most", () => {
    const b = roomy();
    const chunk = asChunk(b.heap.malloc(6000) - 4);
    const size = sizeOf(b.machine, chunk);
    expect(blocksIn(b.machine, chunk, 112)).toBe(Math.floor((size - 4) / 112));
    expect(blocksIn(b.machine, chunk, 16)).toBe(at.MAX_BLOCKS);
  });

  it("is none when there is no memory, and nothing has changed", () => {
    const b = new Bench({ size: 8192 });
    const before = Buffer.from(new Uint8Array(b.heap.buffer));
    expect(takeRoom(b.machine, b.base, 16, 3)).toBe(NO_CHUNK);
    expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
    b.heap.check();
  });
});

describe("room for slabs", () => {
  const NARROW = CLASSES.filter((sizeClass) => sizeClass * 16 <= at.NARROW_MAX);
  const WIDE = CLASSES.filter((sizeClass) => sizeClass * 16 > at.NARROW_MAX);
  const roomIn = (b: Bench, sizeClass: number): boolean => hasRoom(b.machine, b.base, sizeClass);

  it("is in a heap of any size that may become large, for classes of up to 256 bytes", () => {
    const b = roomy();
    b.poke(b.base + at.AT_FOOTPRINT, 4096);
    expect(CLASSES.filter((sizeClass) => roomIn(b, sizeClass))).toEqual(NARROW);
  });

  it.each(WIDE)("is for the wide class %i from 256 times its shortest slab on", (sizeClass) => {
    const b = roomy();
    const enough = sizeClass * 16 * at.MIN_BLOCKS * 256;
    b.poke(b.base + at.AT_FOOTPRINT, enough - 1);
    expect(roomIn(b, sizeClass)).toBe(false);
    b.poke(b.base + at.AT_FOOTPRINT, enough);
    expect(roomIn(b, sizeClass)).toBe(true);
    // And, as for any class, only where a slab of it is at most the 128th part of what the heap may have.
    b.heap.footprintLimit = sizeClass * 16 * at.MIN_BLOCKS * 128 - 1;
    expect(roomIn(b, sizeClass)).toBe(false);
  });

  it("is for the narrowest wide class from 544 KiB on, and for all from 992 KiB on", () => {
    const b = roomy();
    const first = (bytes: number): number | undefined => {
      b.poke(b.base + at.AT_FOOTPRINT, bytes);
      return WIDE.find((sizeClass) => !roomIn(b, sizeClass));
    };
    expect([first(544 * 1024 - 1), first(544 * 1024), first(992 * 1024 - 1), first(992 * 1024)]).toEqual([
      17,
      18,
      31,
      undefined,
    ]);
  });
});
