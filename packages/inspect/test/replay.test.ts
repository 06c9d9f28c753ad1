import { describe, expect, it } from "vitest";
import { Heap } from "../../morecore/src/heap/either.ts";
import { findPeak, playCalls, releaseAll } from "../src/replay/play.ts";
import { type ReplayHeap, replay } from "../src/replay/replay.ts";
import { readTraceFile } from "../src/trace/file.ts";
import { decodeTrace, encodeTrace, KIND, type Trace, type TraceRecord } from "../src/trace/format.ts";

const NAMES = ["graphviz-dot-20k", "perl-20k", "sqlite-20k"];

function load(name: string): Trace {
  return readTraceFile(new URL(`../../../traces/${name}.mct.gz`, import.meta.url).pathname);
}

function traceOf(...records: TraceRecord[]): Trace {
  return decodeTrace(encodeTrace(records));
}

/** A real heap, some of whose members are replaced by ones that do wrong. */
function faulty(heap: Heap, faults: Partial<ReplayHeap>): ReplayHeap {
  const sound: ReplayHeap = {
    malloc: (bytes) => heap.malloc(bytes),
    calloc: (count, bytes) => heap.calloc(count, bytes),
    realloc: (ptr, bytes) => heap.realloc(ptr, bytes),
    memalign: (alignment, bytes) => heap.memalign(alignment, bytes),
    free: (ptr) => heap.free(ptr),
    get buffer() {
      return heap.buffer;
    },
    get footprint() {
      return heap.footprint;
    },
    get maxFootprint() {
      return heap.maxFootprint;
    },
    usableSize: (ptr) => heap.usableSize(ptr),
    check: () => heap.check(),
    trim: () => heap.trim(),
    statistics: () => heap.statistics(),
    inspectAll: (visit) => heap.inspectAll(visit),
  };
  return Object.defineProperties(sound, Object.getOwnPropertyDescriptors(faults));
}

const TWO_BLOCKS = traceOf(
  { kind: KIND.malloc, slot: 0, size: 40 },
  { kind: KIND.malloc, slot: 1, size: 40 },
  { kind: KIND.free, slot: 0 },
  { kind: KIND.free, slot: 1 },
);

describe("a replay on a sound heap", () => {
  it.each(NAMES)("of %s finds no error, checking every 500 calls", (name) => {
    const trace = load(name);
    const result = replay(trace, Heap.create(), { checkEvery: 500 });
    expect(result.errors).toEqual([]);
    expect(result).toMatchObject({ calls: 20_000, errorCount: 0, stopped: false });
    expect(result.peakFootprint).toBeGreaterThan(result.peakLiveBytes);
  });

  it.each(NAMES)("of %s leaves one top chunk", (name) => {
    const heap = Heap.create();
    replay(load(name), heap);
    const states: string[] = [];
    heap.trim();
    heap.inspectAll(({ state }) => states.push(state));
    expect(states).toEqual(["top"]);
  });

  it.each(NAMES)("of %s has samples whose largest values are the peaks", (name) => {
    const trace = load(name);
    const { samples, peakFootprint } = replay(trace, Heap.create(), { sampleCount: 50 });
    expect(samples.length).toBeLessThanOrEqual(52);
    expect(Math.max(...samples.map(({ liveBytes }) => liveBytes))).toBe(trace.peakLiveBytes);
    expect(Math.max(...samples.map(({ footprint }) => footprint))).toBe(peakFootprint);
    expect(samples.at(-1)?.calls).toBe(trace.opCount);
  });

  it.each(NAMES)("of %s maps the heap at its peak: the live chunks hold the live bytes", (name) => {
    const trace = load(name);
    const { peakMap } = replay(trace, Heap.create());
    expect(peakMap?.bytes.live).toBeGreaterThan(trace.peakLiveBytes);
    expect(peakMap?.counts.top).toBe(1);
  });

  it("samples a footprint that is trimmed again before the sample is taken", () => {
    const trace = traceOf(
      { kind: KIND.malloc, slot: 0, size: 40 },
      { kind: KIND.malloc, slot: 1, size: 16 * 2 ** 20 },
      { kind: KIND.free, slot: 1 },
      { kind: KIND.free, slot: 0 },
    );
    const heap = Heap.create({ trimThreshold: 2 ** 20 });
    const { samples, peakFootprint } = replay(trace, heap, { sampleCount: 1 });
    expect(heap.footprint).toBeLessThan(2 ** 20);
    expect(samples.at(-1)?.footprint).toBe(peakFootprint);
  });

  it("counts the checks and the progress that were asked for", () => {
    const calls: number[] = [];
    let checks = 0;
    const heap = Heap.create();
    const counting = faulty(heap, {
      check: () => {
        checks++;
        heap.check();
      },
    });
    replay(load("sqlite-20k"), counting, { checkEvery: 4000, onProgress: (done) => calls.push(done) });
    expect(checks).toBe(20_000 / 4000 + 1);
    expect(calls).toEqual([0, 8192, 16384, 20000]);
  });

  it("of a trace without calls is a heap without chunks in use", () => {
    const result = replay(traceOf(), Heap.create());
    expect(result).toMatchObject({ calls: 0, errorCount: 0, peakLiveBytes: 0 });
    expect(result.peakMap?.counts.live).toBe(0);
  });

  it("refuses options that mean nothing", () => {
    const heap = Heap.create();
    expect(() => replay(TWO_BLOCKS, heap, { checkEvery: -1 })).toThrow("checkEvery");
    expect(() => replay(TWO_BLOCKS, heap, { checkevery: 1 } as object)).toThrow(
      'options: unknown option "checkevery"; known are checkEvery, sampleCount, onProgress',
    );
    expect(() => replay(TWO_BLOCKS, heap, { sampleCount: 0.5 })).toThrow("sampleCount");
  });
});

