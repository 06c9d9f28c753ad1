import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../../test/support/random.ts";
import { asBase, type Base } from "../../src/kernel/address.ts";
import { beforeBin } from "../../src/kernel/bins.ts";
import { checkCommon } from "../../src/kernel/check-common.ts";
import * as code from "../../src/kernel/codes.ts";
import { firstUnit, leaveHeap } from "../../src/kernel/common.ts";
import { breach, describeAddress, describeImage, evidence, walk } from "../../src/kernel/describe.ts";
import type { ChunkInfo } from "../../src/kernel/engine.ts";
import * as at from "../../src/kernel/layout.ts";
import { Machine } from "../../src/kernel/machine.ts";
import { blockCountOf, extentOf, firstBlock, fullWord } from "../../src/kernel/slab.ts";
import { slabOf } from "../../src/kernel/slab-map.ts";
import { mapStart } from "../../src/kernel/units.ts";
import { pieceState } from "../../src/kernel/walk.ts";
import { Refused } from "./broken.ts";
import { COMMON, Crew, refusalOf } from "./crew.ts";

const CLASS_7 = at.AT_CLASSES + 7 * 32;
/** A class that has no slab. */
const CLASS_3 = at.AT_CLASSES + 3 * 32;
const UNIT = at.SLAB_UNIT;
/** Where the chunks of 1008 bytes have their bin. */
const BIN_1008 = at.AT_BINS + 47 * 4;

/**
 * Two threads' heaps with all that others can do to a heap. Of size class 7, a has a slab that is full, two that are full and
 * TOLD, one that is listed, and the current one; b has freed in all but the first. Then chunks of a's: live, free, and two that
 * b has freed. a and b have two segments each, one behind the other's.
 */
function specimen() {
  const crew = new Crew({ pages: 32 });
  const [a, b] = crew.heaps as [Base, Base];
  const slabs: number[] = [];
  const blocks: number[] = [];
  while (slabs.length < 5) {
    blocks.push(crew.malloc(a, 100));
    const slab = slabOf(crew.m, a, blocks.at(-1) as number);
    if (slabs.at(-1) !== slab) slabs.push(slab);
  }
  blocks.push(crew.malloc(a, 100));
  const [full, told, told2, listed, current] = slabs as [number, number, number, number, number];
  const blocksOf = (slab: number) => blocks.filter((ptr) => slabOf(crew.m, a, ptr) === slab);
  const blockOf = (slab: number, index: number) => blocksOf(slab)[index] as number;
  const small = crew.malloc(b, 100);
  const [live, free, freed, guard, freed2] = [1000, 1000, 1000, 300, 1000].map((bytes) =>
    crew.malloc(a, bytes),
  ) as [number, number, number, number, number];
  const guard2 = crew.malloc(a, 300);
  // What lies before the first of three may be free.
  crew.malloc(b, 1000);
  const bFree = crew.malloc(b, 1000);
  const bLive = crew.malloc(b, 1000);
  const [bLarge, aLarge] = [crew.malloc(b, 100_000), crew.malloc(a, 200_000)];
  crew.free(a, free);
  crew.free(b, bFree);
  crew.free(a, blockOf(listed, 0));
  for (const slab of [told, told2, listed, current]) crew.free(b, blockOf(slab, 1));
  crew.free(b, freed);
  crew.free(b, freed2);
  crew.check();
  let freeUnit = firstUnit(COMMON, COMMON + crew.word(COMMON + at.AT_MAPPED));
  while (crew.unit(freeUnit) !== at.FREE_UNIT) freeUnit += UNIT;
  return {
    ...{ crew, a, b, full, told, told2, listed, current, live, free, freed, freed2, guard, guard2 },
    ...{ small, bFree, bLive, bLarge, aLarge, blocksOf, freeUnit },
  };
}

type Specimen = ReturnType<typeof specimen>;

const firstOf = (s: Specimen, slab: number): number => firstBlock(s.crew.m, slab);
const unitOf = (address: number): number => (address & ~(UNIT - 1)) >>> 0;
const limitOf = (s: Specimen): number => s.crew.word(COMMON + at.AT_LIMIT);
const firstPlace = (s: Specimen): number => firstUnit(COMMON, COMMON + s.crew.word(COMMON + at.AT_MAPPED));
const topOf = (s: Specimen, heap: number): number => s.crew.word(heap + at.AT_TOP);
/** A unit of the heap's that has chunks only. */
const chunksUnit = (s: Specimen): number => unitOf(s.aLarge) + 2 * UNIT;
const freeUnit = (s: Specimen): number => s.freeUnit;

type Break = (s: Specimen) => void;
type Where = (s: Specimen) => number;

const poke =
  (where: Where, change: (word: number, s: Specimen) => number): Break =>
  (s) =>
    s.crew.poke(where(s), change(s.crew.word(where(s)), s));
