import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../../test/support/random.ts";
import { asPtr, chunkOf } from "../../src/kernel/address.ts";
import { sizeOf } from "../../src/kernel/chunk.ts";
import * as at from "../../src/kernel/layout.ts";
import { extentOf, firstBlock } from "../../src/kernel/slab.ts";
import { mapOf, mapUnits, reachMap, slabAt, slabOf } from "../../src/kernel/slab-map.ts";
import { Bench, large } from "./broken.ts";

const UNIT = at.SLAB_UNIT;

/** Room for many slabs. */
function roomy(base = 16): Bench {
  return new Bench({ memory: new ArrayBuffer(1 << 22), base });
}

const atUnit = (b: Bench, address: number): number => slabAt(b.machine, b.base, address);
const inSlab = (b: Bench, address: number): number => slabOf(b.machine, b.base, address);

/** All entries of the map, as the image has them. */
function entries(b: Bench): number[] {
  const map = mapOf(b.machine, b.base);
  if (map === 0) return [];
  const count = Math.ceil((b.word(b.base + at.AT_MAPPED) + (b.base % UNIT)) / UNIT);
  return Array.from({ length: count }, (_, index) => b.word(map + index * 4));
}

/** All slabs, as the map knows them. */
const slabsOf = (b: Bench): number[] => [...new Set(entries(b))].filter((slab) => slab !== 0);

describe("a heap without slabs", () => {
  it("has no map, and no slab at any address", () => {
    const b = new Bench();
    b.heap.malloc(300);
    expect(mapOf(b.machine, b.base)).toBe(0);
    expect([b.word(b.base + at.AT_MAP), b.word(b.base + at.AT_MAPPED)]).toEqual([0, 0]);
    for (const address of [0, 16, b.base, b.base + 3000, 0x7fff_fff0, 0x8000_0000, 0xffff_fff0])
      expect([atUnit(b, address), inSlab(b, address)]).toEqual([0, 0]);
  });

  it("again, has none: the map goes with the last slab, not before, and leaves no chunk", () => {
    const b = roomy();
    const ptrs = [16, 100, 256].map((bytes) => b.heap.malloc(bytes));
    for (const ptr of ptrs) {
      expect(mapOf(b.machine, b.base)).not.toBe(0);
      b.heap.free(ptr);
      b.heap.trim();
      b.heap.check();
    }
    expect(mapOf(b.machine, b.base)).toBe(0);
    expect([b.word(b.base + at.AT_MAP), b.word(b.base + at.AT_MAPPED)]).toEqual([0, 0]);
    expect(b.heap.mallinfo().ordblks).toBe(1);
    // And it comes again.
    expect(inSlab(b, b.heap.malloc(100))).not.toBe(0);
    b.heap.check();
  });
});

describe.each([16, 4096, 4096 * 3 + 16 * 5, 8192 - 16])("the map of a heap at %i", (base) => {
  it("leads from every address of a slab's blocks to its descriptor", () => {
    const b = roomy(base);
    for (let block = 0; block < 200; block++) b.heap.malloc(100);
    const slabs = slabsOf(b);
    expect(slabs.length).toBeGreaterThan(3);
    for (const slab of slabs) {
      const first: number = firstBlock(b.machine, slab);
      const end = first + extentOf(b.machine, slab);
      for (let address = first; address < end; address += 4) expect(inSlab(b, address)).toBe(slab);
      expect([inSlab(b, first - 1), inSlab(b, end)]).not.toContain(slab);
    }
  });

  it("has an entry for each unit, from the one that base lies in", () => {
    const b = roomy(base);
    const ptr = b.heap.malloc(100);
    const slab = inSlab(b, ptr);
    const unit = Math.floor(ptr / UNIT) - Math.floor(base / UNIT);
    expect(entries(b)[unit]).toBe(slab);
    expect(entries(b).filter((entry) => entry !== 0)).toEqual([slab]);
    // The last mapped byte is the last of a unit.
    expect((base + b.word(base + at.AT_MAPPED)) % UNIT).toBe(0);
    expect(atUnit(b, base + b.word(base + at.AT_MAPPED))).toBe(0);
  });
});