describe("a replay finds", () => {
  it("two live payloads that are the same", () => {
    const heap = Heap.create();
    let given = 0;
    const same = faulty(heap, {
      malloc: (bytes) => {
        if (given === 0) given = heap.malloc(bytes);
        return given;
      },
    });
    const result = replay(TWO_BLOCKS, same);
    expect(result.errors[0]).toMatchObject({ call: 2 });
    expect(result.errors[0]?.message).toMatch(
      /^call 2 \(free, slot 0\): payload 0x[0-9a-f]+ of 40 bytes is not as stamped before the call: at byte 0 expected/,
    );
  });

  it("two live payloads that overlap by a granule", () => {
    const heap = Heap.create();
    let first = 0;
    const near = faulty(heap, {
      malloc: (bytes) => {
        if (first !== 0) return first + 32;
        first = heap.malloc(bytes + 64);
        return first;
      },
      usableSize: () => 1000,
      free: () => {},
    });
    expect(replay(TWO_BLOCKS, near).errors[0]?.message).toContain("at byte 32 expected");
  });

  it("a byte written by the allocator into a live payload", () => {
    const heap = Heap.create();
    const ptrs: number[] = [];
    const writing = faulty(heap, {
      malloc: (bytes) => {
        const ptr = heap.malloc(bytes);
        const [first] = ptrs;
        if (first !== undefined) heap.u8(first)[39] = (heap.u8(first)[39] ?? 0) ^ 1;
        ptrs.push(ptr);
        return ptr;
      },
    });
    const { errorCount, errors } = replay(TWO_BLOCKS, writing);
    expect(errorCount).toBe(1);
    expect(errors[0]?.message).toContain("call 2 (free, slot 0)");
  });

  it.each([0, 37, 4095, 4998, 4999])("byte %d of a calloc that is not zero", (at) => {
    const heap = Heap.create();
    const dirty = faulty(heap, {
      calloc: (count, bytes) => {
        const ptr = heap.calloc(count, bytes);
        heap.u8(ptr)[at] = 1;
        return ptr;
      },
    });
    const result = replay(traceOf({ kind: KIND.calloc, slot: 0, size: 5000 }), dirty);
    expect(result.errors).toEqual([
      { call: 0, message: `call 0 (calloc, slot 0, 5000 bytes): byte ${at} of 5000 is not zero` },
    ]);
  });

  it.each([
    ["grows", 100, 3000, 99],
    ["shrinks", 3000, 100, 99],
    ["shrinks inside a word", 103, 102, 101],
    ["grows a large block", 5000, 9000, 4999],
  ])("a realloc that %s and loses the last byte of the common prefix", (_, from, to, at) => {
    const heap = Heap.create();
    const losing = faulty(heap, {
      realloc: (ptr, bytes) => {
        const moved = heap.realloc(ptr, bytes);
        heap.u8(moved)[at] = (heap.u8(moved)[at] ?? 0) ^ 0x40;
        return moved;
      },
    });
    const trace = traceOf(
      { kind: KIND.malloc, slot: 0, size: from },
      { kind: KIND.realloc, slot: 0, size: to },
    );
    const { errors } = replay(trace, losing);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain(`call 1 (realloc, slot 0, ${to} bytes): payload`);
    expect(errors[0]?.message).toContain("is not as stamped after the call");
  });

  it.each([
    ["an address that is not a multiple of 16", { malloc: () => 1000 * 16 + 8 }, "is not a multiple of 16"],
    ["an address outside the memory", { malloc: () => 2 ** 31 }, "0x80000000 is outside the memory"],
    ["a usable size below the request", { usableSize: () => 39 }, "has 39 usable bytes of the 40 asked for"],
  ])("%s", (_, faults, message) => {
    const { errors } = replay(TWO_BLOCKS, faulty(Heap.create(), faults));
    expect(errors[0]?.message).toContain(message);
  });

  it("an aligned block that is not", () => {
    const heap = Heap.create();
    const skew = faulty(heap, { memalign: (alignment, bytes) => heap.memalign(alignment, bytes + 16) + 16 });
    const { errors } = replay(traceOf({ kind: KIND.aligned, slot: 0, size: 40, alignment: 256 }), skew);
    expect(errors[0]?.message).toContain("is not a multiple of 256");
  });

  it("a free that does nothing, at the end", () => {
    const result = replay(TWO_BLOCKS, faulty(Heap.create(), { free: () => {} }));
    expect(result.errors).toEqual([
      {
        call: 4,
        message:
          "at the end: all is freed, and the heap still has chunks besides its top: 2 live, 3 of its own, 23 cached, 0 free",
      },
    ]);
  });

  it("a check that fails, and stops there", () => {
    const heap = Heap.create();
    let checks = 0;
    const failing = faulty(heap, {
      check: () => {
        if (++checks === 3) throw new Error("B1 does not hold");
      },
    });
    const result = replay(load("perl-20k"), failing, { checkEvery: 1000 });
    expect(result).toMatchObject({ stopped: true, errorCount: 1, peakMap: undefined });
    expect(result.errors[0]).toMatchObject({ call: 3000 });
    expect(result.errors[0]?.message).toContain("Error: B1 does not hold");
  });

  it("a heap that throws, and stops there", () => {
    const throwing = faulty(Heap.create(), {
      free: () => {
        throw new Error("double free");
      },
    });
    const result = replay(TWO_BLOCKS, throwing);
    expect(result).toMatchObject({ stopped: true, errorCount: 1 });
    expect(result.errors[0]?.message).toBe("call 2 (free, slot 0): Error: double free");
  });

  it("that a real heap's header was overwritten", () => {
    // Blocks of slabs have none.
    const heap = Heap.create({ smallLimit: 0 });
    const wild = faulty(heap, {
      malloc: (bytes) => {
        const ptr = heap.malloc(bytes);
        heap.u32(ptr - 4, 1)[0] = 0;
        return ptr;
      },
    });
    expect(replay(TWO_BLOCKS, wild)).toMatchObject({ stopped: true, errorCount: 1 });
  });

  it("that memory ran out, and goes on without the block", () => {
    const heap = Heap.create({ footprintLimit: 256 * 1024 });
    const result = replay(load("perl-20k"), heap);
    expect(result.stopped).toBe(false);
    expect(result.errorCount).toBeGreaterThan(20);
    expect(result.errors).toHaveLength(20);
    for (const { message } of result.errors) expect(message).toMatch(/: out of memory for \d+ bytes$/);
  });

  it("that a failed realloc has changed the old block", () => {
    const heap = Heap.create();
    const failing = faulty(heap, {
      realloc: (ptr) => {
        heap.u8(ptr)[3] = (heap.u8(ptr)[3] ?? 0) ^ 1;
        return 0;
      },
    });
    const trace = traceOf(
      { kind: KIND.malloc, slot: 0, size: 40 },
      { kind: KIND.realloc, slot: 0, size: 80 },
      { kind: KIND.free, slot: 0 },
    );
    const { errors } = replay(trace, failing);
    expect(errors.map(({ call }) => call)).toEqual([1, 1]);
    expect(errors[0]?.message).toContain("out of memory for 80 bytes");
    expect(errors[1]?.message).toContain("is not as stamped after the call");
  });
});

