import { describe, expect, it } from "vitest";
import { NO_CHUNK } from "../../../src/kernel/address.ts";
import { bytesOf, countOf } from "../../../src/kernel/info.ts";
import { AT_TOP, HEADER_BYTES } from "../../../src/kernel/layout.ts";
import {
  chunkBound,
  FREE,
  firstChunk,
  IN_CACHE,
  isFencepost,
  LIVE,
  nextChunk,
  stateOf,
  TOP,
} from "../../../src/kernel/walk.ts";
import { Bench } from "./broken.ts";

function walk(b: Bench): [number, number][] {
  const seen: [number, number][] = [];
  const { machine: m, base } = b;
  for (let c = firstChunk(m, base); c !== NO_CHUNK; c = nextChunk(m, base, c)) {
    seen.push([c, stateOf(m, base, c)]);
    expect(seen.length).toBeLessThanOrEqual(chunkBound(m, base));
  }
  return seen;
}

describe("a walk", () => {
  it("of an empty heap sees top alone", () => {
    const b = new Bench();
    expect(walk(b)).toEqual([[b.heap.base + 2028, TOP]]);
  });

  it("of a full heap sees top still, of size 0", () => {
    const b = new Bench({ size: 4096 });
    const ptr = b.heap.malloc(4096 - 2028 - 4 - 4);
    expect(ptr).not.toBe(0);
    expect(walk(b)).toEqual([
      [ptr - 4, LIVE],
      [b.heap.base + 4092, TOP],
    ]);
    expect(b.heap.malloc(0)).toBe(0);
    b.heap.check();
  });

  it("sees every chunk once, in the order of addresses, in its state", () => {
    const b = new Bench();
    const [live, free, alive, cached] = b.four(100);
    const guard = b.heap.malloc(12) - 4;
    b.heap.bulkFree([free + 4]);
    b.heap.free(cached + 4);
    expect(walk(b)).toEqual([
      [live, LIVE],
      [free, FREE],
      [alive, LIVE],
      [cached, IN_CACHE],
      [guard, LIVE],
      [b.word(b.heap.base + AT_TOP), TOP],
    ]);
  });

  it("covers the footprint: chunks, header, segment and the last word", () => {
    const b = new Bench();
    const [, free, , cached] = b.four(100);
    b.heap.bulkFree([free + 4]);
    b.heap.free(cached + 4);
    const { machine: m, base } = b;
    const bytes = [LIVE, FREE, IN_CACHE, TOP].map((state) => bytesOf(m, base, state));
    expect(bytes.slice(0, 3)).toEqual([224, 112, 112]);
    expect(bytes.reduce((sum, each) => sum + each, HEADER_BYTES + 12 + 4)).toBe(b.heap.footprint);
    expect([LIVE, FREE, IN_CACHE, TOP].map((state) => countOf(m, base, state))).toEqual([2, 1, 1, 1]);
  });

  it("crosses from segment to segment, past the fenceposts", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, cacheLimit: 0 });
    const expected: number[] = [];
    for (let segment = 0; segment < 3; segment++) {
      expected.push(b.heap.malloc(60_000) - 4);
      memory.grow(1);
    }
    const seen = walk(b).filter(([, state]) => state === LIVE);
    expect(seen.map(([chunk]) => chunk)).toEqual(expected);
    expect(walk(b).map(([chunk]) => chunk)).toEqual(
      walk(b)
        .map(([chunk]) => chunk)
        .sort((x, y) => x - y),
    );
    b.heap.check();
  });

  it("passes over a segment that ends where its only chunk does", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const b = new Bench({ memory, advance: 0, cacheLimit: 0 });
    // Exactly what the first segment holds, so that nothing of top is left to become a free chunk.
    const first = b.heap.malloc(b.heap.mallinfo().keepcost - 4) - 4;
    expect(b.heap.mallinfo().keepcost).toBe(0);
    memory.grow(1);
    const second = b.heap.malloc(100) - 4;
    expect(walk(b).map(([chunk]) => chunk)).toEqual([first, second, b.word(b.heap.base + AT_TOP)]);
    b.heap.check();
  });

  it("is what inspectAll shows", () => {
    const b = new Bench();
    const [, free, , cached] = b.four(100);
    b.heap.bulkFree([free + 4]);
    b.heap.free(cached + 4);
    const shown: unknown[] = [];
    b.heap.inspectAll((chunk) =>
      shown.push([chunk.address, chunk.ptr, chunk.size, chunk.usable, chunk.state]),
    );
    const top = b.word(b.heap.base + AT_TOP);
    const topBytes = b.heap.mallinfo().keepcost;
    expect(shown).toEqual([
      [2044, 2048, 112, 108, "live"],
      [2156, 2160, 112, 108, "free"],
      [2268, 2272, 112, 108, "live"],
      [2380, 2384, 112, 108, "cached"],
      [top, top + 4, topBytes, topBytes - 4, "top"],
    ]);
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