const pokeUnit =
  (where: Where, change: (word: number, s: Specimen) => number): Break =>
  (s) =>
    s.crew.pokeUnit(where(s), change(s.crew.unit(where(s)), s));
const all =
  (...breaks: readonly Break[]): Break =>
  (s) => {
    for (const each of breaks) each(s);
  };
const ofCommon =
  (offset: number): Where =>
  () =>
    COMMON + offset;
const ofA =
  (offset: number): Where =>
  (s) =>
    s.a + offset;
const ofB =
  (offset: number): Where =>
  (s) =>
    s.b + offset;
const common: Where = () => COMMON;
const heapA: Where = (s) => s.a;

type Slab = "full" | "told" | "told2" | "listed" | "current";
const slab =
  (name: Slab, offset = 0): Where =>
  (s) =>
    s[name] + offset;
const unitOfSlab =
  (name: Slab, units = 0): Where =>
  (s) =>
    unitOf(firstOf(s, s[name])) + units * UNIT;
const moreFree = (by: number): Break => poke(ofCommon(at.AT_FREE_UNITS), (word) => word + by);

type Case = readonly [invariant: string, how: string, broken: Break, where: Where];

const HEADERS: readonly Case[] = [
  ["H1", "the magic is gone", poke(ofCommon(at.AT_MAGIC), () => 0), common],
  ["H1", "the version is a heap's", poke(ofCommon(at.AT_VERSION), () => at.FORMAT_VERSION), common],
  ["H1", "its own address is another", poke(ofCommon(at.AT_SELF), (w) => w + 16), common],
  ["H1", "its own address for threads is another", poke(ofCommon(at.AT_COMMON), (w) => w + 16), common],
  ["H1", "an unknown flag is set", poke(ofCommon(at.AT_FLAGS), () => at.KNOWN_HEAP_FLAGS + 1), common],
  ["H1", "the growth step is zero", poke(ofCommon(at.AT_GROWTH_STEP), () => 0), common],
  ["H1", "the growth step is no power of two", poke(ofCommon(at.AT_GROWTH_STEP), () => 4100), common],
  ["H1", "the advance is no shift", poke(ofCommon(at.AT_ADVANCE_LOG2), () => 32), common],
  ["H1", "the map lies elsewhere", poke(ofCommon(at.AT_MAP), (w) => w + 4), common],
  ["H1", "nothing is mapped", poke(ofCommon(at.AT_MAPPED), () => 0), common],
  ["H1", "the map reaches beyond all addresses", poke(ofCommon(at.AT_MAPPED), () => 0xffff_ffff), common],
  ["H1", "the map leaves no room for threads", poke(ofCommon(at.AT_MAPPED), () => 0xfff0_0000), common],
  ["H1", "the limit is not between units", poke(ofCommon(at.AT_LIMIT), (w) => w + 16), common],
  ["H1", "the limit lies in the map", poke(ofCommon(at.AT_LIMIT), () => 4096), common],
  ["H1", "the limit lies beyond the memory", poke(ofCommon(at.AT_LIMIT), (w) => w + UNIT * 64), common],
  ["H1", "the limit lies beyond the map", poke(ofCommon(at.AT_MAPPED), () => 16 * UNIT), common],
  ["H1", "the fresh mark lies in the map", poke(ofCommon(at.AT_FRESH), () => 16), common],
  ["H1", "the first heap lies in the map", poke(ofCommon(at.AT_FIRST_HEAP), () => 128), common],
  [
    "H1",
    "the first heap lies beyond the memory",
    poke(ofCommon(at.AT_FIRST_HEAP), () => 0xffff_f080),
    common,
  ],
  ["H1", "the first heap is not in its place", poke(ofCommon(at.AT_FIRST_HEAP), (w) => w + 16), common],
  ["H1", "the second heap is not in its place", poke(ofB(-at.NEXT_HEAP), (w) => w + 16), ofB(-at.NEXT_HEAP)],
  [
    "H1",
    "the list of heaps runs in a circle",
    poke(ofA(-at.NEXT_HEAP), (_, s) => s.b),
    ofCommon(at.AT_FIRST_HEAP),
  ],
  ["H1", "a heap leads to itself", poke(ofB(-at.NEXT_HEAP), (_, s) => s.b), ofCommon(at.AT_FIRST_HEAP)],
  ["C1", "a thread's magic is a whole heap's", poke(ofA(at.AT_MAGIC), () => at.MAGIC), heapA],
  ["C1", "a thread's version is another", poke(ofA(at.AT_VERSION), () => at.SHARED_VERSION), heapA],
  ["C1", "a thread's own address is another", poke(ofA(at.AT_SELF), (w) => w + UNIT), heapA],
  ["C1", "a thread's common is another", poke(ofA(at.AT_COMMON), (w) => w + 16), heapA],
  ["C1", "a thread's map is another", poke(ofA(at.AT_MAP), (w) => w + 4), heapA],
  ["C1", "a thread's map is longer", poke(ofA(at.AT_MAPPED), (w) => w + UNIT), heapA],
  ["C1", "a thread has an unknown flag", poke(ofA(at.AT_FLAGS), () => 0x8000_0000), heapA],
  ["C1", "a thread's growth step is zero", poke(ofA(at.AT_GROWTH_STEP), () => 0), heapA],
  ["C1", "a thread's top is misaligned", poke(ofA(at.AT_TOP), (w) => w + 4), heapA],
  ["C1", "a thread's top lies below its segment", poke(ofA(at.AT_TOP), () => 12), heapA],
  ["C1", "a thread's top lies beyond its end", poke(ofA(at.AT_TOP), () => 0xffff_fffc), heapA],
  ["C1", "a thread's end lies beyond its limit", poke(ofA(at.AT_END), () => 0x8000_0000), heapA],
  ["C1", "a thread's limit is not between units", poke(ofA(at.AT_LIMIT), (w) => w + 16), heapA],
  ["C1", "a thread's limit lies beyond the common one", poke(ofA(at.AT_LIMIT), () => 0xffff_f000), heapA],
  ["C1", "a thread's last segment is misaligned", poke(ofA(at.AT_SEGMENT), (w) => w + 4), heapA],
  ["C1", "a thread's last segment lies in its header", poke(ofA(at.AT_SEGMENT), (_, s) => s.a + 16), heapA],
];

