import { describe, expect, it } from "vitest";
import { asBase, asPtr, type Base } from "../../src/kernel/address.ts";
import { checkCommon } from "../../src/kernel/check-common.ts";
import { DOUBLE_FREE } from "../../src/kernel/codes.ts";
import { firstUnit, formatCommon, joinHeap, leaveHeap, openCommon } from "../../src/kernel/common.ts";
import { walk } from "../../src/kernel/describe.ts";
import { usableSize } from "../../src/kernel/family.ts";
import * as at from "../../src/kernel/layout.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { mapBytes, mapStart } from "../../src/kernel/units.ts";
import { COMMON, Crew, refusalOf } from "./crew.ts";

const UNIT = at.SLAB_UNIT;
const PAGE = at.MEMORY_UNIT;

const numberOf = (crew: Crew, heap: number): number => crew.word(heap - at.THREAD);
const freeUnits = (crew: Crew): number => crew.word(COMMON + at.AT_FREE_UNITS);
const heapsOf = (crew: Crew): number[] => {
  const heaps: number[] = [];
  for (let heap = crew.word(COMMON + at.AT_FIRST_HEAP); heap !== 0; heap = crew.word(heap - at.NEXT_HEAP))
    heaps.push(heap);
  return heaps;
};

/** Pieces of all heaps in a state. */
function piecesIn(crew: Crew, wanted: string): number[] {
  const ptrs: number[] = [];
  walk(crew.m, COMMON, ({ state, ptr }) => {
    if (state === wanted) ptrs.push(ptr);
  });
  return ptrs;
}

describe("where the first unit of a thread lies", () => {
  it("is behind common's header and a word of the map for each unit up to the last there can be", () => {
    for (const common of [16, 4096, 65_536, 65_552, 1 << 24]) {
      for (const most of [common + 8192, common + PAGE, common + 4097 * UNIT, 2 ** 31]) {
        const first = firstUnit(asBase(common), most);
        const units = Math.floor((most - 1) / UNIT) - Math.floor(common / UNIT) + 1;
        const mapEnd = mapStart(asBase(common)) + units * 4;
        expect(first % UNIT).toBe(0);
        expect(first).toBeGreaterThanOrEqual(mapEnd);
        expect(first - mapEnd).toBeLessThan(UNIT);
      }
    }
  });
});

describe("a heap that threads share, as it begins", () => {
  const begun = (): Crew => new Crew({ bytes: 1 << 18, threads: 0 });

  it("has a header as any heap, of a version of its own, and no thread's heap yet", () => {
    const crew = begun();
    const words = [at.AT_MAGIC, at.AT_VERSION, at.AT_SELF, at.AT_COMMON, at.AT_FIRST_HEAP, at.AT_THREADS];
    expect(words.map((offset) => crew.word(COMMON + offset))).toEqual([
      at.MAGIC,
      at.SHARED_VERSION,
      COMMON,
      COMMON,
      0,
      0,
    ]);
    crew.check();
  });

  it("has all whole units behind the map free, and of the footprint what is common", () => {
    const crew = begun();
    const first = firstUnit(COMMON, 1 << 18);
    const limit = crew.word(COMMON + at.AT_LIMIT);
    expect([limit, freeUnits(crew)]).toEqual([1 << 18, ((1 << 18) - first) / UNIT]);
    expect(crew.word(COMMON + at.AT_FRESH)).toBe(first);
    for (const offset of [at.AT_FOOTPRINT, at.AT_MAX_FOOTPRINT])
      expect(crew.word(COMMON + offset)).toBe(mapStart(COMMON) - COMMON + mapBytes(limit - COMMON));
  });

  it("writes over what was there, but not over what is known to be zero, and not behind the map", () => {
    const crew = begun();
    const first = firstUnit(COMMON, 1 << 18);
    crew.m.u8.fill(0x55);
    formatCommon(crew.m, COMMON, 1 << 18, 1 << 18, 1 << 18, at.FIXED_MEMORY, UNIT);
    openCommon(crew.m, COMMON);
    expect(crew.m.u8.subarray(first).every((byte) => byte === 0x55)).toBe(true);
    crew.check();
    crew.m.u8.fill(0);
    crew.poke(COMMON + 252, 7);
    formatCommon(crew.m, COMMON, 1 << 18, 1 << 18, COMMON, at.FIXED_MEMORY, UNIT);
    openCommon(crew.m, COMMON);
    expect(crew.word(COMMON + 252)).toBe(7);
  });

  it("leaves what is no whole unit at its end alone", () => {
    const crew = new Crew({ bytes: (1 << 18) + 1000, threads: 1 });
    expect(crew.word(COMMON + at.AT_LIMIT)).toBe(1 << 18);
    while (crew.malloc(crew.heaps[0] as Base, 1000) !== 0);
    crew.check();
    expect(crew.m.u8.subarray(1 << 18).every((byte) => byte === 0)).toBe(true);
  });

  it("may begin anywhere", () => {
    for (const base of [16, 4080, 4096, 70_000 & ~15]) {
      const { m } = new Crew({ bytes: 1 << 18, threads: 0 });
      m.u8.fill(0);
      const common = asBase(base);
      formatCommon(m, common, 1 << 18, 1 << 18, common, at.FIXED_MEMORY, UNIT);
      openCommon(m, common);
      expect(joinHeap(m, common)).toBe(firstUnit(common, 1 << 18) + at.PLACE_BYTES);
      expect(joinHeap(m, common)).not.toBe(0);
      checkCommon(m, common);
    }
  });
});

