import { describe, expect, it } from "vitest";
import { asBase, type Base } from "../../src/kernel/address.ts";
import { firstUnit } from "../../src/kernel/common.ts";
import { calloc, trim } from "../../src/kernel/family.ts";
import * as at from "../../src/kernel/layout.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import {
  addCommonFootprint,
  commonAllowance,
  commonOf,
  freshFrom,
  giveUnits,
  isMapped,
  leastTaken,
  mapBytes,
  mapStart,
  ownerAt,
  ownerIn,
  slabIn,
  takeUnits,
  unitAt,
  unitEntry,
  wholeOf,
} from "../../src/kernel/units.ts";
import { COMMON, Crew } from "./crew.ts";

const UNIT = at.SLAB_UNIT;
const PAGE = at.MEMORY_UNIT;
const NOBODY = asBase(0);
const BYTES = 1 << 18;

/** A heap in a memory that never grows, in which no thread has come. */
const fixed = (): Crew => new Crew({ bytes: BYTES, threads: 0 });
const first = (crew: Crew): number => firstUnit(COMMON, COMMON + crew.word(COMMON + at.AT_MAPPED));
const free = (crew: Crew): number => crew.word(COMMON + at.AT_FREE_UNITS);
const ownWord = (heap: number): number => (heap | at.OF_CHUNKS) >>> 0;

describe("the map's word for a unit", () => {
  it("lies behind common's header, one for each unit from common's own on", () => {
    const { m } = fixed();
    expect(unitEntry(m.words, COMMON, COMMON)).toBe(mapStart(COMMON));
    expect(unitEntry(m.words, COMMON, UNIT - 1)).toBe(mapStart(COMMON));
    expect(unitEntry(m.words, COMMON, UNIT)).toBe(mapStart(COMMON) + 4);
    expect(unitEntry(m.words, COMMON, BYTES - 1)).toBe(mapStart(COMMON) + (BYTES / UNIT - 1) * 4);
  });

  it("shares a line of the cache with those of its own 64 KiB only, wherever common lies", () => {
    for (const common of [16, 48, 64, 4096, 4112, 65_520, 65_536, 0x1234_5670]) {
      const start = mapStart(asBase(common));
      const entry = (address: number): number => start + ((address >>> 12) - (common >>> 12)) * 4;
      expect(start).toBeGreaterThanOrEqual(common + at.COMMON_BYTES);
      expect(start).toBeLessThan(common + at.COMMON_BYTES + at.CACHE_LINE);
      const page = Math.ceil(common / at.MEMORY_UNIT) * at.MEMORY_UNIT;
      expect(entry(page) % at.CACHE_LINE).toBe(0);
      expect(entry(page + at.MEMORY_UNIT - 1) - entry(page)).toBe(at.CACHE_LINE - 4);
    }
  });

  it("is 0 for what is not mapped, wherever that is", () => {
    const { m } = fixed();
    for (const address of [0, COMMON - 1, BYTES, 0xffff_fff0]) {
      expect(isMapped(m.words, COMMON, address)).toBe(false);
      expect(unitAt(m.words, COMMON, address)).toBe(0);
      expect(ownerAt(m.words, COMMON, address)).toBe(0);
    }
    for (const address of [COMMON, BYTES - 1]) expect(isMapped(m.words, COMMON, address)).toBe(true);
  });

  it("leads to a slab and its owner, to a heap, or to nobody", () => {
    const crew = new Crew();
    const [a, b] = crew.heaps as [Base, Base];
    const [block, chunk] = [crew.malloc(a, 100), crew.malloc(b, 1000)];
    const { words } = crew.m;
    const slab = slabOf(crew.m, a, block);
    for (const flags of [0, at.SLAB_FULL, at.SLAB_TOLD]) {
      expect(slabIn(slab | flags)).toBe(slab);
      expect(ownerIn(words, slab | flags)).toBe(a);
    }
    expect([crew.unit(block), crew.unit(chunk)]).toEqual([slab, ownWord(b)]);
    expect([slabIn(ownWord(b)), ownerIn(words, ownWord(b))]).toEqual([0, b]);
    for (const word of [0, at.FREE_UNIT]) expect([slabIn(word), ownerIn(words, word)]).toEqual([0, 0]);
    for (const asked of [COMMON, a, b])
      expect([ownerAt(words, asked, block), ownerAt(words, asked, chunk)]).toEqual([a, b]);
  });

  it("is a slab's again chunks' when the slab has ended", () => {
    const crew = new Crew();
    const [a] = crew.heaps as [Base];
    const block = crew.malloc(a, 100);
    crew.free(a, block);
    crew.malloc(a, 3000);
    crew.malloc(a, 3000);
    crew.malloc(a, 30_000);
    expect(slabOf(crew.m, a, block)).toBe(0);
    expect(crew.unit(block)).toBe(ownWord(a));
    crew.check();
  });
});