const UNITS: readonly Case[] = [
  ["U1", "a unit is another thread's", pokeUnit(chunksUnit, (_, s) => s.b | at.OF_CHUNKS), chunksUnit],
  ["U1", "a heap's unit is nobody's", pokeUnit(chunksUnit, () => 0), chunksUnit],
  [
    "U1",
    "a heap's unit is free",
    all(
      pokeUnit(chunksUnit, () => at.FREE_UNIT),
      moreFree(1),
    ),
    chunksUnit,
  ],
  [
    "U1",
    "a unit that is in none of a heap's segments is the heap's",
    all(
      pokeUnit(freeUnit, (_, s) => s.a | at.OF_CHUNKS),
      moreFree(-1),
    ),
    freeUnit,
  ],
  ["U1", "a unit is no heap's of the list", pokeUnit(chunksUnit, (w) => w + UNIT), chunksUnit],
  ["U1", "a unit's heap lies in the map", pokeUnit(chunksUnit, () => 128 | at.OF_CHUNKS), chunksUnit],
  ["U1", "a unit of chunks is FULL", pokeUnit(chunksUnit, (w) => w | at.SLAB_FULL), chunksUnit],
  ["U1", "a unit is free, and something else", pokeUnit(freeUnit, () => 0x11), freeUnit],
  [
    "U1",
    "a slab is FULL and TOLD",
    pokeUnit(unitOfSlab("full"), (w) => w | at.SLAB_TOLD),
    unitOfSlab("full"),
  ],
  ["U1", "a descriptor lies in the map", pokeUnit(unitOfSlab("full"), () => 128), unitOfSlab("full")],
  [
    "U1",
    "a descriptor ends beyond the memory",
    pokeUnit(unitOfSlab("full"), (_, s) => limitOf(s) - 16),
    unitOfSlab("full"),
  ],
  ["U1", "a slab's owner is no heap", poke(slab("full", at.SLAB_OWNER), () => 16), unitOfSlab("full")],
  [
    "U1",
    "the second unit of a slab is FULL",
    pokeUnit(unitOfSlab("current", 1), (w) => w | at.SLAB_FULL),
    unitOfSlab("current", 1),
  ],
  [
    "U1",
    "the unit behind a slab leads to it",
    (s) => s.crew.pokeUnit(behind(s, s.current), s.current),
    (s) => behind(s, s.current),
  ],
  [
    "U2",
    "a unit beyond the limit is free",
    (s) => s.crew.pokeUnit(limitOf(s), at.FREE_UNIT),
    (s) => limitOf(s),
  ],
  [
    "U2",
    "a unit beyond the limit is a heap's",
    (s) => s.crew.pokeUnit(limitOf(s) + UNIT, s.a | at.OF_CHUNKS),
    (s) => limitOf(s) + UNIT,
  ],
  ["U2", "a unit of the map is free", (s) => s.crew.pokeUnit(UNIT, at.FREE_UNIT), () => UNIT],
  ["U3", "the first fresh word has been written", (s) => s.crew.poke(freshOf(s), 1), (s) => freshOf(s)],
  [
    "U3",
    "the last fresh word has been written",
    (s) => s.crew.poke(limitOf(s) - 4, 1),
    (s) => limitOf(s) - 4,
  ],
  ["H2", "a free unit is not counted", moreFree(-1), ofCommon(at.AT_FREE_UNITS)],
  ["H2", "a free unit is counted that is none", moreFree(1), ofCommon(at.AT_FREE_UNITS)],
  [
    "H2",
    "the footprint is too large",
    all(
      poke(ofCommon(at.AT_FOOTPRINT), (w) => w + 16),
      poke(ofCommon(at.AT_MAX_FOOTPRINT), (w) => w + 16),
    ),
    ofCommon(at.AT_FOOTPRINT),
  ],
  [
    "H2",
    "the footprint is too small",
    poke(ofCommon(at.AT_FOOTPRINT), (w) => w - 16),
    ofCommon(at.AT_FOOTPRINT),
  ],
  [
    "H2",
    "the footprint is above its peak",
    poke(ofCommon(at.AT_MAX_FOOTPRINT), (_, s) => s.crew.word(COMMON + at.AT_FOOTPRINT) - 16),
    ofCommon(at.AT_MAX_FOOTPRINT),
  ],
];

