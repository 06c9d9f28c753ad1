import { describe, expect, it } from "vitest";
import { asChunk, asPtr, chunkOf, NO_CHUNK, ptrOf } from "../../src/kernel/address.ts";
import { sizeOf } from "../../src/kernel/chunk.ts";
import { free } from "../../src/kernel/free.ts";
import * as at from "../../src/kernel/layout.ts";
import { takeChunk } from "../../src/kernel/malloc.ts";
import { blockCountOf, firstBlock, isFull } from "../../src/kernel/slab.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { blocksIn, takeRoom } from "../../src/kernel/slab-room.ts";
import { classState } from "../../src/kernel/slabs.ts";
import { Bench } from "./broken.ts";

const UNIT = at.SLAB_UNIT;
const CLASSES = Array.from({ length: at.CLASS_COUNT }, (_, index) => index + 1);

/** Room for many slabs. */
function roomy(): Bench {
  return new Bench({ memory: new ArrayBuffer(1 << 22) });
}

const slabOfPtr = (b: Bench, ptr: number): number => slabOf(b.machine.words, b.base, ptr);

/** Begins so many slabs of a class and fills them: their descriptors. */
function begun(b: Bench, sizeClass: number, count: number): number[] {
  const slabs: number[] = [];
  while (slabs.length < count) {
    const slab = slabOfPtr(b, b.heap.malloc(sizeClass * 16));
    while (!isFull(b.machine, slab)) b.heap.malloc(sizeClass * 16);
    slabs.push(slab);
  }
  return slabs;
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
    const b = roomy();
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
      const b = roomy();
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
      const b = roomy();
      const sizes = begun(b, sizeClass, 6).map((slab) => placeOf(b, slab).size);
      const most = Math.min(at.MAX_SLAB, sizeClass * 16 * at.MAX_BLOCKS);
      const [first = 0, second = 0, ...later] = sizes;
      expect(first).toBeLessThanOrEqual(Math.max(2 * at.MIN_SLAB, 8 * 16 * sizeClass + UNIT));
      expect(first).toBeLessThan(most);
      expect(second).toBeLessThan(most);
      for (const size of later) {
        expect(size).toBeGreaterThan(Math.max(first, second));
        // It ends with the last unit that it may reach into.
        expect(size).toBeGreaterThan(most - UNIT);
      }
    },
  );

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
    expect(b2.word(classState(b2.base, 7) + at.CLASS_SLABS)).toBe(0);
    expect(placeOf(b2, begun(b2, 7, 1)[0] as number).size).toBe(first);
  });
});

/**
 * A heap with a slab of class 16, and so with a map, and with a free chunk for the descriptor of the next slab, which would
 * else be cut from a hole. Top begins in a unit without a slab.
 */
function withMap(): Bench {
  const b = roomy();
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

  it("that is longer than a slab may be is cut where a unit ends, and what is over stays free", () => {
    const b = withMap();
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

  it("is longer the more slabs a class has, up to the eightfold", () => {
    const b = roomy();
    const sizes = [0, 1, 2, 3, 4, 100].map((slabs) =>
      sizeOf(b.machine, takeRoom(b.machine, b.base, 7, slabs)),
    );
    expect(sizes.slice(1).every((size, index) => size >= (sizes[index] as number) - UNIT)).toBe(true);
    expect(sizes[5]).toBeLessThanOrEqual(at.MAX_SLAB + UNIT);
    expect(sizes[3]).toBeGreaterThan(at.MAX_SLAB - UNIT);
  });

  it.each(CLASSES)(
    "has room for at least eight blocks of class %i, and for no more than there are bits",
    (sizeClass) => {
      const b = roomy();
      for (let slabs = 0; slabs < 5; slabs++) {
        const blocks = blocksIn(b.machine, takeRoom(b.machine, b.base, sizeClass, slabs), sizeClass * 16);
        expect(blocks).toBeGreaterThanOrEqual(at.MIN_BLOCKS);
        expect(blocks).toBeLessThanOrEqual(at.MAX_BLOCKS);
      }
    },
  );

  it("has as many blocks as fit behind its header, and 320 at most", () => {
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