describe("playing the calls alone", () => {
  it.each(NAMES)("leaves the blocks of %s that are live at its end, and frees them when asked", (name) => {
    const trace = load(name);
    const heap = Heap.create();
    const pointers = new Uint32Array(trace.slotCount);
    expect(playCalls(trace, heap, pointers)).toBe(0);
    let live = 0;
    heap.inspectAll(({ state }) => {
      if (state === "live") live++;
    });
    expect(pointers.filter((ptr) => ptr !== 0)).toHaveLength(live);
    releaseAll(heap, pointers);
    heap.check();
    heap.trim();
    const states: string[] = [];
    heap.inspectAll(({ state }) => states.push(state));
    expect(states).toEqual(["top"]);
  });

  it("counts the calls that found no memory", () => {
    const trace = load("perl-20k");
    const heap = Heap.create({ footprintLimit: 256 * 1024 });
    expect(playCalls(trace, heap, new Uint32Array(trace.slotCount))).toBeGreaterThan(0);
    heap.check();
  });

  it("finds the first call at the peak of live bytes", () => {
    expect(findPeak(TWO_BLOCKS)).toBe(1);
    expect(findPeak(traceOf())).toBe(-1);
    const records: TraceRecord[] = [
      { kind: KIND.malloc, slot: 0, size: 10 },
      { kind: KIND.realloc, slot: 0, size: 90 },
      { kind: KIND.free, slot: 0 },
      { kind: KIND.malloc, slot: 0, size: 90 },
    ];
    expect(findPeak(traceOf(...records))).toBe(1);
  });
});