const REMOTE: readonly Case[] = [
  [
    "R1",
    "a block is free in both rows",
    poke(slab("listed", at.SLAB_BITS), (w, s) => w | s.crew.word(s.listed + at.SLAB_REMOTE)),
    slab("listed", at.SLAB_REMOTE),
  ],
  [
    "R1",
    "another thread has freed a block that there is not",
    poke(slab("listed", at.SLAB_REMOTE + 32), () => 1),
    slab("listed", at.SLAB_REMOTE + 32),
  ],
  ["R2", "a full slab is not FULL", pokeUnit(unitOfSlab("full"), (w) => w & ~15), slab("full")],
  ["R2", "a listed slab is FULL", pokeUnit(unitOfSlab("listed"), (w) => w | at.SLAB_FULL), slab("listed")],
  ["R2", "a current slab is FULL", pokeUnit(unitOfSlab("current"), (w) => w | at.SLAB_FULL), slab("current")],
  [
    "R2",
    "another thread has freed in a full slab, and has not told",
    poke(slab("full", at.SLAB_REMOTE), () => 1),
    slab("full"),
  ],
  ["S2", "a slab that is FULL has room", poke(slab("full", at.SLAB_BITS), () => 1), slab("full")],
  ["S2", "a listed slab has no room", poke(slab("listed", at.SLAB_BITS), () => 0), slab("listed")],
  [
    "S2",
    "a current slab is listed",
    poke(slab("current", at.SLAB_SHAPE), (w) => w | at.SLAB_LISTED),
    slab("current"),
  ],
  ["S2", "an unused slab is listed, and not TOLD", (s) => empty(s, s.listed), slab("listed")],
  [
    "S2",
    "a thread's list has another thread's slab",
    all(
      poke(ofB(CLASS_3 + at.CLASS_HEAD), (_, s) => s.listed),
      poke(ofB(CLASS_3 + at.CLASS_TAIL), (_, s) => s.listed),
    ),
    slab("listed"),
  ],
  [
    "S1",
    "a class takes from another thread's slab",
    (s) => {
      for (const offset of [at.CLASS_SLAB, at.CLASS_BITS, at.CLASS_FIRST])
        s.crew.poke(s.b + CLASS_7 + offset, s.crew.word(s.a + CLASS_7 + offset));
    },
    ofB(CLASS_7),
  ],
  [
    "S4",
    "a descriptor is too short for a second row",
    (s) => {
      const head = s.crew.word(s.full - 4);
      s.crew.poke(s.full - 4, head - 32);
      s.crew.poke(s.full - 4 + (head & ~15) - 32, 32 | 3);
    },
    slab("full"),
  ],
  // P2, which has no code of its own. All else holds.
  [
    "S4",
    "a slab begins behind a chunk in its first unit",
    (s) => {
      const first = firstOf(s, s.full);
      const room = s.crew.word(first - 4);
      s.crew.poke(first - 4, 16 | at.IN_USE | (room & at.PREVIOUS_IN_USE));
      s.crew.poke(first + 12, (room - 16) | at.PREVIOUS_IN_USE);
      s.crew.poke(s.full + at.SLAB_FIRST, first + 16);
    },
    (s) => firstOf(s, s.full),
  ],
  [
    "S4",
    "a slab ends before a chunk in its last unit",
    (s) => {
      const first = firstOf(s, s.full);
      const room = s.crew.word(first - 4);
      s.crew.poke(first - 4, room - 16);
      s.crew.poke(first - 4 + (room & ~15) - 16, 16 | at.IN_USE | at.PREVIOUS_IN_USE);
    },
    (s) => firstOf(s, s.full),
  ],
  ["S5", "a slab is counted that is none", poke(ofA(at.AT_SLAB_COUNT), (w) => w + 1), ofA(at.AT_SLAB_COUNT)],
  ["B2", "a bin holds another thread's free chunk", swapBins, (s) => s.free - 4],
  ["R3", "the mail has lost its slabs", poke(ofA(-at.MAIL_SLABS), () => 0), ofA(-at.MAIL_SLABS)],
  [
    "R3",
    "the mail has lost its last slab",
    poke(slab("told2", at.SLAB_MAIL), () => 0),
    slab("told2", at.SLAB_MAIL),
  ],
  ["R3", "the mail is closed", poke(ofA(-at.MAIL_SLABS), () => at.CLOSED), ofA(-at.MAIL_SLABS)],
  [
    "R3",
    "the mail holds a slab that is not TOLD",
    poke(slab("told", at.SLAB_MAIL), (_, s) => s.listed),
    slab("told", at.SLAB_MAIL),
  ],
  [
    "R3",
    "the mail holds a TOLD slab in place of another",
    poke(slab("told2", at.SLAB_MAIL), (_, s) => s.listed),
    slab("told2", at.SLAB_MAIL),
  ],
  [
    "R3",
    "the mail runs in a circle",
    poke(slab("told", at.SLAB_MAIL), (_, s) => s.told2),
    slab("told", at.SLAB_MAIL),
  ],
  [
    "R3",
    "a slab stands in another thread's mail",
    all(
      poke(ofB(-at.MAIL_SLABS), (_, s) => s.told2),
      poke(ofA(-at.MAIL_SLABS), () => 0),
    ),
    ofB(-at.MAIL_SLABS),
  ],
  ["R3", "the mail leads to a chunk", poke(ofA(-at.MAIL_SLABS), (_, s) => s.live), ofA(-at.MAIL_SLABS)],
  [
    "R3",
    "the mail leads out of the memory",
    poke(ofA(-at.MAIL_SLABS), () => 0xffff_fff0),
    ofA(-at.MAIL_SLABS),
  ],
  ["R3", "the mail is misaligned", poke(ofA(-at.MAIL_SLABS), (w) => w + 4), ofA(-at.MAIL_SLABS)],
  ["R4", "the mail has lost its chunks", poke(ofA(-at.MAIL_CHUNKS), () => 0), ofA(-at.MAIL_CHUNKS)],
  [
    "R4",
    "the mail has lost its last chunk",
    poke(
      (s) => s.freed2,
      () => 0,
    ),
    (s) => s.freed2,
  ],
  [
    "R4",
    "a chunk in the mail has lost a mark",
    poke(
      (s) => s.freed2 + at.MAIL_MARK,
      () => 0,
    ),
    ofA(-at.MAIL_CHUNKS),
  ],
  [
    "R4",
    "a chunk in the mail has lost its other mark",
    poke(
      (s) => s.freed + at.MAIL_MARK_2,
      () => 0,
    ),
    (s) => s.freed2,
  ],
  [
    "R4",
    "the mail of chunks holds a live one",
    poke(
      (s) => s.freed2,
      (_, s) => s.live,
    ),
    (s) => s.freed2,
  ],
  [
    "R4",
    "the mail of chunks holds a free one",
    poke(
      (s) => s.freed2,
      (_, s) => s.free,
    ),
    (s) => s.freed2,
  ],
  [
    "R4",
    "the mail of chunks runs in a circle",
    poke(
      (s) => s.freed,
      (_, s) => s.freed2,
    ),
    (s) => s.freed,
  ],
  [
    "R4",
    "the mail of chunks leads out of the memory",
    poke(
      (s) => s.freed2,
      () => 0xffff_fff0,
    ),
    (s) => s.freed2,
  ],
  [
    "R4",
    "the mail of chunks is misaligned",
    poke(
      (s) => s.freed2,
      (_, s) => s.live + 4,
    ),
    (s) => s.freed2,
  ],
  [
    "R4",
    "a chunk stands in another thread's mail",
    all(
      poke(ofB(-at.MAIL_CHUNKS), (_, s) => s.freed2),
      poke(ofA(-at.MAIL_CHUNKS), () => 0),
    ),
    ofB(-at.MAIL_CHUNKS),
  ],
];