describe("a thread that comes", () => {
  it("gets a heap of its own in units of its own, first in the list, and the next number", () => {
    const crew = new Crew({ threads: 3 });
    const [a, b, c] = crew.heaps as [Base, Base, Base];
    expect(heapsOf(crew)).toEqual([c, b, a]);
    expect([a, b, c].map((heap) => numberOf(crew, heap))).toEqual([1, 2, 3]);
    for (const heap of [a, b, c]) {
      expect(heap % UNIT).toBe(at.PLACE_BYTES);
      expect(crew.unit(heap)).toBe((heap | at.OF_CHUNKS) >>> 0);
      expect(crew.word(heap + at.AT_LIMIT)).toBe(heap - at.PLACE_BYTES + PAGE);
      expect(crew.word(heap + at.AT_MAGIC)).toBe(at.THREAD_MAGIC);
    }
    crew.check();
  });

  it("has the settings of what is common", () => {
    const crew = new Crew({ threads: 0 });
    const settings = [
      [at.AT_SMALL_LIMIT, 128],
      [at.AT_TRIM_THRESHOLD, 70_000],
      [at.AT_ADVANCE_LOG2, 3],
      [at.AT_GROWTH_STEP, 8192],
      [at.AT_FLAGS, at.ZERO_REALLOC_FREES],
    ] as const;
    for (const [offset, value] of settings) crew.poke(COMMON + offset, value);
    const heap = crew.join();
    for (const [offset, value] of settings) expect(crew.word(heap + offset)).toBe(value);
    crew.check();
  });

  it("gets two units where memory never grows", () => {
    const crew = new Crew({ bytes: 1 << 18, threads: 1 });
    const [heap] = crew.heaps as [Base];
    expect(crew.word(heap + at.AT_LIMIT)).toBe(heap - at.PLACE_BYTES + 2 * UNIT);
    crew.check();
  });

  it("makes the memory grow, if nothing is free", () => {
    const crew = new Crew({ pages: 2, most: 8, threads: 1 });
    const size = crew.m.size();
    const heap = crew.join();
    expect(heap).toBe(size + at.PLACE_BYTES);
    expect(crew.m.size()).toBe(size + PAGE);
    crew.check();
  });

  it("is in the list even if another comes at the same moment", () => {
    const crew = new Crew({ threads: 1 });
    const { machine } = crew;
    const compareExchange = machine.compareExchange.bind(machine);
    let other = 0;
    machine.compareExchange = (address, expected, value) => {
      if (address === COMMON + at.AT_FIRST_HEAP) {
        machine.compareExchange = compareExchange;
        other = crew.join();
      }
      return compareExchange(address, expected, value);
    };
    const heap = crew.join();
    expect(heapsOf(crew)).toEqual([heap, other, crew.heaps[0]]);
    expect(new Set(heapsOf(crew).map((each) => numberOf(crew, each)))).toEqual(new Set([1, 2, 3]));
    crew.check();
  });
});