describe("what is common", () => {
  it("is found from common as from each thread's heap; a heap that is alone speaks for itself", () => {
    const { m, machine, heaps } = new Crew();
    for (const heap of [COMMON, ...heaps]) {
      expect(commonOf(m, heap)).toBe(COMMON);
      expect(wholeOf(m, heap)).toBe(COMMON);
    }
    machine.threads = false;
    expect(wholeOf(m, heaps[0] as Base)).toBe(heaps[0]);
  });

  it("has its map's words in whole granules", () => {
    expect([0, 1, UNIT, 4 * UNIT, 5 * UNIT, 1 << 30].map(mapBytes)).toEqual([0, 0, 16, 16, 32, 1 << 20]);
  });

  it("is taken in whole wasm pages, where memory grows, and in units where not", () => {
    expect(leastTaken(fixed().m, COMMON)).toBe(UNIT);
    const grows = new Crew({ threads: 0 });
    expect(leastTaken(grows.m, COMMON)).toBe(PAGE);
    grows.poke(COMMON + at.AT_FLAGS, at.FIXED_REGION);
    expect(leastTaken(grows.m, COMMON)).toBe(UNIT);
  });
});

describe("units that are free", () => {
  it("are taken from the lowest address on, and marked for the heap or the one that begins there", () => {
    const crew = fixed();
    const from = first(crew);
    const had = free(crew);
    expect(had).toBe((BYTES - from) / UNIT);
    expect(takeUnits(crew.m, COMMON, NOBODY, 2 * UNIT, from)).toBe(from);
    for (const unit of [from, from + UNIT]) expect(crew.unit(unit)).toBe(ownWord(from + at.PLACE_BYTES));
    const heap = asBase(from + at.PLACE_BYTES);
    expect(takeUnits(crew.m, COMMON, heap, 3 * UNIT, from)).toBe(from + 2 * UNIT);
    expect(crew.unit(from + 4 * UNIT)).toBe(ownWord(heap));
    expect(crew.unit(from + 5 * UNIT)).toBe(at.FREE_UNIT);
    expect(free(crew)).toBe(had - 5);
  });

  it("are taken in one piece, not below the address that is asked for", () => {
    const crew = fixed();
    const from = first(crew);
    const heap = asBase(from + at.PLACE_BYTES);
    for (const unit of [0, 3, 5]) crew.pokeUnit(from + unit * UNIT, ownWord(heap));
    crew.poke(COMMON + at.AT_FREE_UNITS, free(crew) - 3);
    expect(takeUnits(crew.m, COMMON, heap, UNIT, from + 4 * UNIT)).toBe(from + 4 * UNIT);
    expect(takeUnits(crew.m, COMMON, heap, 3 * UNIT, from)).toBe(from + 6 * UNIT);
    expect(takeUnits(crew.m, COMMON, heap, 2 * UNIT, from)).toBe(from + UNIT);
    expect(takeUnits(crew.m, COMMON, heap, UNIT, from)).toBe(from + 9 * UNIT);
  });

  it("are all taken at once, or none, if they are too few, or apart", () => {
    const crew = fixed();
    const from = first(crew);
    const had = free(crew);
    expect(takeUnits(crew.m, COMMON, NOBODY, (had + 1) * UNIT, from)).toBe(0);
    crew.pokeUnit(from + UNIT, ownWord(from + at.PLACE_BYTES));
    crew.poke(COMMON + at.AT_FREE_UNITS, had - 1);
    const before = crew.bytes();
    expect(takeUnits(crew.m, COMMON, NOBODY, (had - 1) * UNIT, from)).toBe(0);
    expect(Buffer.compare(crew.bytes(), before)).toBe(0);
    expect(takeUnits(crew.m, COMMON, NOBODY, (had - 2) * UNIT, from)).toBe(from + 2 * UNIT);
    expect(free(crew)).toBe(1);
  });

  it("are left to another thread that is faster, and others are taken", () => {
    const crew = fixed();
    const { machine } = crew;
    const from = first(crew);
    const had = free(crew);
    const other = asBase(from + 20 * UNIT + at.PLACE_BYTES);
    const compareExchange = machine.compareExchange.bind(machine);
    let claims = 0;
    machine.compareExchange = (address, expected, value) => {
      claims += 1;
      // Two of three have been claimed when the other thread takes the third.
      if (claims === 3) expect(takeUnits(crew.m, COMMON, other, UNIT, from + 2 * UNIT)).toBe(from + 2 * UNIT);
      return compareExchange(address, expected, value);
    };
    const heap = asBase(from + at.PLACE_BYTES);
    expect(takeUnits(crew.m, COMMON, heap, 3 * UNIT, from)).toBe(from + 3 * UNIT);
    const words = [0, 1, 2, 3, 4, 5, 6].map((unit) => crew.unit(from + unit * UNIT));
    const mine = ownWord(heap);
    expect(words).toEqual([at.FREE_UNIT, at.FREE_UNIT, ownWord(other), mine, mine, mine, at.FREE_UNIT]);
    expect(free(crew)).toBe(had - 4);
  });

  it("may be taken again when they are given back", () => {
    const crew = fixed();
    const from = first(crew);
    const had = free(crew);
    takeUnits(crew.m, COMMON, NOBODY, 4 * UNIT, from);
    giveUnits(crew.m, COMMON, from + UNIT, from + 3 * UNIT);
    expect(free(crew)).toBe(had - 2);
    expect(takeUnits(crew.m, COMMON, NOBODY, 2 * UNIT, from)).toBe(from + UNIT);
  });

  it("are not there in a memory that never grows when all are taken", () => {
    const crew = fixed();
    const from = first(crew);
    expect(takeUnits(crew.m, COMMON, NOBODY, free(crew) * UNIT, from)).toBe(from);
    expect([free(crew), takeUnits(crew.m, COMMON, NOBODY, UNIT, from)]).toEqual([0, 0]);
  });
});