const AS_ONE: readonly Case[] = [
  [
    "C1",
    "a chunk's size is 0",
    poke(
      (s) => s.live - 4,
      (w) => w & 15,
    ),
    (s) => s.live - 4,
  ],
  [
    "C2",
    "P is clear behind a live chunk",
    poke(
      (s) => s.guard - 4,
      (w) => w & ~1,
    ),
    (s) => s.guard - 4,
  ],
  [
    "C3",
    "a free chunk's footer is another",
    poke(
      (s) => s.free - 4 + 1004,
      () => 0,
    ),
    (s) => s.free - 4,
  ],
  [
    "T1",
    "top's header is another",
    poke(
      (s) => topOf(s, s.a),
      (w) => w + 16,
    ),
    (s) => topOf(s, s.a),
  ],
  ["T2", "a thread's footprint is another", poke(ofA(at.AT_FOOTPRINT), (w) => w + 16), ofA(at.AT_FOOTPRINT)],
  [
    "T3",
    "a word is written that is untouched",
    (s) => s.crew.poke(s.crew.word(s.a + at.AT_LIMIT) - 4, 1),
    (s) => s.crew.word(s.a + at.AT_LIMIT) - 4,
  ],
  ["B1", "a bin with chunks has no bit", poke(ofA(at.AT_BIN_MAP + 4), (w) => w & ~(1 << 15)), ofA(BIN_1008)],
  [
    "S3",
    "a bit stands for no block",
    poke(slab("full", at.SLAB_BITS + 32), () => 1),
    slab("full", at.SLAB_BITS + 32),
  ],
];

