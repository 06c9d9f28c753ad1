import { describe, expect, it } from "vitest";
import { HeapCorruptError } from "../../src/index.ts";
import * as at from "../../src/kernel/layout.ts";
import { blockCountOf, firstBlock, fullWord } from "../../src/kernel/slab.ts";
import { mapOf, slabAt, slabOf } from "../../src/kernel/slab-map.ts";
import { Bench } from "./broken.ts";

const CLASS_7 = at.AT_CLASSES + 7 * 32;
const CLASS_2 = at.AT_CLASSES + 2 * 32;
/** A class that has no slab. */
const CLASS_3 = at.AT_CLASSES + 3 * 32;

/**
 * A heap with every kind of chunk, and of slab. Of size class 7 a slab that is full, two that are listed, and one that is
 * current; of class 2 a current one that is unused. Then chunks: live a, free b, live c, live d, guard, free big, two
 * live guards, top.
 */
function specimen() {
  const b = new Bench();
  const { heap } = b;
  const { base } = heap;
  const slabs: number[] = [];
  const blocks: number[] = [];
  while (b.word(base + CLASS_7 + at.CLASS_SLABS) < 4) {
    blocks.push(heap.malloc(100));
    const slab = slabOf(b.machine, b.base, blocks.at(-1) as number);
    if (slabs.at(-1) !== slab) slabs.push(slab);
  }
  const [full, one, two, current] = slabs as [number, number, number, number];
  const blockOf = (slab: number) => blocks.find((ptr) => slabOf(b.machine, b.base, ptr) === slab) as number;
  heap.free(blockOf(one));
  heap.free(blockOf(two));
  const unusedBlock = heap.malloc(32);
  const unused = slabOf(b.machine, b.base, unusedBlock);
  heap.free(unusedBlock);
  const [a, free, c, d] = b.four(300);
  b.blocks(1, 300);
  const big = heap.malloc(1000) - 4;
  b.blocks(2, 300);
  heap.free(free + 4);
  heap.free(big + 4);
  heap.check();
  expect(heap.mallinfo().ordblks, "free, big and top").toBe(3);
  expect(slabOf(b.machine, b.base, unusedBlock), "no chunk was so large that slabs were flushed").toBe(
    unused,
  );
  const map = mapOf(b.machine, b.base);
  const entryOf = (address: number) => map + ((address >>> 12) - (base >>> 12)) * 4;
  return {
    b,
    base,
    a,
    free,
    c,
    d,
    big,
    top: b.word(base + at.AT_TOP),
    full,
    one,
    two,
    current,
    unused,
    map,
    entryOf,
  };
}

/** The address of a slab's first block, and of the unit after its first. */
const firstOf = (s: Specimen, slab: number): number => firstBlock(s.b.machine, slab);
const secondUnit = (s: Specimen, slab: number): number => (firstOf(s, slab) + 4096) & ~4095;

type Specimen = ReturnType<typeof specimen>;
type Break = (s: Specimen) => void;

const poke = (where: (s: Specimen) => number, change: (word: number) => number): Break => {
  return (s) => s.b.poke(where(s), change(s.b.word(where(s))));
};

const header = (offset: number): ((s: Specimen) => number) => {
  return (s) => s.base + offset;
};

/** A word of the header, set to what depends on the heap. */
const set = (offset: number, value: (s: Specimen) => number): Break => {
  return (s) => s.b.poke(s.base + offset, value(s));
};

/** A word of the header, moved. */
const change = (offset: number, by: number): Break => poke(header(offset), (w) => w + by);

/** Where a class's state, or anything else in the header, lies. */
const state = header;

type RunName = "full" | "one" | "two" | "current" | "unused";

/** A word of a slab's descriptor. */
const pokeSlab = (name: RunName, offset: number, changed: (word: number) => number): Break => {
  return poke((s) => s[name] + offset, changed);
};

const slab = (name: RunName) => (s: Specimen) => s[name];

const slabAtOf = (s: Specimen, address: number): number => slabAt(s.b.machine, s.b.base, address);

