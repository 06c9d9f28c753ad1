import { describe, expect, it } from "vitest";
import { Heap } from "../../src/index.ts";
import * as layout from "../../src/kernel/layout.ts";
import { Bench } from "./broken.ts";

/** Bytes of a size class's state. */
const CLASS_BYTES = 32;

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
  ["small limit", layout.AT_SMALL_LIMIT, 4],
  ["slab count", layout.AT_SLAB_COUNT, 4],
  ["growth step", layout.AT_GROWTH_STEP, 4],
  ["trim threshold", layout.AT_TRIM_THRESHOLD, 4],
  ["advance", layout.AT_ADVANCE_LOG2, 4],
  ["growth count", layout.AT_GROWTH_COUNT, 4],
  ["coalesce count", layout.AT_COALESCE_COUNT, 4],
  ["flush count", layout.AT_FLUSH_COUNT, 4],
  ["trim count", layout.AT_TRIM_COUNT, 4],
  ["map", layout.AT_MAP, 4],
  ["mapped", layout.AT_MAPPED, 4],
  ["no bits", layout.AT_NO_BITS, 4],
  ["bin summary", layout.AT_BIN_SUMMARY, 4],
  ["bin map", layout.AT_BIN_MAP, 4 * layout.BIN_MAP_WORDS],
  ["size classes, from class 1", layout.AT_CLASSES + CLASS_BYTES, CLASS_BYTES * layout.CLASS_COUNT],
  ["bins", layout.AT_BINS, 4 * layout.BIN_COUNT],
  ["maybe unused", layout.AT_MAYBE_UNUSED, 4],
  ["idle", layout.AT_IDLE, 4],
];

/** What lies in the spare words of the first classes' states. */
const IN_CLASSES: readonly number[] = [
  layout.AT_TRIM_KEEP,
  layout.AT_TRIM_IDLE,
  layout.AT_TRIM_FROM,
  layout.AT_TRIM_TO,
  layout.AT_MERGES_PAID,
  // Of a thread's heap.
  layout.AT_COMMON,
  layout.AT_LOOK_AGAIN,
];

/** Offsets in what is common to threads; where they are not named here, it has what a heap's header has at the same place. */
const IN_COMMON: readonly number[] = [
  layout.AT_FIRST_HEAP,
  layout.AT_FRESH,
  layout.AT_FREE_UNITS,
  layout.AT_THREADS,
  layout.AT_LEASE,
  layout.AT_TAKEN_OVER,
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
    expect(offsets).toHaveLength(FIELDS.length + IN_CLASSES.length + IN_COMMON.length);
    // AT_CLASSES is where the state of class 0 would be.
    for (const [name, offset] of offsets)
      expect([...listed, ...IN_CLASSES], name).toContain(
        name === "AT_CLASSES" ? offset + CLASS_BYTES : offset,
      );
  });

  it("has what is learned of top and of merges where a size class's state has nothing", () => {
    expect(new Set(IN_CLASSES).size).toBe(IN_CLASSES.length);
    for (const at of IN_CLASSES) {
      expect(at).toBeLessThan(layout.AT_BINS);
      expect((at - layout.AT_CLASSES) % CLASS_BYTES).toBeGreaterThan(layout.CLASS_SLABS);
    }
  });

  it("is no longer before a thread's heap than the drawing says, and common's has its own words", () => {
    expect([layout.NEXT_HEAP, layout.THREAD, layout.BEAT]).toEqual([128, 124, 120]);
    const { PLACE_BYTES, HEADER_BYTES, SEGMENT_CHUNKS, OTHER_HEADER } = layout;
    // The chunk that keeps the room for the other header ends where that one's chunks begin.
    expect(OTHER_HEADER % 64).toBe(0);
    expect(OTHER_HEADER).toBeGreaterThanOrEqual(
      HEADER_BYTES + SEGMENT_CHUNKS + layout.HEADER_WORD + PLACE_BYTES,
    );
    expect(layout.MIN_THREAD).toBe(layout.MIN_REGION + OTHER_HEADER);
    expect([layout.MAIL_SLABS, layout.MAIL_CHUNKS, layout.PLACE_BYTES]).toEqual([64, 60, 448]);
    expect(new Set(IN_COMMON).size).toBe(IN_COMMON.length);
    expect(Math.max(layout.AT_COMMON, ...IN_COMMON) + 4).toBeLessThanOrEqual(layout.COMMON_BYTES);
    expect(layout.COMMON_BYTES).toBe(256);
  });

  it("has the sizes of the drawing: 2752 bytes, then a segment's 12, then the first chunk at 2764", () => {
    expect(layout.HEADER_BYTES).toBe(2752);
    expect(layout.HEADER_BYTES % layout.GRANULE).toBe(0);
    expect(layout.SEGMENT_CHUNKS).toBe(12);
    expect(layout.HEADER_BYTES + layout.SEGMENT_CHUNKS).toBe(2764);
    expect([layout.SEGMENT_NEXT, layout.SEGMENT_END]).toEqual([0, 4]);
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
    const flags = [layout.PREVIOUS_IN_USE, layout.IN_USE, layout.OWN, layout.RESERVED_FLAG];
    expect(flags).toEqual([1, 2, 4, 8]);
    expect(flags.reduce((all, flag) => all | flag, 0)).toBe(layout.FLAGS);
    expect(layout.FLAGS).toBe(layout.GRANULE - 1);
    expect(layout.ZERO_REALLOC_FREES | layout.FIXED_REGION | layout.FIXED_MEMORY | layout.MODULE_MEMORY).toBe(
      layout.KNOWN_HEAP_FLAGS,
    );
  });

  it("give bins to all sizes up to 2^32, and a summary bit to every word of their map", () => {
    const doublings = 32 - layout.GRANULE_LOG2 - Math.log2(layout.EXACT_GRANULES);
    expect(layout.EXACT_GRANULES + (doublings << layout.BINS_PER_DOUBLING_LOG2)).toBe(layout.BIN_COUNT);
    expect(layout.BIN_MAP_WORDS).toBe(Math.ceil(layout.BIN_COUNT / 32));
    expect(layout.BIN_MAP_WORDS).toBeLessThan(31);
    expect(layout.EXACT_GRANULES * layout.GRANULE).toBe(512);
  });

  it("give a size class to each granule count up to the largest small block", () => {
    expect(layout.SMALL_MAX).toBe(layout.CLASS_COUNT * layout.GRANULE);
    // AT_MAYBE_UNUSED has a bit for each.
    expect(layout.CLASS_COUNT).toBeLessThan(32);
    expect([layout.CLASS_COUNT, layout.SMALL_MAX, layout.NARROW_MAX]).toEqual([31, 496, 256]);
  });
});