describe("the map", () => {
  it("grows when a slab lies behind what it covers: the old entries are copied, its chunk is freed", () => {
    const b = roomy();
    const small = Array.from({ length: 200 }, () => b.heap.malloc(100));
    const [oldMap, oldEntries] = [mapOf(b.machine, b.base), entries(b)];
    const oldMapped = b.word(b.base + at.AT_MAPPED);
    b.heap.malloc(oldMapped + 100_000);
    // A class that has no slab yet, and no hole that one could lie in.
    const far = Array.from({ length: 200 }, () => b.heap.malloc(256));
    expect(far.some((ptr) => ptr - b.base > oldMapped)).toBe(true);
    const map = mapOf(b.machine, b.base);
    expect(map).not.toBe(oldMap);
    expect(b.word(b.base + at.AT_MAPPED)).toBeGreaterThan(oldMapped);
    for (const [unit, slab] of oldEntries.entries()) if (slab !== 0) expect(entries(b)[unit]).toBe(slab);
    // Each slab and its descriptor, and one map: the old one is none of the heap's own any more.
    const overhead: number[] = [];
    b.heap.inspectAll((piece) => {
      if (piece.state === "overhead") overhead.push(piece.ptr);
    });
    expect(overhead).toHaveLength(2 * slabsOf(b).length + 1);
    expect(overhead).toContain(map);
    for (const ptr of [...small, ...far]) expect(inSlab(b, ptr)).not.toBe(0);
    b.heap.check();
    for (const ptr of [...small, ...far]) b.heap.free(ptr);
    b.heap.check();
  });

  it("grows by half of what is needed and a little more, so that it seldom does", () => {
    const b = roomy();
    let maps = 0;
    let last = 0;
    while (b.heap.malloc(256) !== 0) {
      const map = mapOf(b.machine, b.base);
      if (map !== last) {
        maps += 1;
        const units = (b.heap.footprint + b.base) / UNIT;
        expect(entries(b).length).toBeGreaterThanOrEqual(Math.min(29, units));
      }
      last = map;
    }
    expect(b.heap.footprint).toBeGreaterThan(4_000_000);
    // 31, about 75, 140, 240, 390, 610, 940, 1440 units.
    expect(maps).toBeLessThanOrEqual(8);
    expect(maps).toBeGreaterThan(2);
    b.heap.check();
  });

  it("uses all of its chunk", () => {
    const b = roomy();
    b.heap.malloc(100);
    const map = mapOf(b.machine, b.base);
    expect(entries(b)).toHaveLength((sizeOf(b.machine, chunkOf(map)) - 4) / 4);
  });

  it("that cannot grow stays as it was, and so does the heap", () => {
    const b = new Bench();
    const ptr = b.heap.malloc(100);
    const before = Buffer.from(new Uint8Array(b.heap.buffer));
    expect(reachMap(b.machine, b.base, at.ADDRESS_END)).toBe(false);
    expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
    const mappedEnd = b.base + b.word(b.base + at.AT_MAPPED);
    for (const end of [ptr + 112, mappedEnd])
      expect(reachMap(b.machine, b.base, end), "what is covered needs nothing").toBe(true);
    expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
    b.heap.check();
  });

  it("is told of each unit that a slab has a byte in, and of no other", () => {
    const b = roomy();
    b.heap.malloc(100);
    const [from, to] = [b.base + 20 * UNIT - 16 + 100, b.base + 23 * UNIT - 16];
    const units = () => entries(b).flatMap((slab, unit) => (slab === 4711 ? [unit] : []));
    mapUnits(b.machine, b.base, from, to, 4711);
    expect(units()).toEqual([20, 21, 22]);
    mapUnits(b.machine, b.base, from, to + 1, 4711);
    expect(units()).toEqual([20, 21, 22, 23]);
    mapUnits(b.machine, b.base, from, to + 1, 0);
    expect(units()).toEqual([]);
    b.heap.check();
  });
});