function freshOf(s: Specimen): number {
  return s.crew.word(COMMON + at.AT_FRESH);
}

/** The unit after the last of a slab. */
function behind(s: Specimen, slab: number): number {
  return unitOf(firstOf(s, slab) + extentOf(s.crew.m, slab) - 1) + UNIT;
}

/** Lets each of two heaps' bins hold the other's free chunk of the same size. */
function swapBins({ crew, a, b, free, bFree }: Specimen): void {
  for (const [heap, ptr] of [
    [a, bFree],
    [b, free],
  ] as const) {
    expect(crew.word(heap + BIN_1008), "one chunk is all that the bin has").not.toBe(0);
    crew.poke(heap + BIN_1008, ptr - 4);
    crew.poke(ptr - 4 + at.PREVIOUS, beforeBin(heap, 47));
  }
}

/** Makes all blocks of a slab free. */
function empty({ crew }: Specimen, slab: number): void {
  const blocks = blockCountOf(crew.m, slab);
  for (let word = 0; word < 9; word++) {
    crew.poke(slab + at.SLAB_REMOTE + word * 4, 0);
    crew.poke(slab + at.SLAB_BITS + word * 4, fullWord(blocks, word));
  }
}

/** Whether an invariant is the one that a code stands for. */
const found = (refusal: [number, number] | undefined): [string | undefined, number] | undefined =>
  refusal && [breach(refusal[0])?.invariant, refusal[1]];

describe("the check of a heap that threads share", () => {
  it("finds nothing wrong with one whose threads have done all that they can do to each other", () => {
    const { crew } = specimen();
    expect(refusalOf(() => crew.check())).toBeUndefined();
  });

  const cases = { HEADERS, UNITS, REMOTE, AS_ONE };
  for (const [name, list] of Object.entries(cases)) {
    it.each(list)(`${name}: finds %s broken if %s`, (invariant, _how, broken, where) => {
      const s = specimen();
      broken(s);
      const expected = where(s);
      expect(found(refusalOf(() => s.crew.check()))).toEqual([invariant, expected]);
    });
  }

  it("has a sentence for each of its codes", () => {
    const own = Object.entries(code).filter(([name, number]) => name.startsWith("BROKEN") && number > 140);
    expect(own.map(([, number]) => breach(number)?.invariant)).toEqual([
      "H1",
      "U1",
      "U2",
      "U3",
      "H2",
      "R1",
      "R2",
      "R3",
      "R4",
    ]);
  });

  it("finds nothing wrong with a slab that waits in the mail, whatever has become of it meanwhile", () => {
    const s = specimen();
    const { crew, a, b, told, told2 } = s;
    // Listed again, and then current.
    for (const ptr of s.blocksOf(told).slice(2)) crew.free(a, ptr);
    crew.check();
    expect(crew.unit(firstOf(s, told))).toBe(told | at.SLAB_TOLD);
    // All of its blocks are free, in one row or the other.
    crew.free(a, s.blocksOf(told)[0] as number);
    crew.check();
    for (const ptr of s.blocksOf(told2)) if (ptr !== s.blocksOf(told2)[1]) crew.free(b, ptr);
    crew.check();
    leaveHeap(crew.m, a);
    crew.check();
    expect([told, told2].filter((slab) => crew.unit(slab) === slab)).toEqual([]);
  });

  it("ends, stays in the memory and says what is wrong, whichever word is overwritten", {
    timeout: 60_000,
  }, () => {
    const random = randomFrom(11);
    const crew = small();
    const sound = crew.bytes();
    const places = leading(crew);
    const guarded = guard(crew);
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      crew.m.u8.set(sound);
      for (let word = 0; word <= random(2); word++) {
        const where = places[random(places.length)] as number;
        const values = [
          0,
          1,
          16,
          0xffff_fff0,
          random(2 ** 31) * 2,
          crew.word(where) ^ (1 << random(32)),
          where,
        ];
        crew.poke(where, values[random(values.length)] as number);
      }
      const refusal = refusalOf(() => checkCommon(guarded, COMMON));
      if (refusal === undefined) continue;
      refused += 1;
      expect(refusal[0]).toBeOneOf(Object.values(code));
    }
    expect(refused).toBeGreaterThan(200);
  });
});