describe("units that are new", () => {
  const grown = (most = 256): Crew => {
    const crew = new Crew({ pages: 1, most, threads: 0 });
    const from = first(crew);
    takeUnits(crew.m, COMMON, NOBODY, free(crew) * UNIT, from);
    expect(free(crew)).toBe(0);
    return crew;
  };
  const heap = asBase(2 * UNIT + at.PLACE_BYTES);

  it("are got from the memory, and raise the limit and what of the map counts", () => {
    const crew = grown();
    const footprint = crew.word(COMMON + at.AT_FOOTPRINT);
    expect(takeUnits(crew.m, COMMON, heap, 2 * PAGE, first(crew))).toBe(PAGE);
    expect(crew.m.size()).toBe(3 * PAGE);
    expect(crew.word(COMMON + at.AT_LIMIT)).toBe(3 * PAGE);
    for (const address of [PAGE, 3 * PAGE - 1]) expect(crew.unit(address)).toBe(ownWord(heap));
    expect(crew.unit(3 * PAGE)).toBe(0);
    const more = mapBytes(3 * PAGE - COMMON) - mapBytes(PAGE - COMMON);
    expect(more).toBeGreaterThan(0);
    for (const word of [at.AT_FOOTPRINT, at.AT_MAX_FOOTPRINT])
      expect(crew.word(COMMON + word)).toBe(footprint + more);
  });

  it("lie behind what others have got, whose units stay nobody's", () => {
    const crew = grown();
    expect(crew.m.grow(PAGE)).toBe(PAGE);
    expect(takeUnits(crew.m, COMMON, heap, PAGE, first(crew))).toBe(2 * PAGE);
    expect([crew.unit(PAGE), crew.unit(2 * PAGE)]).toEqual([0, ownWord(heap)]);
    expect(crew.word(COMMON + at.AT_LIMIT)).toBe(3 * PAGE);
    expect(takeUnits(crew.m, COMMON, heap, PAGE, first(crew))).toBe(3 * PAGE);
  });

  it("leave the limit alone that another thread has raised further meanwhile", () => {
    const crew = grown();
    const { machine } = crew;
    const grow = machine.grow.bind(machine);
    machine.grow = (bytes) => {
      machine.grow = grow;
      const from = grow(bytes);
      expect(takeUnits(crew.m, COMMON, heap, PAGE, 2 * UNIT)).toBe(2 * PAGE);
      return from;
    };
    const footprint = crew.word(COMMON + at.AT_FOOTPRINT);
    expect(takeUnits(crew.m, COMMON, heap, PAGE, 2 * UNIT)).toBe(PAGE);
    expect(crew.word(COMMON + at.AT_LIMIT)).toBe(3 * PAGE);
    const more = mapBytes(3 * PAGE - COMMON) - mapBytes(PAGE - COMMON);
    expect(crew.word(COMMON + at.AT_FOOTPRINT)).toBe(footprint + more);
  });

  /** The last units that there are become free: no page's worth of them. */
  const withRest = (units: number): Crew => {
    const crew = grown();
    giveUnits(crew.m, COMMON, PAGE - units * UNIT, PAGE);
    return crew;
  };

  it("begin where free units do that end with the memory", () => {
    const crew = withRest(3);
    expect(takeUnits(crew.m, COMMON, heap, PAGE, first(crew))).toBe(PAGE - 3 * UNIT);
    expect(crew.m.size()).toBe(2 * PAGE);
    for (const address of [PAGE - 3 * UNIT, 2 * PAGE - 4 * UNIT])
      expect(crew.unit(address)).toBe(ownWord(heap));
    expect(crew.unit(2 * PAGE - 3 * UNIT)).toBe(at.FREE_UNIT);
    expect(free(crew)).toBe(3);
    // The same again.
    expect(takeUnits(crew.m, COMMON, heap, PAGE, first(crew))).toBe(2 * PAGE - 3 * UNIT);
    expect(crew.m.size()).toBe(3 * PAGE);
  });

  it("let those be free when others get memory first, or when there is none", () => {
    const crew = withRest(3);
    const { machine } = crew;
    const grow = machine.grow.bind(machine);
    machine.grow = (bytes) => {
      machine.grow = grow;
      grow(PAGE);
      return grow(bytes);
    };
    expect(takeUnits(crew.m, COMMON, heap, PAGE, first(crew))).toBe(3 * PAGE);
    expect([crew.unit(PAGE - UNIT), crew.unit(PAGE), crew.unit(2 * PAGE)]).toEqual([
      at.FREE_UNIT,
      0,
      at.FREE_UNIT,
    ]);
    expect(free(crew)).toBe(3 + PAGE / UNIT);
    const full = new Crew({ threads: 0, pages: 1, most: 1 });
    const rest = free(full);
    expect(takeUnits(full.m, COMMON, heap, PAGE, first(full))).toBe(0);
    expect(free(full)).toBe(rest);
  });

  it("let those be for one that is to begin there: its place is where its units begin", () => {
    const crew = withRest(3);
    expect(takeUnits(crew.m, COMMON, NOBODY, PAGE, first(crew))).toBe(PAGE);
    expect(free(crew)).toBe(3);
  });

  it("are not got beyond what the map reaches, and none are got then", () => {
    const crew = grown(3);
    expect(takeUnits(crew.m, COMMON, heap, 3 * PAGE, 2 * UNIT)).toBe(0);
    expect(crew.m.size()).toBe(PAGE);
    expect(takeUnits(crew.m, COMMON, heap, 2 * PAGE, 2 * UNIT)).toBe(PAGE);
    expect(takeUnits(crew.m, COMMON, heap, PAGE, 2 * UNIT)).toBe(0);
  });

  it("are never got for a region of fixed size", () => {
    const crew = grown();
    crew.poke(COMMON + at.AT_FLAGS, at.FIXED_REGION);
    expect(takeUnits(crew.m, COMMON, heap, PAGE, 2 * UNIT)).toBe(0);
    expect(crew.m.size()).toBe(PAGE);
  });
});

