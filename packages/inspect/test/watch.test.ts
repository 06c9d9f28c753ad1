import { describe, expect, it } from "vitest";
import { Heap } from "../../morecore/src/heap/either.ts";
import { makeHostHeap } from "../../wasm/src/run/host-heap.ts";
import { TraceRecorder } from "../src/record/record.ts";
import { replay } from "../src/replay/replay.ts";
import { decodeTrace, recordsOf } from "../src/trace/format.ts";
import { HeapCheckError, type HeapWatch } from "../src/watch/watch.ts";

interface Watched {
  readonly heap: Heap;
  readonly watch: HeapWatch;
  readonly recorder: TraceRecorder;
  /** A function of the family, by its name in C. */
  call(name: string, ...words: number[]): number;
  /** The records, as text: "malloc 0 100". */
  records(): string[];
}

const NAMES = ["malloc", "calloc", "realloc", "free", "aligned"];

function watched(checkEvery = 0): Watched {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const { heap, functions, watched } = makeHostHeap(1024, memory, { trace: true, checkEvery });
  if (watched === undefined || heap === undefined) throw new Error("not watched");
  return {
    heap,
    watch: watched.watch,
    recorder: watched.recorder,
    call: (name, ...words) => (functions["morecore"]?.[`mc_${name}`]?.(...words) ?? 0) >>> 0,
    records: () =>
      [...recordsOf(decodeTrace(watched.recorder.bytes()))].map(({ kind, slot, size, alignment }) =>
        [NAMES[kind], slot, ...(kind === 4 ? [alignment] : []), ...(kind === 3 ? [] : [size])].join(" "),
      ),
  };
}

/** Two words of memory that the heap has given. */
function scratch({ heap }: Watched): number {
  return heap.malloc(64);
}