/** A small heap with slabs and chunks of two threads, freed and not. */
function small(): Crew {
  const crew = new Crew({ bytes: 1 << 18 });
  const [a, b] = crew.heaps as [Base, Base];
  const ptrs = Array.from({ length: 300 }, (_, index) =>
    crew.malloc(index % 3 === 0 ? b : a, 16 + (index % 7) * 20),
  );
  ptrs.push(...Array.from({ length: 20 }, (_, index) => crew.malloc(index % 2 === 0 ? b : a, 600)));
  for (const [index, ptr] of ptrs.entries())
    if (index % 3 !== 1 && ptr !== 0) crew.free(index % 2 === 0 ? a : b, ptr);
  crew.check();
  return crew;
}

/** The words that lead from one to another: common, the map, what lies before each heap, headers, descriptors, chunks' first words. */
function leading(crew: Crew): number[] {
  const range = (from: number, bytes: number): number[] =>
    Array.from({ length: bytes / 4 }, (_, index) => from + index * 4);
  const places = [...range(COMMON, mapStart(COMMON) - COMMON + 64 * 4)];
  for (const heap of crew.heaps)
    places.push(...range(heap - at.PLACE_BYTES, at.PLACE_BYTES + at.AT_CLASSES + 17 * 32));
  walk(crew.m, COMMON, ({ address, ptr, state }) => {
    if (address === ptr) return;
    places.push(address, ptr, ptr + 4, ptr + 8);
    if (state === "overhead") places.push(...range(ptr, at.SHARED_SLAB_BYTES));
  });
  return places;
}

/** The crew's machine, but an access that leaves the memory is an error. */
function guard({ m }: Crew): Machine {
  const guarded = new Machine(m.memory, (number, address) => {
    throw new Refused(number, address);
  });
  guarded.threads = true;
  guarded.words = new Proxy(m.words, {
    get(words, index) {
      const word = Reflect.get(words, index) as number | undefined;
      if (word === undefined) throw new Error(`a word outside the memory: ${String(index)}`);
      return word;
    },
  });
  return guarded;
}

describe("the walk through a heap that threads share", () => {
  const piecesOf = (crew: Crew, heap: Base = COMMON): ChunkInfo[] => {
    const pieces: ChunkInfo[] = [];
    walk(crew.m, heap, (piece) => pieces.push(piece));
    return pieces;
  };

  it("visits the pieces of all threads' heaps, whichever of them is given", () => {
    const s = specimen();
    const pieces = piecesOf(s.crew);
    expect(piecesOf(s.crew, s.a)).toEqual(pieces);
    expect(pieces.filter(({ state }) => state === "top")).toHaveLength(2);
    const stateOf = (ptr: number) =>
      pieces.find((piece) => piece.ptr === ptr && piece.state !== "overhead")?.state;
    for (const ptr of [s.live, s.guard, s.small, s.bLive, s.bLarge, s.aLarge])
      expect(stateOf(ptr)).toBe("live");
    expect(stateOf(s.free)).toBe("free");
    const heaped = pieces.reduce((sum, { size }) => sum + size, 0);
    // Headers, segments' words, fenceposts and the last word of each heap.
    expect(heaped).toBeLessThan(s.crew.word(COMMON + at.AT_FOOTPRINT));
  });

  it("shows as cached what another thread has freed, a block as well as a chunk", () => {
    const s = specimen();
    const cached = new Set(
      piecesOf(s.crew)
        .filter(({ state }) => state === "cached")
        .map(({ ptr }) => ptr),
    );
    expect([s.freed, s.freed2].every((ptr) => cached.has(ptr))).toBe(true);
    for (const slab of [s.told, s.told2, s.listed])
      expect(cached.has(s.blocksOf(slab)[1] as number)).toBe(true);
    expect(s.blocksOf(s.full).some((ptr) => cached.has(ptr))).toBe(false);
  });

  it("aborts if the list of heaps runs in a circle, or leads away", () => {
    for (const next of [0x1000, 0xffff_f080]) {
      const s = specimen();
      s.crew.poke(s.a - at.NEXT_HEAP, next);
      expect(refusalOf(() => piecesOf(s.crew))?.[0]).toBe(code.CORRUPTED);
    }
    const s = specimen();
    s.crew.poke(s.a - at.NEXT_HEAP, s.b);
    let tops = 0;
    const call = () =>
      walk(s.crew.m, COMMON, ({ state }) => {
        if (state === "top") tops += 1;
      });
    expect(refusalOf(call)?.[0]).toBe(code.CORRUPTED);
    expect(tops).toBe(0);
  });

  it("gives a live chunk of a thread's as what it is", () => {
    const s = specimen();
    expect(pieceState(s.crew.m, s.a, s.live - 4)).toBe(0);
    expect(pieceState(s.crew.m, s.a, s.freed - 4)).toBe(1);
  });
});