describe("the fresh mark", () => {
  it("rises with what is taken, and tells from where on it was never written", () => {
    const crew = fixed();
    const from = crew.word(COMMON + at.AT_FRESH);
    expect(from).toBe(first(crew));
    expect(freshFrom(crew.m, COMMON, from, from + 2 * UNIT)).toBe(from);
    expect(crew.word(COMMON + at.AT_FRESH)).toBe(from + 2 * UNIT);
    // Half of it has been a thread's.
    expect(freshFrom(crew.m, COMMON, from + UNIT, from + 4 * UNIT)).toBe(from + 2 * UNIT);
    // All of it has.
    expect(freshFrom(crew.m, COMMON, from, from + 3 * UNIT)).toBe(from + 3 * UNIT);
    expect(crew.word(COMMON + at.AT_FRESH)).toBe(from + 4 * UNIT);
    // What lies between is not remembered.
    expect(freshFrom(crew.m, COMMON, from + 8 * UNIT, from + 9 * UNIT)).toBe(from + 8 * UNIT);
    expect(freshFrom(crew.m, COMMON, from + 5 * UNIT, from + 6 * UNIT)).toBe(from + 6 * UNIT);
  });

  it("keeps calloc from handing out what another thread has written", () => {
    const crew = new Crew({ bytes: BYTES });
    const [a, b] = crew.heaps as [Base, Base];
    const ptr = crew.malloc(a, 60_000);
    crew.m.u8.fill(0xff, ptr, ptr + 60_000);
    crew.free(a, ptr);
    trim(crew.m, a, 0);
    crew.check();
    const again = calloc(crew.m, b, 1, 70_000);
    expect(again).not.toBe(0);
    expect(crew.m.u8.subarray(again, again + 70_000).every((byte) => byte === 0)).toBe(true);
    crew.check();
  });
});

