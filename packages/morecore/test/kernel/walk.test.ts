import { describe, expect, it } from "vitest";
import { NO_CHUNK } from "../../src/kernel/address.ts";
import { bytesOf, countOf } from "../../src/kernel/info.ts";
import { AT_SEGMENT, AT_TOP, HEADER_BYTES, SEGMENT_CHUNKS, SEGMENT_NEXT } from "../../src/kernel/layout.ts";
import {
  CACHED,
  FREE,
  firstChunk,
  firstPiece,
  isBlock,
  isFencepost,
  LIVE,
  NO_PIECE,
  nextChunk,
  nextPiece,
  OVERHEAD,
  pieceBytes,
  pieceState,
  stateOf,
  TOP,
} from "../../src/kernel/walk.ts";
import { Bench } from "./broken.ts";

/** The chunks of a heap, each with its state. */
function chunks(b: Bench): [number, number][] {
  const seen: [number, number][] = [];
  const { machine: m, base } = b;
  for (let c = firstChunk(m, base); c !== NO_CHUNK; c = nextChunk(m, base, c)) {
    seen.push([c, stateOf(m, base, c)]);
  }
  return seen;
}

/** The pieces of a heap, each with its bytes and its state. */
function pieces(b: Bench): [number, number, number][] {
  const seen: [number, number, number][] = [];
  const { machine: m, base } = b;
  for (let at = firstPiece(m, base); at !== NO_PIECE; at = nextPiece(m, base, at))
    seen.push([at, pieceBytes(m, base, at), pieceState(m, base, at)]);
  return seen;
}

/** The states of pieces. */
const ALL_STATES = [LIVE, CACHED, FREE, TOP, OVERHEAD];

/**
 * A heap in which each state occurs: live, free, live, guard as chunks, then a slab of blocks of 112 bytes, of which
 * the first and the third are live. Its descriptor and the map lie where the free chunk was.
 */
function specimen() {
  const b = new Bench();
  const [live, free, alive, guard] = b.four(300);
  b.heap.free(free + 4);
  const [one, two, three] = [b.heap.malloc(100), b.heap.malloc(100), b.heap.malloc(100)];
  b.heap.free(two);
  b.heap.check();
  return { b, live, free, alive, guard, one, two, three, top: b.word(b.heap.base + AT_TOP) };
}

/** Where the first chunk lies, from base on. */
const FIRST = HEADER_BYTES + SEGMENT_CHUNKS;