/** Where a granule of a slab's blocks first lies in a unit. */
const firstIn = (s: Specimen, of: number, unit: number): number => Math.max(firstOf(s, of), unit);

/** Invariant, how it was broken, where it shows. */
const BROKEN: readonly [string, string, Break, (s: Specimen) => number][] = [
  ["C1", "the magic is gone", poke(header(at.AT_MAGIC), () => 0), (s) => s.base],
  ["C1", "the version is another", poke(header(at.AT_VERSION), () => 1), (s) => s.base],
  ["C1", "the heap's own address is another", poke(header(at.AT_SELF), (w) => w + 16), (s) => s.base],
  [
    "C1",
    "an unknown flag of the heap is set",
    poke(header(at.AT_FLAGS), () => at.KNOWN_HEAP_FLAGS + 1),
    (s) => s.base,
  ],
  ["C1", "top is misaligned", poke(header(at.AT_TOP), (w) => w + 4), (s) => s.base],
  ["C1", "top lies below its segment", poke(header(at.AT_TOP), () => 12), (s) => s.base],
  ["C1", "top lies beyond the end", poke(header(at.AT_TOP), () => 0xffff_fffc), (s) => s.base],
  ["C1", "the end lies beyond the limit", poke(header(at.AT_END), () => 0x8000_0000), (s) => s.base],
  ["C1", "the limit lies beyond the memory", poke(header(at.AT_LIMIT), () => 0xffff_0000), (s) => s.base],
  ["C1", "the last segment lies in the header", poke(header(at.AT_SEGMENT), () => 16), (s) => s.base],
  [
    "C1",
    "a live chunk's size is 0",
    poke(
      (s) => s.a,
      (w) => w & 15,
    ),
    (s) => s.a,
  ],
  [
    "C1",
    "a live chunk's size reaches beyond top",
    poke(
      (s) => s.a,
      (w) => w + 0x1_0000,
    ),
    (s) => s.a,
  ],
  [
    "C1",
    "a live chunk's size wraps",
    poke(
      (s) => s.a,
      () => 0xffff_fff3,
    ),
    (s) => s.a,
  ],
  [
    "C1",
    "a chunk's reserved flag is set",
    poke(
      (s) => s.c,
      (w) => w | 8,
    ),
    (s) => s.c,
  ],
  [
    "C2",
    "P is clear behind a live chunk",
    poke(
      (s) => s.free,
      (w) => w & ~1,
    ),
    (s) => s.free,
  ],
  [
    "C2",
    "P is set behind a free chunk",
    poke(
      (s) => s.c,
      (w) => w | 1,
    ),
    (s) => s.c,
  ],
  [
    "C3",
    "C of a live chunk is clear",
    poke(
      (s) => s.a,
      (w) => w & ~2,
    ),
    (s) => s.a,
  ],
  [
    "C2",
    "C of a free chunk is set",
    poke(
      (s) => s.free,
      (w) => w | 2,
    ),
    (s) => s.c,
  ],
  [
    "C3",
    "a free chunk's footer is another",
    poke(
      (s) => s.free + 300,
      (w) => w + 16,
    ),
    (s) => s.free,
  ],
  [
    "C3",
    "a free chunk's footer is zero",
    poke(
      (s) => s.big + 1004,
      () => 0,
    ),
    (s) => s.big,
  ],
  [
    "C3",
    "a free chunk has the flag O",
    poke(
      (s) => s.free,
      (w) => w | 4,
    ),
    (s) => s.free,
  ],
  [
    "C3",
    "two neighbours are free",
    ({ b, c, d }) => {
      b.poke(c, 304);
      b.poke(c + 300, 304);
      b.poke(d, b.word(d) & ~1);
    },
    (s) => s.c,
  ],
  [
    "C3",
    "a free chunk lies before top",
    ({ b, top }) => {
      b.poke(top - 304, 304 | 1);
      b.poke(top - 4, 304);
    },
    (s) => s.top - 304,
  ],
  [
    "B1",
    "an empty bin's bit is set",
    poke(header(at.AT_BIN_MAP), (w) => w | 8),
    (s) => s.base + at.AT_BINS + 12,
  ],
  [
    "B1",
    "a bin with chunks has no bit",
    poke(header(at.AT_BIN_MAP), (w) => w & ~(1 << 19)),
    (s) => s.base + at.AT_BINS + 19 * 4,
  ],
  [
    "B1",
    "the summary lacks a word",
    poke(header(at.AT_BIN_SUMMARY), (w) => w & ~1),
    (s) => s.base + at.AT_BIN_MAP,
  ],
  [
    "B1",
    "the summary has an empty word",
    poke(header(at.AT_BIN_SUMMARY), (w) => w | 8),
    (s) => s.base + at.AT_BIN_MAP + 12,
  ],
  [
    "B2",
    "a chunk lies in the bin of another size",
    ({ b, base, free }) => {
      b.poke(base + at.AT_BINS + 19 * 4, 0);
      b.poke(base + at.AT_BINS + 18 * 4, free);
      b.poke(base + at.AT_BIN_MAP, 1 << 18);
    },
    (s) => s.free,
  ],
  ["B2", "a live chunk lies in a bin", poke(header(at.AT_BINS + 19 * 4), (w) => w - 304), (s) => s.a],
  [
    "B2",
    "a free chunk lies in no bin",
    ({ b, base }) => {
      b.poke(base + at.AT_BINS + 19 * 4, 0);
      b.poke(base + at.AT_BIN_MAP, 0);
      b.poke(base + at.AT_BIN_SUMMARY, b.word(base + at.AT_BIN_SUMMARY) & ~1);
    },
    (s) => s.base + at.AT_BINS,
  ],
  [
    "B2",
    "a bin leads out of the memory",
    poke(header(at.AT_BINS + 19 * 4), () => 0xffff_fffc),
    () => 0xffff_fffc,
  ],
  [
    "B3",
    "the first chunk of a bin has one before it",
    poke(
      (s) => s.free + 8,
      () => 2044,
    ),
    (s) => s.free,
  ],
  [
    "B3",
    "the first chunk of a bin has nothing before it, not even the bin",
    poke(
      (s) => s.free + 8,
      () => 0,
    ),
    (s) => s.free,
  ],
  [
    "B3",
    "the first chunk of a bin has another bin before it",
    poke(
      (s) => s.free + 8,
      (w) => w + 4,
    ),
    (s) => s.free,
  ],
  [
    "B3",
    "a bin runs in a circle",
    ({ b, free }) => {
      b.poke(free + 4, free);
    },
    (s) => s.free,
  ],
  // S1: a class takes from a word of its current slab.
  ["S1", "a class takes from another slab", set(CLASS_7 + at.CLASS_BITS, (s) => s.one + 20), state(CLASS_7)],
  ["S1", "a class takes from before its slab's bits", change(CLASS_7 + at.CLASS_BITS, -4), state(CLASS_7)],
  [
    "S1",
    "a class takes from behind its slab's bits",
    set(CLASS_7 + at.CLASS_BITS, (s) => s.current + 60),
    state(CLASS_7),
  ],
  [
    "S1",
    "a class takes from behind its slab's bits the block that would belong there",
    (s) => {
      s.b.poke(s.base + CLASS_7 + at.CLASS_BITS, s.current + at.SLAB_BYTES);
      s.b.poke(s.base + CLASS_7 + at.CLASS_FIRST, firstOf(s, s.current) + at.MAX_BLOCKS * 112);
    },
    state(CLASS_7),
  ],
  ["S1", "a class takes from between two words", change(CLASS_7 + at.CLASS_BITS, 2), state(CLASS_7)],
  ["S1", "a class takes the wrong block first", change(CLASS_7 + at.CLASS_FIRST, 112), state(CLASS_7)],
  [
    "S1",
    "a class takes from the zero word although it has a current slab",
    set(CLASS_7 + at.CLASS_BITS, (s) => s.base + at.AT_NO_BITS),
    state(CLASS_7),
  ],
  [
    "S1",
    "a class without a slab takes from another word than the zero one",
    set(CLASS_3 + at.CLASS_BITS, (s) => s.base + at.AT_BIN_SUMMARY),
    state(CLASS_3),
  ],
  ["S1", "the zero word is not zero", set(at.AT_NO_BITS, () => 1), state(at.AT_CLASSES + 32)],
  [
    "S1",
    "a class has forgotten its current slab, but takes from it",
    set(CLASS_7 + at.CLASS_SLAB, () => 0),
    state(CLASS_7),
  ],
  [
    "S1",
    "a class's current slab is another class's",
    set(CLASS_2 + at.CLASS_SLAB, (s) => s.current),
    state(CLASS_2),
  ],
  [
    "S1",
    "a class has another class's current slab, and takes from it as that does",
    (s) => {
      for (const offset of [at.CLASS_SLAB, at.CLASS_BITS, at.CLASS_FIRST])
        s.b.poke(s.base + CLASS_2 + offset, s.b.word(s.base + CLASS_7 + offset));
    },
    state(CLASS_2),
  ],
  [
    "S1",
    "a class's current slab is a live chunk",
    set(CLASS_2 + at.CLASS_SLAB, (s) => s.a + 4),
    state(CLASS_2),
  ],
  ["S1", "a class's current slab is misaligned", change(CLASS_2 + at.CLASS_SLAB, 4), state(CLASS_2)],
  [
    "S1",
    "a class's current slab lies beyond the memory",
    set(CLASS_2 + at.CLASS_SLAB, () => 0xffff_fff0),
    state(CLASS_2),
  ],
  [
    "S1",
    "a current slab without a live block is not noted as perhaps unused",
    set(at.AT_MAYBE_UNUSED, () => 0),
    state(CLASS_2),
  ],
  ["S1", "a class has not counted a slab", change(CLASS_7 + at.CLASS_SLABS, -1), state(at.AT_SLAB_COUNT)],
  ["S1", "a class counts a slab that is none", change(CLASS_3 + at.CLASS_SLABS, 1), state(at.AT_SLAB_COUNT)],

  // S2: current, listed, or full.
  ["S2", "a slab in no list has room", pokeSlab("full", at.SLAB_BITS, () => 1), slab("full")],
  ["S2", "a listed slab is full", pokeSlab("one", at.SLAB_BITS, () => 0), slab("one")],
  [
    "S2",
    "a listed slab has no live block",
    ({ b, one }) => {
      const slots = blockCountOf(b.machine, one);
      for (let word = 0; word < 9; word++) b.poke(one + at.SLAB_BITS + word * 4, fullWord(slots, word));
    },
    slab("one"),
  ],
  ["S2", "a listed slab has no L", pokeSlab("one", at.SLAB_SHAPE, (w) => w & ~at.SLAB_LISTED), slab("one")],
  ["S2", "a full slab has L", pokeSlab("full", at.SLAB_SHAPE, (w) => w | at.SLAB_LISTED), slab("full")],
  [
    "S2",
    "the current slab has L",
    pokeSlab("current", at.SLAB_SHAPE, (w) => w | at.SLAB_LISTED),
    slab("current"),
  ],
  [
    "S2",
    "a list's first slab has one before it",
    (s) => s.b.poke(s.one + at.SLAB_PREVIOUS, s.two),
    slab("one"),
  ],
  ["S2", "a list's links do not agree both ways", pokeSlab("two", at.SLAB_PREVIOUS, () => 0), slab("two")],
  ["S2", "a list ends before its last slab", pokeSlab("one", at.SLAB_NEXT, () => 0), state(CLASS_7)],
  [
    "S2",
    "a list has lost its first slab",
    (s) => {
      s.b.poke(s.base + CLASS_7 + at.CLASS_HEAD, s.two);
      s.b.poke(s.two + at.SLAB_PREVIOUS, 0);
    },
    slab("one"),
  ],
  [
    "S2",
    "a list has lost all its slabs",
    (s) => {
      s.b.poke(s.base + CLASS_7 + at.CLASS_HEAD, 0);
      s.b.poke(s.base + CLASS_7 + at.CLASS_TAIL, 0);
    },
    slab("one"),
  ],
  ["S2", "a list's last slab is another", set(CLASS_7 + at.CLASS_TAIL, (s) => s.one), state(CLASS_7)],
  [
    "S2",
    "two listed slabs lead to each other, and no list to them",
    (s) => {
      s.b.poke(s.base + CLASS_7 + at.CLASS_HEAD, 0);
      s.b.poke(s.base + CLASS_7 + at.CLASS_TAIL, 0);
      for (const [from, to] of [
        [s.one, s.two],
        [s.two, s.one],
      ] as const) {
        s.b.poke(from + at.SLAB_NEXT, to);
        s.b.poke(from + at.SLAB_PREVIOUS, to);
      }
    },
    slab("one"),
  ],
  ["S2", "a list runs in a circle", (s) => s.b.poke(s.two + at.SLAB_NEXT, s.two), slab("two")],
  ["S2", "a list begins again at its first slab", (s) => s.b.poke(s.two + at.SLAB_NEXT, s.one), slab("one")],
  [
    "S2",
    "a list holds another class's slab",
    (s) => s.b.poke(s.two + at.SLAB_NEXT, s.unused),
    slab("unused"),
  ],
  [
    "S2",
    "a class has another class's list as well",
    (s) => {
      s.b.poke(s.base + CLASS_3 + at.CLASS_HEAD, s.one);
      s.b.poke(s.base + CLASS_3 + at.CLASS_TAIL, s.two);
    },
    slab("one"),
  ],
  ["S2", "a list holds a live chunk", set(CLASS_3 + at.CLASS_HEAD, (s) => s.a + 4), (s) => s.a + 4],
  [
    "S2",
    "a list leads out of the memory",
    pokeSlab("two", at.SLAB_NEXT, () => 0xffff_fff0),
    () => 0xffff_fff0,
  ],

  // S3: bits, and what else a descriptor states.
  [
    "S3",
    "a bit behind those of the last word's blocks is set",
    pokeSlab("full", at.SLAB_BITS, (w) => w | 0x8000_0000),
    (s) => s.full + at.SLAB_BITS,
  ],
  [
    "S3",
    "a bit is set in a word that stands for no block",
    pokeSlab("full", at.SLAB_BITS + 32, () => 1),
    (s) => s.full + at.SLAB_BITS + 32,
  ],
  ["S3", "a slab's last word is another", pokeSlab("full", at.SLAB_LAST, (w) => w >>> 1), slab("full")],
  ["S3", "a slab's inverse is too large", pokeSlab("full", at.SLAB_INVERSE, (w) => w + 1), slab("full")],
  ["S3", "a slab's inverse is too small", pokeSlab("full", at.SLAB_INVERSE, (w) => w - 1), slab("full")],
  ["S3", "a slab has no blocks", pokeSlab("full", at.SLAB_SHAPE, (w) => w & 0xffff), slab("full")],
  ["S3", "a slab is rotated by too much", pokeSlab("full", at.SLAB_SHAPE, (w) => w + 1), slab("full")],
  [
    "S3",
    "a slab has lost its last block",
    pokeSlab("full", at.SLAB_SHAPE, (w) => w - 0x1_0000),
    slab("full"),
  ],
  ["S3", "a slab is of no class", pokeSlab("full", at.SLAB_SHAPE, (w) => w & ~0x1f00), slab("full")],
  ["S3", "a slab is of a class too high", pokeSlab("full", at.SLAB_SHAPE, (w) => w | 0x1800), slab("full")],
  [
    "S3",
    "a slab has more blocks than bits",
    pokeSlab("full", at.SLAB_SHAPE, (w) => (w & 0xffff) | ((at.MAX_BLOCKS + 1) << 16)),
    slab("full"),
  ],
  ["S3", "a slab is of another class", pokeSlab("full", at.SLAB_SHAPE, (w) => w - 0x100), slab("full")],

  // S4: the heap's own chunks.
  ["S4", "a live chunk has the flag O", ({ b, a }) => b.poke(a, b.word(a) | at.OWN), state(0)],
  ["S4", "a descriptor lacks the flag O", pokeSlab("full", -4, (w) => w & ~at.OWN), slab("full")],
  [
    "S4",
    "a descriptor's chunk is too small for it",
    ({ b, full }) => {
      b.poke(full - 4, 48 | 7);
      b.poke(full - 4 + 48, 16 | 3);
    },
    slab("full"),
  ],
  [
    "S4",
    "a slab's chunk lacks the flag O",
    (s) => s.b.poke(firstOf(s, s.full) - 4, s.b.word(firstOf(s, s.full) - 4) & ~at.OWN),
    (s) => firstOf(s, s.full),
  ],
  [
    "S4",
    "a slab's chunk is too short for its blocks",
    (s) => {
      const chunk = firstOf(s, s.full) - 4;
      const size = s.b.word(chunk) - 7;
      s.b.poke(chunk, 112 | 7);
      s.b.poke(chunk + 112, (size - 112) | 3);
    },
    (s) => firstOf(s, s.full),
  ],
  [
    "S4",
    "a slab begins where no chunk does",
    pokeSlab("full", at.SLAB_FIRST, (w) => w + 112),
    (s) => firstOf(s, s.full),
  ],
  [
    "S4",
    "the map leads to a live chunk",
    (s) => s.b.poke(s.entryOf(firstOf(s, s.full)), s.a + 4),
    (s) => s.a + 4,
  ],
  [
    "S4",
    "the map leads between two granules",
    (s) => s.b.poke(s.entryOf(firstOf(s, s.full)), s.full + 4),
    (s) => s.full + 4,
  ],
  [
    "S4",
    "the map leads out of the memory",
    (s) => s.b.poke(s.entryOf(firstOf(s, s.full)), 0xffff_fff0),
    () => 0xffff_fff0,
  ],
  [
    "S4",
    "the map is said to be longer than its chunk: what follows is read as a slab",
    set(at.AT_MAPPED, (s) => s.b.word(s.base + at.AT_MAPPED) + 4096),
    (s) => s.b.word(s.map - 4 + (s.b.word(s.map - 4) & ~15)),
  ],

  // S5: the map.
  ["S5", "the map's address is another", change(at.AT_MAP, 16), state(0)],
  [
    "S5",
    "the map's chunk lacks the flag O",
    ({ b, map }) => b.poke(map - 4, b.word(map - 4) & ~at.OWN),
    state(0),
  ],
  ["S5", "the map ends below the slabs", set(at.AT_MAPPED, () => 4096 - 16), state(at.AT_SLAB_COUNT)],
  [
    "S5",
    "a slab is in no entry",
    (s) => {
      for (let unit = firstOf(s, s.current) & ~4095; slabAtOf(s, unit) === s.current; unit += 4096)
        s.b.poke(s.entryOf(unit), 0);
    },
    state(at.AT_SLAB_COUNT),
  ],
  [
    "S5",
    "a slab's second unit has no entry",
    (s) => s.b.poke(s.entryOf(secondUnit(s, s.two)), 0),
    (s) => firstIn(s, s.two, secondUnit(s, s.two)),
  ],
  [
    "S5",
    "a slab's second unit has another's entry",
    (s) => s.b.poke(s.entryOf(secondUnit(s, s.two)), s.full),
    (s) => firstIn(s, s.two, secondUnit(s, s.two)),
  ],
  [
    "S5",
    "a slab's first unit has no entry",
    (s) => s.b.poke(s.entryOf(firstOf(s, s.two)), 0),
    (s) => firstOf(s, s.two),
  ],
  [
    "S5",
    "a unit without a slab has one's entry",
    (s) => s.b.poke(s.map + 30 * 4, s.full),
    (s) => firstOf(s, s.full),
  ],
  ["S5", "a slab is not counted", change(at.AT_SLAB_COUNT, -1), state(at.AT_SLAB_COUNT)],
  ["S5", "a slab is counted that is none", change(at.AT_SLAB_COUNT, 1), state(at.AT_SLAB_COUNT)],

  [
    "T1",
    "top's header is another size",
    poke(
      (s) => s.top,
      (w) => w + 16,
    ),
    (s) => s.top,
  ],
  [
    "T1",
    "top's header lacks P",
    poke(
      (s) => s.top,
      (w) => w & ~1,
    ),
    (s) => s.top,
  ],
  [
    "T1",
    "top's header has C",
    poke(
      (s) => s.top,
      (w) => w | 2,
    ),
    (s) => s.top,
  ],
  [
    "T2",
    "the footprint is not the segment's bytes",
    poke(header(at.AT_FOOTPRINT), (w) => w + 16),
    (s) => s.base + at.AT_FOOTPRINT,
  ],
  [
    "T2",
    "the footprint exceeds its peak",
    poke(header(at.AT_MAX_FOOTPRINT), (w) => w - 16),
    (s) => s.base + at.AT_MAX_FOOTPRINT,
  ],
];