describe("the footprint of all threads", () => {
  const limited = (bytes: number): Crew => {
    const crew = new Crew({ pages: 32 });
    crew.poke(COMMON + at.AT_FOOTPRINT_LIMIT, crew.word(COMMON + at.AT_FOOTPRINT) + bytes);
    return crew;
  };

  it("is added to as far as the limit allows, in whole granules, and not by less than is needed", () => {
    const { m } = limited(1000);
    expect(commonAllowance(m, COMMON)).toBe(1000);
    expect(addCommonFootprint(m, COMMON, 1008, 1008)).toBe(0);
    expect(addCommonFootprint(m, COMMON, 992, 4096)).toBe(992);
    expect(commonAllowance(m, COMMON)).toBe(8);
    expect(addCommonFootprint(m, COMMON, 0, 4096)).toBe(0);
  });

  it("has a peak", () => {
    const crew = limited(1000);
    const before = crew.word(COMMON + at.AT_FOOTPRINT);
    addCommonFootprint(crew.m, COMMON, 16, 160);
    crew.m.addShared(COMMON + at.AT_FOOTPRINT, -160 >>> 0);
    addCommonFootprint(crew.m, COMMON, 16, 16);
    expect(crew.word(COMMON + at.AT_FOOTPRINT)).toBe(before + 16);
    expect(crew.word(COMMON + at.AT_MAX_FOOTPRINT)).toBe(before + 160);
  });

  it("allows nothing when a lower limit is set", () => {
    const crew = limited(0);
    crew.poke(COMMON + at.AT_FOOTPRINT_LIMIT, 100);
    expect(commonAllowance(crew.m, COMMON)).toBe(0);
    expect(addCommonFootprint(crew.m, COMMON, 16, 16)).toBe(0);
  });

  it("is counted once if another thread adds meanwhile", () => {
    const crew = limited(1000);
    const { machine } = crew;
    const before = crew.word(COMMON + at.AT_FOOTPRINT);
    const compareExchange = machine.compareExchange.bind(machine);
    machine.compareExchange = (address, expected, value) => {
      machine.compareExchange = compareExchange;
      expect(addCommonFootprint(crew.m, COMMON, 96, 96)).toBe(96);
      return compareExchange(address, expected, value);
    };
    expect(addCommonFootprint(crew.m, COMMON, 512, 4096)).toBe(896);
    expect(crew.word(COMMON + at.AT_FOOTPRINT)).toBe(before + 992);
  });

  it.each([0, 64])(
    "keeps to a limit that is lowered by another thread just before it is added to: %i",
    (left) => {
      const crew = limited(1000);
      const { machine } = crew;
      const before = crew.word(COMMON + at.AT_FOOTPRINT);
      const compareExchange = machine.compareExchange.bind(machine);
      machine.compareExchange = (address, expected, value) => {
        machine.compareExchange = compareExchange;
        crew.poke(COMMON + at.AT_FOOTPRINT_LIMIT, before + left);
        return compareExchange(address, expected, value);
      };
      expect(addCommonFootprint(crew.m, COMMON, 16, 4096)).toBe(left);
      expect(crew.word(COMMON + at.AT_FOOTPRINT)).toBe(before + left);
      expect(crew.word(COMMON + at.AT_MAX_FOOTPRINT)).toBe(before + left);
    },
  );

  it("is one limit for all of them: what one has taken, another cannot", () => {
    const crew = limited(40_960);
    const [a, b] = crew.heaps as [Base, Base];
    const ptr = crew.malloc(a, 40_000);
    expect(ptr).not.toBe(0);
    expect(crew.malloc(b, 20_000)).toBe(0);
    crew.check();
    crew.free(a, ptr);
    trim(crew.m, a, 0);
    expect(crew.malloc(b, 20_000)).not.toBe(0);
    expect(crew.malloc(a, 30_000)).toBe(0);
    crew.check();
  });

  it("is the sum of theirs, and of what is common", () => {
    const crew = new Crew({ pages: 4, threads: 3 });
    for (let round = 0; round < 60; round++) {
      for (const heap of crew.heaps) crew.malloc(heap, 100 + round * 150);
      const own = crew.heaps.reduce((sum, heap) => sum + crew.word(heap + at.AT_FOOTPRINT), 0);
      const common = mapStart(COMMON) - COMMON + mapBytes(crew.word(COMMON + at.AT_LIMIT) - COMMON);
      expect(crew.word(COMMON + at.AT_FOOTPRINT)).toBe(own + common);
    }
    crew.check();
  });
});