describe("a watched heap", () => {
  it("records the family's calls, each by what it did", () => {
    const w = watched();
    const p = w.call("malloc", 100);
    const q = w.call("calloc", 3, 40);
    const r = w.call("realloc", p, 200);
    const s = w.call("reallocarray", q, 10, 30);
    const t = w.call("memalign", 64, 50);
    const u = w.call("aligned_alloc", 32, 60);
    w.call("free", r);
    w.call("free_sized", s, 300);
    w.call("free_aligned_sized", u, 32, 60);
    expect(t % 64).toBe(0);
    expect(w.records()).toEqual([
      "malloc 0 100",
      "calloc 1 120",
      "realloc 0 200",
      "realloc 1 300",
      "aligned 2 64 50",
      "aligned 3 32 60",
      "free 0",
      "free 1",
      "free 3",
    ]);
    expect(w.watch.counts).toEqual({ malloc: 1, calloc: 1, realloc: 2, aligned: 2, free: 3, other: 0 });
    expect(w.watch.calls).toBe(9);
  });

  it("takes the block of posix_memalign from where that has put it, and records no failure", () => {
    const w = watched();
    const result = scratch(w);
    expect(w.call("posix_memalign", result, 128, 70)).toBe(0);
    expect(w.call("posix_memalign", result, 3, 70)).toBe(22);
    expect(w.records()).toEqual(["aligned 0 128 70"]);
    w.call("free", w.heap.u32(result, 1)[0] ?? 0);
    expect(w.records()).toEqual(["aligned 0 128 70", "free 0"]);
  });

  it("records realloc_in_place only where the block could get its size", () => {
    const w = watched();
    const p = w.call("malloc", 100);
    w.call("malloc", 100);
    expect(w.call("realloc_in_place", p, 50)).toBe(p);
    expect(w.call("realloc_in_place", p, 5000)).toBe(0);
    expect(w.records()).toEqual(["malloc 0 100", "malloc 1 100", "realloc 0 50"]);
  });

  it("records each block of independent_calloc, and the array if that is a block too", () => {
    const w = watched();
    const array = w.call("independent_calloc", 3, 20, 0);
    const given = scratch(w);
    expect(w.call("independent_calloc", 2, 24, given)).toBe(given);
    expect(w.records()).toEqual([
      "malloc 0 12",
      "calloc 1 20",
      "calloc 2 20",
      "calloc 3 20",
      "calloc 4 24",
      "calloc 5 24",
    ]);
    for (const ptr of [...w.heap.u32(array, 3)]) w.call("free", ptr);
    w.call("free", array);
    expect(w.recorder.liveCount).toBe(2);
  });

  it("knows the sizes of independent_comalloc when its array of blocks is that of the sizes", () => {
    const w = watched();
    const list = scratch(w);
    w.heap.u32(list, 2).set([30, 40]);
    expect(w.call("independent_comalloc", 2, list, list)).toBe(list);
    expect(w.records()).toEqual(["malloc 0 30", "malloc 1 40"]);
  });

  it("records a free for each block that bulk_free takes, though the list is zero afterwards", () => {
    const w = watched();
    const list = scratch(w);
    const blocks = [w.call("malloc", 1), 0, w.call("malloc", 2)];
    w.heap.u32(list, 3).set(blocks);
    w.call("bulk_free", list, 3);
    expect(w.records()).toEqual(["malloc 0 1", "malloc 1 2", "free 0", "free 1"]);
  });

  it("takes sizes and addresses above 2 GiB for what they are", () => {
    const w = watched();
    expect(w.call("malloc", -1)).toBe(0);
    expect(w.call("independent_calloc", -1, 100, 0)).toBe(0);
    expect(w.call("independent_comalloc", -1, 1024, 0)).toBe(0);
    expect(w.records()).toEqual([]);
    expect(w.watch.calls).toBe(3);
  });

  it("counts a call that the heap refuses, and does not record it", () => {
    const w = watched();
    const p = w.call("malloc", 10);
    w.call("free", p);
    expect(() => w.call("free", p)).toThrow("double-free");
    expect(w.records()).toEqual(["malloc 0 10", "free 0"]);
    expect(w.watch.counts.free).toBe(2);
  });

  it("counts what allocates nothing as other", () => {
    const w = watched();
    const p = w.call("malloc", 10);
    w.call("malloc_usable_size", p);
    w.call("count_of", 0);
    expect(w.watch.counts.other).toBe(2);
    expect(w.records()).toEqual(["malloc 0 10"]);
  });

  it("gives a trace that replays with the same peak", () => {
    const w = watched();
    const blocks = Array.from({ length: 100 }, (_, index) => w.call("malloc", index * 7));
    for (const [index, ptr] of blocks.entries()) if (index % 3 === 0) w.call("free", ptr);
    const result = replay(decodeTrace(w.recorder.bytes()), Heap.create());
    expect(result.errors).toEqual([]);
    expect(result.peakLiveBytes).toBe(w.recorder.peakLiveBytes);
    expect(result.calls).toBe(134);
  });
});

describe("a heap that is checked every few calls", () => {
  /** Writes past the end of a block, where the allocator has something of its own. */
  function overrun(w: Watched): void {
    const p = w.call("malloc", 1000);
    w.heap.u8(p + w.heap.usableSize(p), 32).fill(0xee);
  }

  it("is found corrupt at the next multiple, and when it was sound last is said", () => {
    const w = watched(4);
    for (let call = 1; call <= 5; call++) w.call("malloc_good_size", 1);
    overrun(w);
    w.call("malloc_good_size", 1);
    let found: unknown;
    try {
      w.call("malloc_good_size", 99);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(HeapCheckError);
    expect(found).toMatchObject({ call: 8, lastSound: 4 });
    expect(String(found)).toMatch(/found after call 8, malloc_good_size\(99\); it was sound after call 4$/);
  });

  it("is found corrupt by the last check", () => {
    const w = watched(1000);
    overrun(w);
    expect(() => w.watch.check()).toThrow(/found at the end, after call 1; it had not been checked before$/);
  });

  it("goes on when it is sound", () => {
    const w = watched(1);
    for (let call = 1; call <= 5; call++) expect(w.call("malloc", 8)).not.toBe(0);
    expect(() => w.watch.check()).not.toThrow();
  });
});