describe("check", () => {
  it.each(BROKEN)("finds %s broken when %s", (invariant, _how, breakIt, where) => {
    const s = specimen();
    breakIt(s);
    const before = Buffer.from(new Uint8Array(s.b.heap.buffer));
    let thrown: unknown;
    try {
      s.b.heap.check();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(HeapCorruptError);
    if (!(thrown instanceof HeapCorruptError)) return;
    expect({ invariant: thrown.invariant, address: thrown.address }).toEqual({
      invariant,
      address: where(s),
    });
    expect(thrown.message).toMatch(new RegExp(`^heap corrupted at 0x[0-9a-f]{8}: .+ \\(${invariant}\\)$`));
    expect(before.equals(new Uint8Array(s.b.heap.buffer))).toBe(true);
  });

  it("has a broken heap for every invariant that can be told", () => {
    const told = new Set(BROKEN.map(([invariant]) => invariant));
    // T3 has its own, below.
    expect([...told, "T3"].sort()).toEqual("B1 B2 B3 C1 C2 C3 S1 S2 S3 S4 S5 T1 T2 T3".split(" "));
  });

  it("changes nothing in a sound heap", () => {
    const { b } = specimen();
    const before = Buffer.from(new Uint8Array(b.heap.buffer));
    b.heap.check();
    expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
  });
});

describe("check finds T3 broken", () => {
  it.each([
    ["in top", (end: number) => end - 8],
    ["in top's last word", (end: number) => end - 4],
    ["between end and limit", (end: number) => end + 4096],
  ])("when memory that is said to be untouched was written %s", (_where, place) => {
    // The buffer's own bytes count as used; what a WebAssembly.Memory of the heap's own has was never written.
    const heap = new Bench({
      memory: new WebAssembly.Memory({ initial: 0 }),
      reserve: 1 << 18,
      growthStep: 65_536,
    }).heap;
    heap.u32(heap.base + at.AT_UNTOUCHED, 1)[0] = heap.base + 4096;
    heap.check();
    const address = place(heap.base + heap.footprint);
    heap.u32(address, 1)[0] = 1;
    expect(() => heap.check()).toThrow(
      `heap corrupted at 0x${address.toString(16).padStart(8, "0")}: memory that is said to be untouched is not zero (T3)`,
    );
  });
});

describe("check of a heap without slabs", () => {
  it("finds S4 broken when a chunk of the heap's own is left", () => {
    const b = new Bench({ smallLimit: 0 });
    const [chunk] = b.four(100);
    b.poke(chunk, b.word(chunk) | at.OWN);
    expect(() => b.heap.check()).toThrow(/\(S4\)$/);
  });

  it("finds S4 broken when the map is left", () => {
    const b = new Bench();
    const ptr = b.heap.malloc(100);
    const slab = slabOf(b.machine, b.base, ptr);
    b.heap.check();
    // Nothing knows of the slab any more, and its two chunks are live ones.
    for (const chunk of [slab - 4, ptr - 4]) b.poke(chunk, b.word(chunk) & ~at.OWN);
    b.poke(mapOf(b.machine, b.base) + ((ptr >>> 12) - (b.base >>> 12)) * 4, 0);
    b.poke(b.base + at.AT_SLAB_COUNT, 0);
    for (const offset of [at.CLASS_SLAB, at.CLASS_SLABS]) b.poke(b.base + CLASS_7 + offset, 0);
    b.poke(b.base + CLASS_7 + at.CLASS_BITS, b.base + at.AT_NO_BITS);
    expect(() => b.heap.check()).toThrow(/\(S4\)$/);
    b.heap.u32(mapOf(b.machine, b.base) - 4, 1)[0] = 128 | 3;
    for (const offset of [at.AT_MAP, at.AT_MAPPED]) b.poke(b.base + offset, 0);
    b.heap.check();
  });
});

describe("check of a heap in two segments", () => {
  function twoSegments() {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, smallLimit: 0 });
    const first = b.heap.malloc(1000) - 4;
    memory.grow(1);
    const second = b.heap.malloc(100_000) - 4;
    b.heap.check();
    const segment = b.heap.base + at.HEADER_BYTES;
    return { b, first, second, segment, last: b.word(b.heap.base + at.AT_SEGMENT) };
  }

  const CASES: readonly [string, string, (s: ReturnType<typeof twoSegments>) => void][] = [
    ["T2", "a segment's successor lies below it", ({ b, segment }) => b.poke(segment, 16)],
    ["T2", "a segment's successor lies beyond the memory", ({ b, segment }) => b.poke(segment, 0xffff_fff0)],
    ["T2", "a segment's end lies below its beginning", ({ b, segment }) => b.poke(segment + 4, 16)],
    [
      "T2",
      "a segment's end lies beyond its successor",
      ({ b, segment, last }) => b.poke(segment + 4, last + 16),
    ],
    ["T2", "a fencepost is overwritten", ({ b, segment }) => b.poke(b.word(segment + 4) - 4, 0x4141_4140)],
    [
      "C2",
      "a fencepost's P is set behind a free chunk",
      ({ b, segment }) => b.poke(b.word(segment + 4) - 4, 3),
    ],
    ["C1", "a chunk reaches beyond its segment", ({ b, first }) => b.poke(first, 0x2_0003)],
    ["C1", "a chunk of the last segment reaches beyond top", ({ b, second }) => b.poke(second, 0x4_0003)],
  ];

  it.each(CASES)("finds %s broken when %s", (invariant, _how, breakIt) => {
    const s = twoSegments();
    breakIt(s);
    expect(() => s.b.heap.check()).toThrow(new RegExp(`\\(${invariant}\\)$`));
  });
});