describe("a thread for which there is no memory", () => {
  it("gets no heap, and all is as it was", () => {
    const crew = new Crew({ bytes: firstUnit(COMMON, 24 * 1024) + 4 * UNIT, threads: 2 });
    const [a, b] = crew.heaps as [Base, Base];
    expect([a, b].every((heap) => heap !== 0)).toBe(true);
    expect(freeUnits(crew)).toBe(0);
    const footprint = crew.word(COMMON + at.AT_FOOTPRINT);
    expect(crew.join()).toBe(0);
    expect([crew.word(COMMON + at.AT_FOOTPRINT), freeUnits(crew)]).toEqual([footprint, 0]);
    crew.check();
    // The next one goes on where one has left.
    leaveHeap(crew.m, a);
    expect(crew.join()).toBe(a);
    crew.check();
  });

  it("gets none in a memory that has reached its maximum", () => {
    const crew = new Crew({ pages: 2, most: 3, threads: 1 });
    expect(crew.join()).not.toBe(0);
    expect(crew.join()).toBe(0);
    crew.check();
  });

  it("gets none if the footprint limit forbids it, and gives its units back", () => {
    const crew = new Crew({ threads: 1 });
    const footprint = crew.word(COMMON + at.AT_FOOTPRINT);
    const free = freeUnits(crew);
    crew.poke(COMMON + at.AT_FOOTPRINT_LIMIT, footprint + at.MIN_THREAD - 16);
    expect(crew.join()).toBe(0);
    expect([crew.word(COMMON + at.AT_FOOTPRINT), freeUnits(crew)]).toEqual([footprint, free]);
    crew.check();
    crew.poke(COMMON + at.AT_FOOTPRINT_LIMIT, footprint + at.MIN_THREAD);
    expect(crew.join()).not.toBe(0);
    crew.check();
  });
});

describe("a small region", () => {
  const least = firstUnit(COMMON, 12_288) + 2 * UNIT;

  it("of the least size has room for one thread, and for its blocks", () => {
    expect(least).toBe(12_288);
    const crew = new Crew({ bytes: least, threads: 1 });
    const [heap] = crew.heaps as [Base];
    expect(heap).toBe(UNIT + at.PLACE_BYTES);
    expect(crew.join()).toBe(0);
    const ptrs: number[] = [];
    for (let ptr = crew.malloc(heap, 60); ptr !== 0; ptr = crew.malloc(heap, 60)) ptrs.push(ptr);
    expect(ptrs.length).toBeGreaterThan(15);
    crew.check();
    for (const ptr of ptrs) crew.free(heap, ptr);
    crew.check();
    expect(crew.malloc(heap, ptrs.length * 60)).not.toBe(0);
    crew.check();
  });

  it("is shared fairly: what one thread gives back another has", () => {
    const crew = new Crew({ bytes: 1 << 16 });
    const [a, b] = crew.heaps as [Base, Base];
    for (const [one, other] of [
      [a, b],
      [b, a],
      [a, b],
    ] as const) {
      const ptrs: number[] = [];
      for (let ptr = crew.malloc(one, 1500); ptr !== 0; ptr = crew.malloc(one, 1500)) ptrs.push(ptr);
      expect(ptrs.length).toBeGreaterThan(20);
      expect(crew.malloc(other, 20_000)).toBe(0);
      crew.check();
      for (const ptr of ptrs) crew.free(other, ptr);
      leaveHeap(crew.m, one);
      crew.check();
      const got = crew.malloc(other, 20_000);
      expect(got).not.toBe(0);
      crew.free(other, got);
      leaveHeap(crew.m, other);
      expect([crew.join(), crew.join()].sort()).toEqual([a, b].sort());
      crew.check();
    }
  });
});