describe("what a thread's heap gives back when it is trimmed", () => {
  it("are the whole units behind its end, for any thread to take", () => {
    const crew = new Crew({ bytes: 1 << 20 });
    const [a, b] = crew.heaps as [Base, Base];
    const had = free(crew);
    const ptr = crew.malloc(a, 500_000);
    expect(free(crew)).toBeLessThan(had - 120);
    expect(crew.malloc(b, 600_000)).toBe(0);
    crew.free(a, ptr);
    expect(trim(crew.m, a, 0)).toBe(true);
    crew.check();
    expect(crew.word(a + at.AT_LIMIT) - crew.word(a + at.AT_END)).toBeLessThan(UNIT);
    expect(crew.malloc(b, 600_000)).not.toBe(0);
    crew.check();
  });

  it("is where another thread's segment may begin, and its own next one behind that", () => {
    const crew = new Crew({ bytes: 1 << 20 });
    const [a, b] = crew.heaps as [Base, Base];
    crew.free(a, crew.malloc(a, 100_000));
    trim(crew.m, a, 0);
    const limit = crew.word(a + at.AT_LIMIT);
    const others = crew.malloc(b, 100_000);
    expect(others).toBeGreaterThan(limit);
    const own = crew.malloc(a, 100_000);
    expect(own).toBeGreaterThan(others);
    expect(crew.word(a + at.AT_SEGMENT)).toBeGreaterThan(others);
    crew.check();
    for (const [heap, ptr] of [
      [b, own],
      [a, others],
    ] as const)
      crew.free(heap, ptr);
    crew.check();
  });
});