describe("check of a heap in three segments", () => {
  it("finds T2 broken when a middle one ends before it begins", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, smallLimit: 0 });
    for (let segment = 0; segment < 2; segment++) {
      b.heap.malloc(100_000);
      memory.grow(1);
    }
    b.heap.malloc(100_000);
    b.heap.check();
    const middle = b.word(b.base + at.HEADER_BYTES);
    b.poke(middle + at.SEGMENT_END, middle);
    expect(() => b.heap.check()).toThrow(/\(T2\)$/);
  });
});

describe("check of a class whose current slab", () => {
  it("is what a program wrote into its block finds S1 broken", () => {
    const b = new Bench();
    const block = b.heap.malloc(256);
    b.heap.malloc(100);
    const current = b.word(b.base + CLASS_7 + at.CLASS_SLAB);
    // A copy of the descriptor, of a slab that begins where there is none.
    b.heap.u8(block, at.SLAB_BYTES).set(b.heap.u8(current, at.SLAB_BYTES));
    b.poke(block + at.SLAB_FIRST, 0);
    b.poke(b.base + CLASS_7 + at.CLASS_SLAB, block);
    b.poke(b.base + CLASS_7 + at.CLASS_BITS, block + at.SLAB_BITS);
    b.poke(b.base + CLASS_7 + at.CLASS_FIRST, 0);
    expect(() => b.heap.check()).toThrow(/\(S1\)$/);
  });
});