describe("a walk", () => {
  it("of an empty heap sees top alone", () => {
    const b = new Bench();
    expect(chunks(b)).toEqual([[b.heap.base + FIRST, TOP]]);
    expect(pieces(b)).toEqual([[b.heap.base + FIRST, b.heap.footprint - FIRST - 4, TOP]]);
  });

  it("of a full heap sees top still, of size 0", () => {
    const b = new Bench({ size: 4096 });
    const ptr = b.heap.malloc(4096 - FIRST - 4 - 4);
    expect(ptr).not.toBe(0);
    expect(chunks(b)).toEqual([
      [ptr - 4, LIVE],
      [b.heap.base + 4092, TOP],
    ]);
    expect(b.heap.malloc(0)).toBe(0);
    b.heap.check();
  });

  it("sees every chunk once, in the order of addresses, in its state", () => {
    const { b, live, free, alive, guard, one, top } = specimen();
    const seen = chunks(b);
    expect(seen.map(([chunk]) => chunk)).toEqual(seen.map(([chunk]) => chunk).sort((x, y) => x - y));
    const states = new Map(seen);
    expect([live, alive, guard].map((chunk) => states.get(chunk))).toEqual([LIVE, LIVE, LIVE]);
    expect(seen.filter(([, state]) => state === LIVE)).toHaveLength(3);
    expect(seen.at(-1)).toEqual([top, TOP]);
    // Descriptor and map were cut from the free chunk; of the slab, the blocks are not seen here.
    const map = free + 64;
    const rest = map + (b.word(map) & ~15);
    expect([free, map, rest].map((chunk) => states.get(chunk))).toEqual([OVERHEAD, OVERHEAD, FREE]);
    expect(states.get(one - 4)).toBe(OVERHEAD);
    expect(seen.filter(([, state]) => state === OVERHEAD)).toHaveLength(3);
    expect(seen.filter(([, state]) => state === FREE)).toHaveLength(1);
  });

  it("by pieces sees, behind a slab's chunk, each of its blocks, live or cached", () => {
    const { b, one, two, three } = specimen();
    const all = pieces(b);
    const slab = all.findIndex(([at]) => at === one - 4);
    const blocks = all.slice(slab + 1).filter(([at]) => isBlock(at));
    expect(blocks).toEqual(
      Array.from({ length: blocks.length }, (_, index) => [
        one + index * 112,
        112,
        index === 0 || index === 2 ? LIVE : CACHED,
      ]),
    );
    expect(blocks.slice(0, 3).map(([at]) => at)).toEqual([one, two, three]);
    // Of the slab's own piece there is the header, and what its blocks leave at the end.
    const [, own, state] = all[slab] ?? [];
    expect(state).toBe(OVERHEAD);
    expect(own).toBeGreaterThanOrEqual(4);
    expect(own).toBeLessThan(4 + 112);
    expect(all[slab + 1 + blocks.length]?.[0]).toBe(one - 4 + (own ?? 0) + blocks.length * 112);
  });

  it("by pieces sees the blocks between the chunks, in the order of addresses, none twice", () => {
    const { b } = specimen();
    for (let bytes = 0; bytes < 1000; bytes += 8) b.heap.malloc(bytes);
    const addresses = pieces(b).map(([at]) => at);
    expect(addresses).toEqual([...new Set(addresses)].sort((x, y) => x - y));
    expect(chunks(b).map(([chunk]) => chunk)).toEqual(addresses.filter((at) => !isBlock(at)));
    for (const at of addresses) expect([0, 12]).toContain(at % 16);
  });

  it("covers the footprint: pieces, header, segment and the last word", () => {
    const { b } = specimen();
    const { machine: m, base } = b;
    const bytes = ALL_STATES.map((state) => bytesOf(m, base, state));
    expect(bytes[0]).toBe(3 * 304 + 2 * 112);
    expect(bytes.reduce((sum, each) => sum + each, HEADER_BYTES + 12 + 4)).toBe(b.heap.footprint);
    const all = pieces(b);
    for (const state of ALL_STATES) {
      const those = all.filter(([, , each]) => each === state);
      expect(countOf(m, base, state)).toBe(those.length);
      expect(bytesOf(m, base, state)).toBe(those.reduce((sum, [, size]) => sum + size, 0));
      expect(those.length, `the specimen has state ${state}`).toBeGreaterThan(0);
    }
  });

  it("tells mallinfo: free blocks of slabs are small ones, and the heap's own bytes are in use", () => {
    const { b } = specimen();
    const { machine: m, base } = b;
    const [, cached = 0, free = 0, top = 0] = ALL_STATES.map((state) => bytesOf(m, base, state));
    const info = b.heap.mallinfo();
    expect(info).toMatchObject({
      arena: b.heap.footprint,
      ordblks: 2,
      smblks: countOf(m, base, CACHED),
      fsmblks: cached,
      fordblks: cached + free + top,
      keepcost: top,
    });
    expect(info.uordblks).toBe(info.arena - info.fordblks);
  });

  it("crosses from segment to segment, past the fenceposts", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, smallLimit: 0 });
    const expected: number[] = [];
    for (let segment = 0; segment < 3; segment++) {
      expected.push(b.heap.malloc(60_000) - 4);
      memory.grow(1);
    }
    const seen = chunks(b).filter(([, state]) => state === LIVE);
    expect(seen.map(([chunk]) => chunk)).toEqual(expected);
    expect(chunks(b).map(([chunk]) => chunk)).toEqual(
      chunks(b)
        .map(([chunk]) => chunk)
        .sort((x, y) => x - y),
    );
    b.heap.check();
  });

  it("passes over a segment that ends where its only chunk does", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, smallLimit: 0 });
    // Exactly what the first segment holds, so that nothing of top is left to become a free chunk.
    const first = b.heap.malloc(b.heap.mallinfo().keepcost - 4) - 4;
    expect(b.heap.mallinfo().keepcost).toBe(0);
    memory.grow(1);
    const second = b.heap.malloc(100) - 4;
    expect(chunks(b).map(([chunk]) => chunk)).toEqual([first, second, b.word(b.heap.base + AT_TOP)]);
    b.heap.check();
  });

  it("passes over a segment in which nothing is left", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, smallLimit: 0 });
    /** A chunk of so many bytes in a segment of its own: the limit leaves room for nothing else. */
    const inItsOwn = (bytes: number): number => {
      memory.grow(1);
      b.heap.footprintLimit = b.heap.footprint + bytes + 16;
      return b.heap.malloc(bytes - 4);
    };
    const room = b.heap.memorySize - b.heap.footprint + b.heap.mallinfo().keepcost;
    const first = b.heap.malloc(room - 4);
    const gone = inItsOwn(4096);
    const segment = b.word(b.base + AT_SEGMENT);
    expect(gone - 4).toBe(segment + SEGMENT_CHUNKS);
    b.heap.free(gone);
    expect(b.heap.trim()).toBe(true);
    expect(b.heap.mallinfo().keepcost).toBe(0);
    const last = inItsOwn(1 << 17);
    expect(b.word(segment + SEGMENT_NEXT)).toBe(last - 4 - SEGMENT_CHUNKS);
    expect(chunks(b).map(([chunk]) => chunk)).toEqual([first - 4, last - 4, b.word(b.heap.base + AT_TOP)]);
    b.heap.check();
    expect(() => b.heap.free(gone)).toThrow(/\(outside\)$/);
  });

  it("is what inspectAll shows", () => {
    const { b, live, one, two, top } = specimen();
    const shown: [number, number, string][] = [];
    const usable = new Map<number, [number, number]>();
    b.heap.inspectAll((piece) => {
      shown.push([piece.address, piece.size, piece.state]);
      usable.set(piece.address, [piece.ptr, piece.usable]);
    });
    const names = ["live", "cached", "free", "top", "overhead"];
    expect(shown).toEqual(pieces(b).map(([at, size, state]) => [at, size, names[state]]));
    // A block has no header; a chunk's payload begins behind it.
    expect(usable.get(one)).toEqual([one, 112]);
    expect(usable.get(two)).toEqual([two, 112]);
    expect(live).toBe(b.base + FIRST);
    expect(usable.get(live)).toEqual([live + 4, 300]);
    const topBytes = b.heap.mallinfo().keepcost;
    expect(usable.get(top)).toEqual([top + 4, topBytes - 4]);
  });
});

describe("isFencepost", () => {
  it("is a header of size 0 in use, and nothing else", () => {
    const b = new Bench();
    const [chunk] = b.four(100);
    for (const [word, expected] of [
      [2, true],
      [3, true],
      [0, false],
      [1, false],
      [16 | 2, false],
    ] as const) {
      b.poke(chunk, word);
      expect(isFencepost(b.machine, chunk)).toBe(expected);
    }
  });
});