describe("a thread that leaves", () => {
  it("leaves its blocks, which any other may use and free", () => {
    const crew = new Crew();
    const [a, b] = crew.heaps as [Base, Base];
    const ptrs = [50, 100, 100, 1000, 20_000].map((bytes) => crew.malloc(a, bytes));
    for (const ptr of ptrs) crew.poke(ptr, ptr);
    leaveHeap(crew.m, a);
    expect(numberOf(crew, a)).toBe(at.NO_THREAD);
    crew.check();
    for (const ptr of ptrs) {
      expect(crew.word(ptr)).toBe(ptr);
      expect(usableSize(crew.m, b, asPtr(ptr))).toBeGreaterThanOrEqual(50);
      crew.free(b, ptr);
      expect(refusalOf(() => crew.free(b, ptr))).toEqual([DOUBLE_FREE, ptr]);
    }
    crew.check();
    expect(piecesIn(crew, "live")).toEqual([]);
  });

  it("takes back first what others have freed, and gives back what it kept for itself", () => {
    const crew = new Crew({ bytes: 1 << 20 });
    const [a, b] = crew.heaps as [Base, Base];
    const ptrs = Array.from({ length: 2000 }, (_, index) => crew.malloc(a, 20 + (index % 20) * 30));
    expect(ptrs.includes(0)).toBe(false);
    for (const ptr of ptrs) crew.free(b, ptr);
    const free = freeUnits(crew);
    leaveHeap(crew.m, a);
    crew.check();
    expect(freeUnits(crew)).toBeGreaterThan(free + 100);
    expect(
      [a - at.MAIL_SLABS, a - at.MAIL_CHUNKS, a + at.AT_SLAB_COUNT].map((word) => crew.word(word)),
    ).toEqual([0, 0, 0]);
    expect([...piecesIn(crew, "live"), ...piecesIn(crew, "cached")]).toEqual([]);
  });

  it("is followed by the next that comes, with the next number, in its heap", () => {
    const crew = new Crew({ threads: 3 });
    const [a, b, c] = crew.heaps as [Base, Base, Base];
    leaveHeap(crew.m, b);
    leaveHeap(crew.m, a);
    const [next, after, last] = [crew.join(), crew.join(), crew.join()];
    expect([next, after]).toEqual([b, a]);
    expect([b, a, c, last].map((heap) => numberOf(crew, heap))).toEqual([4, 5, 3, 6]);
    expect(heapsOf(crew)).toEqual([last, c, b, a]);
    crew.check();
  });

  it("has a follower who goes on with what lives there, as with its own", () => {
    const crew = new Crew();
    const [a, b] = crew.heaps as [Base, Base];
    const [small, large] = [crew.malloc(a, 100), crew.malloc(a, 5000)];
    const [other, guard] = [crew.malloc(a, 100), crew.malloc(a, 100)];
    leaveHeap(crew.m, a);
    crew.free(b, small);
    crew.free(b, large);
    crew.check();
    const follower = crew.join();
    expect(follower).toBe(a);
    expect(slabOf(crew.m, follower, other)).toBe(slabOf(crew.m, follower, guard));
    crew.free(follower, other);
    for (const ptr of [small, large, other])
      expect(refusalOf(() => crew.free(follower, ptr))).toEqual([DOUBLE_FREE, ptr]);
    expect(crew.malloc(follower, 5000)).toBe(large);
    crew.check();
    crew.free(b, guard);
    leaveHeap(crew.m, follower);
    crew.check();
    expect(piecesIn(crew, "live")).toEqual([large]);
  });

  it("is followed by one only, if two come at once", () => {
    const crew = new Crew({ threads: 1 });
    const [a] = crew.heaps as [Base];
    leaveHeap(crew.m, a);
    const { machine } = crew;
    const compareExchange = machine.compareExchange.bind(machine);
    let other = 0;
    machine.compareExchange = (address, expected, value) => {
      machine.compareExchange = compareExchange;
      other = crew.join();
      return compareExchange(address, expected, value);
    };
    const heap = crew.join();
    expect(other).toBe(a);
    expect(heap).not.toBe(a);
    expect([numberOf(crew, heap), numberOf(crew, a)]).toEqual([2, 3]);
    crew.check();
  });
});

describe("threads that come and go", () => {
  it("leave a heap that is sound, and all memory that has no live block", () => {
    const crew = new Crew({ bytes: 1 << 19, threads: 4 });
    const had = freeUnits(crew);
    const live: number[] = [];
    for (let call = 0; call < 6000; call++) {
      const heap = crew.heaps[(call * 7) % 4] as Base;
      const ptr = crew.malloc(heap, 1 + ((call * 37) % 900) + (call % 50 === 0 ? 5000 : 0));
      if (ptr !== 0) live.push(ptr);
      if (live.length > 300 || ptr === 0) {
        const [gone] = live.splice((call * 13) % live.length, 1) as [number];
        crew.free(crew.heaps[(call * 11) % 4] as Base, gone);
      }
      if (call % 500 === 499) {
        leaveHeap(crew.m, crew.heaps[(call / 500) & 3] as Base);
        crew.heaps[(call / 500) & 3] = crew.join();
        crew.check();
      }
    }
    for (const ptr of live) crew.free(crew.heaps[1] as Base, ptr);
    for (let round = 0; round < 2; round++) for (const heap of crew.heaps) leaveHeap(crew.m, heap);
    crew.check();
    expect(piecesIn(crew, "live")).toEqual([]);
    // Those that others' segments lie behind keep what they had before.
    expect(freeUnits(crew)).toBeLessThanOrEqual(had);
    expect(new Set(crew.heaps).size).toBe(4);
  });
});