describe("a size class's state", () => {
  it("has the words of the drawing, within 32 bytes", () => {
    expect(1 << layout.CLASS_BYTES_LOG2).toBe(CLASS_BYTES);
    const { CLASS_BITS, CLASS_FIRST, CLASS_SLAB, CLASS_HEAD, CLASS_TAIL, CLASS_SLABS } = layout;
    expect([CLASS_BITS, CLASS_FIRST, CLASS_SLAB, CLASS_HEAD, CLASS_TAIL, CLASS_SLABS]).toEqual([
      0, 4, 8, 12, 16, 20,
    ]);
  });

  it("lies at 120 + class * 32, so that class 0 would share its bytes with what stands before", () => {
    expect(layout.AT_CLASSES).toBe(120);
    expect(layout.AT_CLASSES).toBeLessThan(layout.AT_BIN_MAP + 4 * layout.BIN_MAP_WORDS);
    expect(layout.AT_CLASSES + CLASS_BYTES).toBe(layout.AT_BIN_MAP + 4 * layout.BIN_MAP_WORDS);
    expect(layout.AT_CLASSES + (layout.CLASS_COUNT + 1) * CLASS_BYTES).toBe(layout.AT_BINS);
  });
});

describe("a slab", () => {
  it("has a descriptor of four words, nine of bits, one for each block, and two of links", () => {
    const { SLAB_FIRST, SLAB_INVERSE, SLAB_SHAPE, SLAB_LAST, SLAB_BITS, SLAB_BITS_END } = layout;
    expect([SLAB_FIRST, SLAB_INVERSE, SLAB_SHAPE, SLAB_LAST, SLAB_BITS]).toEqual([0, 4, 8, 12, 16]);
    expect(SLAB_BITS_END - SLAB_BITS).toBe(9 * 4);
    expect((SLAB_BITS_END - SLAB_BITS) * 8).toBe(layout.MAX_BLOCKS);
    expect([layout.SLAB_NEXT, layout.SLAB_PREVIOUS, layout.SLAB_BYTES]).toEqual([52, 56, 60]);
  });

  it("has in its shape a rotation, its size class, the flag L and its blocks, each in bits of its own", () => {
    const { SHAPE_CLASS_SHIFT, SHAPE_CLASS, SLAB_LISTED, SHAPE_BLOCKS_SHIFT } = layout;
    // What a machine rotates by: the lowest five bits.
    expect(SHAPE_CLASS_SHIFT).toBeGreaterThanOrEqual(5);
    expect(layout.CLASS_COUNT).toBeLessThanOrEqual(SHAPE_CLASS);
    expect(SLAB_LISTED).toBeGreaterThan(SHAPE_CLASS << SHAPE_CLASS_SHIFT);
    expect(SLAB_LISTED).toBeLessThan(1 << SHAPE_BLOCKS_SHIFT);
    expect(layout.MAX_BLOCKS).toBeLessThan(2 ** (32 - SHAPE_BLOCKS_SHIFT));
  });

  it("is no longer than the bits of the smallest blocks allow, unless these are what ends it", () => {
    expect(1 << layout.SLAB_UNIT_LOG2).toBe(layout.SLAB_UNIT);
    expect(layout.MIN_SLAB).toBeLessThan(layout.MAX_SLAB);
    expect(layout.MIN_BLOCKS * layout.SMALL_MAX).toBeLessThanOrEqual(layout.MAX_SLAB);
    // From the blocks of 128 bytes on, the length is what ends it.
    expect(layout.MAX_SLAB / (8 * layout.GRANULE)).toBeLessThanOrEqual(layout.MAX_BLOCKS);
    expect(layout.MAX_SLAB / (7 * layout.GRANULE)).toBeGreaterThan(layout.MAX_BLOCKS);
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
    expect(b.word(base + 12)).toBe(layout.FIXED_MEMORY);
    const [top, end, limit, segment] = [16, 20, 24, 28].map((offset) => b.word(base + offset));
    expect(top).toBe(base + 2764);
    expect(end).toBe(base + b.heap.footprint);
    expect(limit).toBe(1 << 20);
    expect(segment).toBe(base + 2752);
    expect(b.word(base + 2764)).toBe(((end as number) - 4 - base - 2764) | layout.PREVIOUS_IN_USE);
    // No map, no bin with chunks; each class takes from the word that is always zero.
    for (let offset = 84; offset < 2764; offset += 4) {
      const isClassBits = offset >= 152 && offset < 1144 && offset % 32 === 152 % 32;
      expect([offset, b.word(base + offset)]).toEqual([offset, isClassBits ? base + 92 : 0]);
    }
  });

  it("say that the heap lives in a fixed region, and that realloc to 0 frees", () => {
    const [fixed, buffer] = [layout.FIXED_REGION, layout.FIXED_MEMORY];
    expect(new Bench({ size: 8192 }).word(16 + layout.AT_FLAGS)).toBe(fixed | buffer);
    expect(new Bench().word(16 + layout.AT_FLAGS)).toBe(buffer);
    const wasm = () => new WebAssembly.Memory({ initial: 1 });
    expect(new Bench({ memory: wasm(), base: 16, size: 8192 }).word(16 + layout.AT_FLAGS)).toBe(fixed);
    expect(new Bench({ memory: wasm(), base: 16 }).word(16 + layout.AT_FLAGS)).toBe(0);
    expect(new Bench({ zeroSizeRealloc: "free" }).word(16 + layout.AT_FLAGS)).toBe(
      layout.ZERO_REALLOC_FREES | buffer,
    );
  });

  it("have a live chunk's header before its payload, 12 mod 16", () => {
    const b = new Bench();
    const ptr = b.heap.malloc(1000);
    expect(ptr).toBe(16 + 2764 + 4);
    expect((ptr - 4) % 16).toBe(12);
    expect(b.word(ptr - 4)).toBe(1008 | layout.IN_USE | layout.PREVIOUS_IN_USE);
    expect(b.word(16 + layout.AT_TOP)).toBe(ptr - 4 + 1008);
  });

  it("have three chunks of the heap's own for the first small block: descriptor, slab, map", () => {
    const b = new Bench();
    const ptr = b.heap.malloc(100);
    const [descriptor, slab, map] = [16 + 2764, 16 + 2764 + 64, 4092];
    const own = layout.OWN | layout.IN_USE | layout.PREVIOUS_IN_USE;
    expect(own).toBe(7);
    expect(b.word(descriptor)).toBe(64 | own);
    // What is cut from more ends where a unit of 4096 bytes does.
    expect(b.word(slab)).toBe((map - slab) | own);
    expect(b.word(map)).toBe(128 | own);
    expect(ptr).toBe(slab + 4);
    expect(b.word(16 + 52), "slab count").toBe(1);
    // The entry of the unit that base lies in is the map's first word.
    expect(b.word(16 + 84) + ((16 >>> 12) << 2), "map").toBe(map + 4);
    expect(b.word(16 + 88), "mapped").toBe(((128 - 4) / 4) * 4096 - 16);
    expect(b.word(map + 4)).toBe(descriptor + 4);
    for (let entry = map + 8; entry < map + 128; entry += 4) expect(b.word(entry)).toBe(0);
  });

  it("have a slab's descriptor as drawn: first block, inverse, shape, last word, bits, links", () => {
    const b = new Bench();
    const ptr = b.heap.malloc(100);
    const descriptor = 16 + 2764 + 4;
    const blocks = Math.floor((4092 - ptr) / 112);
    expect(blocks).toBe(11);
    expect(b.word(descriptor)).toBe(ptr);
    // 7 times this is 1 modulo 2^32, and 112 is 7 << 4.
    expect(b.word(descriptor + 4)).toBe(0xb6db_6db7);
    expect(b.word(descriptor + 8)).toBe((blocks << 16) | (7 << 8) | 4);
    expect(b.word(descriptor + 12)).toBe(2 ** blocks - 1);
    // The first block is live.
    expect(b.word(descriptor + 16)).toBe(2 ** blocks - 2);
    for (let at = descriptor + 20; at < descriptor + 60; at += 4) expect(b.word(at)).toBe(0);
  });

  it("have a size class's state as drawn: bits, first block, current slab, list, count", () => {
    const b = new Bench();
    const state = 16 + 120 + 7 * 32;
    const words = () => [0, 4, 8, 12, 16, 20].map((offset) => b.word(state + offset));
    const ptr = b.heap.malloc(100);
    const first = b.word(state + 8);
    expect(words()).toEqual([first + 16, ptr, first, 0, 0, 1]);
    for (let block = 0; block < 11; block++) b.heap.malloc(100);
    const second = b.word(state + 8);
    const place = b.word(second);
    expect(words()).toEqual([second + 16, place, second, 0, 0, 2]);
    // The first slab is full. A block of it that is freed lets it be listed.
    b.heap.free(ptr);
    expect(words()).toEqual([second + 16, place, second, first, first, 2]);
    expect(b.word(first + 8) & 0x8000).toBe(0x8000);
    expect([b.word(first + 52), b.word(first + 56)]).toEqual([0, 0]);
    expect(b.word(first + 16)).toBe(1);
  });

  it("have a bit in AT_MAYBE_UNUSED for the class of a current slab whose blocks were all freed", () => {
    const b = new Bench();
    const [one, two] = [b.heap.malloc(100), b.heap.malloc(100)];
    b.heap.free(one);
    expect(b.word(16 + 2744)).toBe(0);
    b.heap.free(two);
    expect([b.word(16 + 2744), b.word(16 + 2748)]).toEqual([1 << 7, 0]);
    // A large block that there is room for: now it is in AT_IDLE.
    b.heap.malloc(1025);
    expect([b.word(16 + 2744), b.word(16 + 2748)]).toEqual([0, 1 << 7]);
    b.heap.trim();
    expect([b.word(16 + 2744), b.word(16 + 2748)]).toEqual([0, 0]);
  });

  it("have nothing in a free block of a slab, and nothing beside it: it is a bit of the descriptor", () => {
    const b = new Bench();
    const ptrs = [1, 2, 3].map(() => b.heap.malloc(100));
    for (const ptr of ptrs) b.heap.u8(ptr).fill(0x5a);
    const before = Buffer.from(new Uint8Array(b.heap.buffer, ptrs[0], 3 * 112));
    b.heap.free(ptrs[1] as number);
    expect(before.equals(new Uint8Array(b.heap.buffer, ptrs[0], 3 * 112))).toBe(true);
    expect(b.word(16 + 2764 + 4 + 16) & 0b111).toBe(0b010);
  });

  it("have a free chunk's links at +4 and +8, its size again at its end, and P clear behind it", () => {
    const b = new Bench({ smallLimit: 0 });
    const [one, , two, guard] = b.four(100);
    b.heap.free(one + 4);
    b.heap.free(two + 4);
    const bin = b.heap.base + layout.AT_BINS + (112 / 16) * 4;
    expect(b.word(bin)).toBe(two);
    // Before the first lies its bin, as a chunk of which the head is the link.
    expect([b.word(two + 4), b.word(two + 8)]).toEqual([one, bin - 4]);
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
    expect(b.word(b.heap.base + 2752)).toBe(segment);
    expect(b.word(b.heap.base + 2756)).toBe(closed);
    // What was top is a free chunk now, so P is clear.
    expect(b.word(closed - 4)).toBe(layout.IN_USE);
  });

  it("are little-endian on every machine that the heap runs on", () => {
    const heap = Heap.create();
    expect(Array.from(heap.u8(heap.base + 4, 4))).toEqual([5, 0, 0, 0]);
  });
});
