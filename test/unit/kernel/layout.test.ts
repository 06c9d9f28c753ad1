import { describe, expect, it } from "vitest";
import { Heap } from "../../../src/index.ts";
import * as layout from "../../../src/kernel/layout.ts";
import { Bench } from "./broken.ts";

/** Every field of the header, with its bytes. */
const FIELDS: readonly [string, number, number][] = [
  ["magic", layout.AT_MAGIC, 4],
  ["version", layout.AT_VERSION, 4],
  ["self", layout.AT_SELF, 4],
  ["flags", layout.AT_FLAGS, 4],
  ["top", layout.AT_TOP, 4],
  ["end", layout.AT_END, 4],
  ["limit", layout.AT_LIMIT, 4],
  ["segment", layout.AT_SEGMENT, 4],
  ["untouched", layout.AT_UNTOUCHED, 4],
  ["footprint", layout.AT_FOOTPRINT, 4],
  ["max footprint", layout.AT_MAX_FOOTPRINT, 4],
  ["footprint limit", layout.AT_FOOTPRINT_LIMIT, 4],
  ["cached bytes", layout.AT_CACHED_BYTES, 4],
  ["cache limit", layout.AT_CACHE_LIMIT, 4],
  ["growth step", layout.AT_GROWTH_STEP, 4],
  ["trim threshold", layout.AT_TRIM_THRESHOLD, 4],
  ["advance", layout.AT_ADVANCE_LOG2, 4],
  ["growth count", layout.AT_GROWTH_COUNT, 4],
  ["coalesce count", layout.AT_COALESCE_COUNT, 4],
  ["flush count", layout.AT_FLUSH_COUNT, 4],
  ["trim count", layout.AT_TRIM_COUNT, 4],
  ["unused", 84, 12],
  ["bin summary", layout.AT_BIN_SUMMARY, 4],
  ["bin map", layout.AT_BIN_MAP, 4 * layout.BIN_MAP_WORDS],
  ["bins", layout.AT_BINS, 4 * layout.BIN_COUNT],
  ["caches", layout.AT_CACHES, 4 * layout.CACHE_COUNT],
];

describe("the header", () => {
  it("has its fields one behind the other, without gap or overlap", () => {
    let end = 0;
    for (const [name, offset, bytes] of FIELDS) {
      expect(offset, name).toBe(end);
      end = offset + bytes;
    }
    expect(layout.HEADER_BYTES - end).toBeGreaterThanOrEqual(0);
    expect(layout.HEADER_BYTES - end).toBeLessThan(layout.GRANULE);
  });

  it("lists every offset that layout.ts states", () => {
    const offsets = Object.entries(layout).filter(([name]) => name.startsWith("AT_"));
    const listed = FIELDS.map(([, offset]) => offset);
    expect(offsets).toHaveLength(FIELDS.length - 1);
    for (const [name, offset] of offsets) expect(listed, name).toContain(offset);
  });

  it("has the sizes of the drawing: 2016 bytes, then a segment's 12, then the first chunk at 2028", () => {
    expect(layout.HEADER_BYTES).toBe(2016);
    expect(layout.HEADER_BYTES % layout.GRANULE).toBe(0);
    expect(layout.SEGMENT_CHUNKS).toBe(12);
    expect(layout.HEADER_BYTES + layout.SEGMENT_CHUNKS).toBe(2028);
    expect([layout.SEGMENT_NEXT, layout.SEGMENT_END]).toEqual([0, 4]);
    expect(layout.AT_BINS + layout.BIN_COUNT * 4).toBeLessThanOrEqual(layout.AT_CACHES);
  });

  it("has no smaller region than the header, a segment, one chunk and the last word", () => {
    expect(layout.MIN_REGION).toBe(
      layout.HEADER_BYTES + layout.SEGMENT_CHUNKS + layout.MIN_CHUNK + layout.HEADER_WORD,
    );
  });
});

describe("the units", () => {
  it("agree with each other", () => {
    expect(1 << layout.GRANULE_LOG2).toBe(layout.GRANULE);
    expect(layout.MIN_CHUNK % layout.GRANULE).toBe(0);
    expect(layout.HEADER_WORD).toBe(4);
    expect(layout.MAX_REQUEST).toBe(2 ** 31 - 1);
    expect(layout.MEMORY_UNIT).toBe(64 * 1024);
    expect(layout.ADDRESS_END).toBe(2 ** 32 - layout.MEMORY_UNIT);
    expect(layout.UNLIMITED).toBe(2 ** 32 - 1);
    expect(layout.NO_ADVANCE).toBeGreaterThan(8);
  });

  it("leave room for a free chunk's header, links and footer in the smallest chunk", () => {
    expect([layout.NEXT, layout.PREVIOUS, layout.FOOTER]).toEqual([4, 8, 4]);
    expect(layout.PREVIOUS + 4 + layout.FOOTER).toBeLessThanOrEqual(layout.MIN_CHUNK);
  });

  it("give each flag its own bit, below a granule", () => {
    const flags = [layout.PREVIOUS_IN_USE, layout.IN_USE, layout.CACHED, layout.RESERVED_FLAG];
    expect(flags).toEqual([1, 2, 4, 8]);
    expect(flags.reduce((all, flag) => all | flag, 0)).toBe(layout.FLAGS);
    expect(layout.FLAGS).toBe(layout.GRANULE - 1);
    expect(layout.ZERO_REALLOC_FREES | layout.FIXED_REGION).toBe(layout.KNOWN_HEAP_FLAGS);
  });

  it("give bins to all sizes up to 2^32, and a summary bit to every word of their map", () => {
    const doublings = 32 - layout.GRANULE_LOG2 - Math.log2(layout.EXACT_GRANULES);
    expect(layout.EXACT_GRANULES + (doublings << layout.BINS_PER_DOUBLING_LOG2)).toBe(layout.BIN_COUNT);
    expect(layout.BIN_MAP_WORDS).toBe(Math.ceil(layout.BIN_COUNT / 32));
    expect(layout.BIN_MAP_WORDS).toBeLessThan(31);
    expect(layout.EXACT_GRANULES * layout.GRANULE).toBe(512);
  });

  it("give a cache to each chunk size from 0 to the largest", () => {
    expect(layout.MAX_CACHED_CHUNK).toBe(1024);
    expect(layout.CACHE_COUNT).toBe(layout.MAX_CACHED_CHUNK / layout.GRANULE + 1);
  });
});

