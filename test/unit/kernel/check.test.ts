import { describe, expect, it } from "vitest";
import { HeapCorruptError } from "../../../src/index.ts";
import * as at from "../../../src/kernel/layout.ts";
import { Bench } from "./broken.ts";

/** A heap with every kind of chunk: live a, free b, live c, cached d, live guard, free big, two live guards, top. */
function specimen() {
  const b = new Bench();
  const { heap } = b;
  const [a, free, c, cached] = b.four(100);
  b.blocks(1, 12);
  const big = heap.malloc(5000) - 4;
  b.blocks(2, 12);
  heap.bulkFree([free + 4]);
  heap.free(big + 4);
  heap.free(cached + 4);
  heap.check();
  return { b, base: heap.base, a, free, c, cached, big, top: b.word(heap.base + at.AT_TOP) };
}

type Specimen = ReturnType<typeof specimen>;
type Break = (s: Specimen) => void;

const poke = (where: (s: Specimen) => number, change: (word: number) => number): Break => {
  return (s) => s.b.poke(where(s), change(s.b.word(where(s))));
};

const header = (offset: number): ((s: Specimen) => number) => {
  return (s) => s.base + offset;
};

/** Invariant, how it was broken, where it shows. */
const BROKEN: readonly [string, string, Break, (s: Specimen) => number][] = [
  ["C1", "the magic is gone", poke(header(at.AT_MAGIC), () => 0), (s) => s.base],
  ["C1", "the version is another", poke(header(at.AT_VERSION), () => 2), (s) => s.base],
  ["C1", "the heap's own address is another", poke(header(at.AT_SELF), (w) => w + 16), (s) => s.base],
  ["C1", "an unknown flag of the heap is set", poke(header(at.AT_FLAGS), () => 4), (s) => s.base],
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
      (s) => s.free + 108,
      (w) => w + 16,
    ),
    (s) => s.free,
  ],
  [
    "C3",
    "a free chunk's footer is zero",
    poke(
      (s) => s.big + 5004,
      () => 0,
    ),
    (s) => s.big,
  ],
  [
    "C3",
    "a free chunk has the flag Q",
    poke(
      (s) => s.free,
      (w) => w | 4,
    ),
    (s) => s.free,
  ],
  [
    "C3",
    "two neighbours are free",
    ({ b, c, cached }) => {
      b.poke(c, 112);
      b.poke(c + 108, 112);
      b.poke(cached, b.word(cached) & ~1);
    },
    (s) => s.c,
  ],
  [
    "C3",
    "a free chunk lies before top",
    ({ b, top }) => {
      b.poke(top - 16, 16 | 1);
      b.poke(top - 4, 16);
    },
    (s) => s.top - 16,
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
    poke(header(at.AT_BIN_MAP), (w) => w & ~128),
    (s) => s.base + at.AT_BINS + 28,
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
      b.poke(base + at.AT_BINS + 28, 0);
      b.poke(base + at.AT_BINS + 24, free);
      b.poke(base + at.AT_BIN_MAP, 64);
    },
    (s) => s.free,
  ],
  ["B2", "a live chunk lies in a bin", poke(header(at.AT_BINS + 28), (w) => w - 112), (s) => s.a],
  [
    "B2",
    "a free chunk lies in no bin",
    ({ b, base }) => {
      b.poke(base + at.AT_BINS + 28, 0);
      b.poke(base + at.AT_BIN_MAP, 0);
      b.poke(base + at.AT_BIN_SUMMARY, b.word(base + at.AT_BIN_SUMMARY) & ~1);
    },
    (s) => s.base + at.AT_BINS,
  ],
  [
    "B2",
    "a bin leads out of the memory",
    poke(header(at.AT_BINS + 28), () => 0xffff_fffc),
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
    "a bin runs in a circle",
    ({ b, free }) => {
      b.poke(free + 4, free);
    },
    (s) => s.free,
  ],
  [
    "K1",
    "a cache holds a chunk of another size",
    ({ b, base, cached }) => {
      b.poke(base + at.AT_CACHES + 28, 0);
      b.poke(base + at.AT_CACHES + 32, cached);
    },
    (s) => s.cached,
  ],
  ["K1", "a cache holds a live chunk", poke(header(at.AT_CACHES + 28), (w) => w - 112), (s) => s.c],
  ["K1", "a cache runs in a circle", ({ b, cached }) => b.poke(cached + 4, cached), (s) => s.cached],
  [
    "K1",
    "a cache leads out of the memory",
    poke(
      (s) => s.cached + 4,
      () => 0xffff_fffc,
    ),
    () => 0xffff_fffc,
  ],
  [
    "K2",
    "the sum of the cached bytes is too small",
    poke(header(at.AT_CACHED_BYTES), (w) => w - 16),
    (s) => s.base + at.AT_CACHED_BYTES,
  ],
  [
    "K2",
    "a cached chunk lies in no list",
    poke(header(at.AT_CACHES + 28), () => 0),
    (s) => s.base + at.AT_CACHED_BYTES,
  ],
  [
    "K2",
    "a chunk has the flag Q that no list and no sum knows of",
    ({ b, base }) => {
      b.poke(base + at.AT_CACHES + 28, 0);
      b.poke(base + at.AT_CACHED_BYTES, 0);
    },
    (s) => s.base + at.AT_CACHED_BYTES,
  ],
  [
    "K2",
    "the cached bytes exceed their limit",
    poke(header(at.AT_CACHE_LIMIT), () => 96),
    (s) => s.base + at.AT_CACHED_BYTES,
  ],
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
    expect([...told, "T3"].sort()).toEqual("B1 B2 B3 C1 C2 C3 K1 K2 T1 T2 T3".split(" "));
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
    const heap = new Bench({ memory: new WebAssembly.Memory({ initial: 0 }), reserve: 1 << 18 }).heap;
    heap.u32(heap.base + at.AT_UNTOUCHED, 1)[0] = heap.base + 4096;
    heap.check();
    const address = place(heap.base + heap.footprint);
    heap.u32(address, 1)[0] = 1;
    expect(() => heap.check()).toThrow(
      `heap corrupted at 0x${address.toString(16).padStart(8, "0")}: memory that is said to be untouched is not zero (T3)`,
    );
  });
});

describe("check of a heap in two segments", () => {
  function twoSegments() {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, cacheLimit: 0 });
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