describe("a unit", () => {
  it("has no two slabs, of whatever classes, also when slabs come and go", () => {
    const b = large();
    const next = randomFrom(7);
    const live: number[] = [];
    for (let round = 0; round < 6000; round++) {
      // Waves: most is freed now and then, so that slabs end and their places become holes.
      const shrinks = round % 2000 > 1500;
      if (live.length > 0 && next(10) < (shrinks ? 9 : 3))
        b.heap.free(live.splice(next(live.length), 1)[0] as number);
      else live.push(b.heap.malloc(next(20) === 0 ? 500 + next(6000) : next(at.SMALL_MAX + 1)));
      if (round % 100 === 0) expectApart(b);
    }
    expectApart(b);
    b.heap.check();
  });

  function expectApart(b: Bench): void {
    const owner = new Map<number, number>();
    for (const slab of slabsOf(b)) {
      const first = firstBlock(b.machine, slab);
      const end = first + extentOf(b.machine, slab);
      for (let unit = Math.floor(first / UNIT); unit * UNIT < end; unit++) {
        expect(owner.get(unit), `a second slab in unit ${unit}`).toBeUndefined();
        owner.set(unit, slab);
        expect(atUnit(b, Math.max(unit * UNIT, b.base))).toBe(slab);
      }
    }
  }

  it("has a slab's blocks and chunks beside them, which are told from each other", () => {
    const b = new Bench();
    const before = b.heap.malloc(300);
    const block = b.heap.malloc(100);
    const slab = inSlab(b, block);
    expect(Math.floor(before / UNIT)).toBe(Math.floor(block / UNIT));
    // The unit has a slab; the chunk before it, and the slab's own descriptor, do not lie in that.
    expect([atUnit(b, before), inSlab(b, before)]).toEqual([slab, 0]);
    expect([atUnit(b, slab), inSlab(b, slab)]).toEqual([slab, 0]);
    expect(b.heap.usableSize(before)).toBe(300);
    expect(() => b.heap.free(before + 16)).toThrow(/; its header word is .*\(not-a-block\)$/);
    expect(() => b.heap.free(block + 16)).toThrow(
      /; it lies in a slab of blocks of 112 bytes .*\(not-a-block\)$/,
    );
    expect(b.heap.realloc(before, 310)).not.toBe(0);
    b.heap.free(before === inSlab(b, before) ? 0 : block);
    b.heap.check();
  });

  it("keeps its chunks when its slab ends", () => {
    const b = new Bench();
    const before = b.heap.malloc(300);
    const block = b.heap.malloc(100);
    b.heap.free(block);
    b.heap.trim();
    expect(atUnit(b, before)).toBe(0);
    expect(b.heap.usableSize(before)).toBe(300);
    b.heap.free(before);
    expect(b.heap.mallinfo().ordblks).toBe(1);
  });
});

describe("an address", () => {
  it("below the heap, behind what is mapped or beyond all memory lies in no slab", () => {
    const b = roomy(8192);
    b.heap.malloc(100);
    const mappedEnd = b.base + b.word(b.base + at.AT_MAPPED);
    for (const address of [
      0,
      16,
      4096,
      8191,
      mappedEnd,
      mappedEnd + UNIT,
      1 << 22,
      0x8000_0000,
      0xffff_fff0,
    ]) {
      expect([address, atUnit(b, address), inSlab(b, asPtr(address))]).toEqual([address, 0, 0]);
    }
  });
});

describe("the map of a heap at the end of all memory", () => {
  it("maps nothing beyond the last address that a heap can have, though its chunk has room for more", () => {
    const { buffer } = new WebAssembly.Memory({ initial: 65_535 });
    const base = 0xfffe_0000;
    const b = new Bench({ memory: { buffer, grow: () => 0, untouched: base }, base });
    const ptr = b.heap.malloc(100);
    expect(inSlab(b, ptr)).not.toBe(0);
    expect(b.word(base + at.AT_MAPPED)).toBe(at.ADDRESS_END - base);
    expect(inSlab(b, at.ADDRESS_END - 16)).toBe(0);
    b.heap.check();
  });
});