describe("a real heap's bytes", () => {
  it.each([16, 4096, 65_536])("are those of the drawing, at base %i", (base) => {
    const b = new Bench({ base });
    const bytes = new Uint8Array(b.heap.buffer);
    expect(String.fromCharCode(...bytes.subarray(base, base + 4))).toBe("MORE");
    expect(b.word(base)).toBe(layout.MAGIC);
    expect(b.word(base + 4)).toBe(layout.FORMAT_VERSION);
    expect(b.word(base + 8)).toBe(base);
    expect(b.word(base + 12)).toBe(0);
    const [top, end, limit, segment] = [16, 20, 24, 28].map((offset) => b.word(base + offset));
    expect(top).toBe(base + 2028);
    expect(end).toBe(base + b.heap.footprint);
    expect(limit).toBe(1 << 18);
    expect(segment).toBe(base + 2016);
    expect(b.word(base + 2028)).toBe(((end as number) - 4 - base - 2028) | layout.PREVIOUS_IN_USE);
    expect(bytes.subarray(base + 84, base + 96).every((byte) => byte === 0)).toBe(true);
    expect(bytes.subarray(base + 96, base + 2028).every((byte) => byte === 0)).toBe(true);
  });

  it("say that the heap lives in a fixed region, and that realloc to 0 frees", () => {
    expect(new Bench({ size: 8192 }).word(16 + layout.AT_FLAGS)).toBe(layout.FIXED_REGION);
    expect(new Bench({ zeroSizeRealloc: "free" }).word(16 + layout.AT_FLAGS)).toBe(layout.ZERO_REALLOC_FREES);
  });

  it("have a live chunk's header before its payload, 12 mod 16", () => {
    const b = new Bench();
    const ptr = b.heap.malloc(100);
    expect(ptr).toBe(16 + 2028 + 4);
    expect((ptr - 4) % 16).toBe(12);
    expect(b.word(ptr - 4)).toBe(112 | layout.IN_USE | layout.PREVIOUS_IN_USE);
    expect(b.word(16 + layout.AT_TOP)).toBe(ptr - 4 + 112);
  });

  it("have a cached chunk's link at +4 and the flag Q, and C stays set", () => {
    const b = new Bench();
    const [first, second] = b.four(100);
    b.heap.free(first + 4);
    b.heap.free(second + 4);
    const list = b.heap.base + layout.AT_CACHES + (112 / 16) * 4;
    expect(b.word(list)).toBe(second);
    expect(b.word(second + 4)).toBe(first);
    expect(b.word(first + 4)).toBe(0);
    expect(b.word(second)).toBe(112 | layout.CACHED | layout.IN_USE | layout.PREVIOUS_IN_USE);
    expect(b.word(b.heap.base + layout.AT_CACHED_BYTES)).toBe(224);
  });

  it("have a free chunk's links at +4 and +8, its size again at its end, and P clear behind it", () => {
    const b = new Bench({ cacheLimit: 0 });
    const [one, , two, guard] = b.four(100);
    b.heap.free(one + 4);
    b.heap.free(two + 4);
    const bin = b.heap.base + layout.AT_BINS + (112 / 16) * 4;
    expect(b.word(bin)).toBe(two);
    expect([b.word(two + 4), b.word(two + 8)]).toEqual([one, 0]);
    expect([b.word(one + 4), b.word(one + 8)]).toEqual([0, two]);
    expect(b.word(one)).toBe(112 | layout.PREVIOUS_IN_USE);
    expect(b.word(one + 112 - 4)).toBe(112);
    expect(b.word(guard)).toBe(112 | layout.IN_USE);
    expect(b.word(b.heap.base + layout.AT_BIN_MAP)).toBe(1 << 7);
    expect(b.word(b.heap.base + layout.AT_BIN_SUMMARY)).toBe(1);
  });

  it("have a fencepost in the last word of a segment that others' memory has closed", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0 });
    const closed = b.word(b.heap.base + layout.AT_LIMIT);
    memory.grow(1);
    const ptr = b.heap.malloc(100_000);
    const segment = b.word(b.heap.base + layout.AT_SEGMENT);
    expect(segment).toBe(closed + 65_536);
    expect(ptr).toBe(segment + 16);
    expect(b.word(b.heap.base + 2016)).toBe(segment);
    expect(b.word(b.heap.base + 2020)).toBe(closed);
    // What was top is a free chunk now, so P is clear.
    expect(b.word(closed - 4)).toBe(layout.IN_USE);
  });

  it("are little-endian on every machine that the heap runs on", () => {
    const heap = Heap.create();
    expect(Array.from(heap.u8(heap.base + 4, 4))).toEqual([1, 0, 0, 0]);
  });
});