describe("what an address is where threads share a heap", () => {
  it("is said of each thread's blocks alike, whoever asks", () => {
    const s = specimen();
    const said = (address: number, by: Base = COMMON) => describeAddress(s.crew.m, by, address);
    for (const [ptr, usable] of [
      [s.live, 1004],
      [s.bLive, 1004],
      [s.small, 112],
    ] as const) {
      for (const by of [COMMON, s.a, s.b]) {
        expect(said(ptr, by)).toEqual({ state: "live", ptr, usable });
        expect(said(ptr + 40, by)).toEqual({ state: "live", ptr, usable });
      }
    }
    expect(said(s.free + 8)).toMatchObject({ state: "free", ptr: s.free });
    expect(said(topOf(s, s.b) + 8)).toMatchObject({ state: "top" });
    expect(said(s.full + 4)).toMatchObject({ state: "overhead", ptr: s.full });
  });

  it("is cached if another thread has freed it", () => {
    const s = specimen();
    const block = s.blocksOf(s.told)[1] as number;
    const said = (address: number) => describeAddress(s.crew.m, COMMON, address);
    expect(said(block + 8)).toEqual({ state: "cached", ptr: block, usable: 112 });
    for (const by of [0, 40])
      expect(said(s.freed + by)).toEqual({ state: "cached", ptr: s.freed, usable: 1004 });
  });

  it("is the heap's own in headers and in the map, and outside in what is nobody's", () => {
    const s = specimen();
    const said = (address: number) => describeAddress(s.crew.m, COMMON, address);
    const nothing = { ptr: 0, usable: 0 };
    for (const address of [COMMON, COMMON + 300, firstPlace(s) - 4, s.a - at.PLACE_BYTES, s.a, s.b + 100])
      expect(said(address)).toEqual({ state: "heap", ...nothing });
    for (const address of [0, s.freeUnit, s.freeUnit + 16, limitOf(s), 0xffff_fff0])
      expect(said(address)).toEqual({ state: "outside", ...nothing });
  });

  it("speaks for a refused free: of a chunk in the mail, that another thread has freed it", () => {
    const s = specimen();
    const call = () => s.crew.free(s.b, s.freed);
    expect(refusalOf(call)).toEqual([code.DOUBLE_FREE, s.freed]);
    const said = evidence(s.crew.m, COMMON, code.DOUBLE_FREE, s.freed);
    expect(said.sure).toBe(true);
    expect(said.sentence).toBe("another thread has freed it, and its own has not taken it back yet");
    const block = s.blocksOf(s.told)[1] as number;
    expect(evidence(s.crew.m, COMMON, code.DOUBLE_FREE, block).sentence).toMatch(
      /slab of blocks of 112 bytes/,
    );
    expect(evidence(s.crew.m, COMMON, code.NOT_A_BLOCK, s.free).sentence).toMatch(/^its header word is/);
  });
});

describe("whether a heap that threads share lies at an address", () => {
  const image = (change: (s: Specimen) => void, base: Base = COMMON) => {
    const s = specimen();
    change(s);
    return describeImage(s.crew.m, base)?.reason;
  };

  it("is told by the version, and by what the header says", () => {
    expect(image(() => {})).toBeUndefined();
    const reasons = HEADERS.slice(0, 3).map(([, , broken]) => image(broken));
    // A heap that says of itself that no thread shares it has no top.
    expect(reasons).toEqual(["magic", "header", "moved"]);
    const others = HEADERS.slice(3).filter(
      ([invariant, , , where]) => invariant === "H1" && where === common,
    );
    expect(others.length).toBeGreaterThan(10);
    for (const [, how, broken] of others) expect(image(broken), how).toBe("header");
    expect(image((s) => s.crew.poke(COMMON + at.AT_VERSION, 6))).toBe("version");
  });

  it("is said of no thread's heap, and of no end of memory", () => {
    const s = specimen();
    expect(describeImage(s.crew.m, s.a)?.reason).toBe("magic");
    expect(describeImage(s.crew.m, asBase(s.crew.m.size() - 64))?.reason).toBe("beyond");
    expect(describeImage(s.crew.m, asBase(17))?.reason).toBe("base");
  });

  it("is said of one that is alone as before", () => {
    const s = specimen();
    s.crew.poke(COMMON + at.AT_MAGIC, 0);
    expect(describeImage(s.crew.m, COMMON)?.sentence).toMatch(/expected the magic number/);
  });
});
