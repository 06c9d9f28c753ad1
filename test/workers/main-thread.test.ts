// Main thread: a thread that may not wait, as a page's own, makes every call that there is, while Workers are in the middle of theirs.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  Columns,
  f64,
  HashMap,
  Heap,
  HeapString,
  i32,
  Pool,
  SlotMap,
  struct,
  TypedArena,
  text,
  u8,
  Vec,
} from "../../packages/morecore/src/index.ts";
import { seedOf } from "../support/seed.ts";
import { canStartThreads } from "../support/thread.ts";
import { Stress } from "./stress.ts";

const SEED = seedOf("workers/main-thread");
const WORKERS = 3;
const CALLS = 8000;
const TIMES = 60;

const Named = struct({ id: i32, name: text });

/** Every call on a heap, and every kind of thing in one. Each gives back what it takes. */
const WAYS: Readonly<Record<string, (heap: Heap) => void>> = {
  "malloc, usableSize, goodSize, freeSized": (heap) => {
    for (const bytes of [0, 10, 500, 5000, 200_000]) {
      const ptr = heap.malloc(bytes);
      expect(heap.usableSize(ptr)).toBeGreaterThanOrEqual(bytes);
      expect(heap.goodSize(bytes)).toBeGreaterThanOrEqual(bytes);
      heap.freeSized(ptr, bytes);
    }
  },
  "calloc, realloc, reallocarray, reallocInPlace": (heap) => {
    const small = heap.realloc(heap.calloc(3, 10), 3000);
    const large = heap.reallocarray(small, 10, 10_000);
    expect(heap.reallocInPlace(large, 100)).toBe(large);
    heap.free(large);
  },
  "memalign, alignedAlloc, posixMemalign, freeAlignedSized": (heap) => {
    heap.free(heap.memalign(4096, 100));
    heap.freeAlignedSized(heap.alignedAlloc(256, 512), 256, 512);
    const result = heap.malloc(4);
    expect(heap.posixMemalign(result, 64, 1000)).toBe(0);
    heap.bulkFree([heap.u32(result, 1)[0] ?? 0, result]);
  },
  "independentCalloc, independentComalloc, bulkFree": (heap) => {
    heap.bulkFree(heap.independentCalloc(20, 40) ?? []);
    heap.bulkFree(heap.independentComalloc([10, 1000, 10_000]) ?? []);
  },
  "trim and options": (heap) => {
    heap.trim();
    const { smallLimit } = heap.options;
    heap.options.smallLimit = 0;
    heap.free(heap.malloc(100));
    heap.options.smallLimit = smallLimit;
    expect(heap.footprint).toBeLessThanOrEqual(heap.maxFootprint);
    expect(heap.footprintLimit).toBeGreaterThan(0);
  },
  "threads, release, attach, dispose": (heap) => {
    expect(heap.threads().length).toBeGreaterThan(WORKERS);
    expect(heap.release(heap.thread === 1 ? 2 : 1)).toBe(false);
    const window = Heap.attach(heap.handle);
    window.free(window.malloc(100));
    window.dispose();
  },
  "new, delete, ref, views": (heap) => {
    const ref = heap.new(Named, { id: 1, name: "one" });
    expect(heap.ref(Named, ref.ptr).name).toBe("one");
    heap.delete(ref);
    const bytes = heap.newArray(u8, 1000);
    heap.delete(bytes);
  },
  "Bump and Scope": (heap) => {
    const bump = heap.bump();
    bump.new(Named, { id: 2 });
    bump.dispose();
    heap.scope((scope) => scope.new(Named, { id: 3 }).id);
  },
  "Pool, TypedArena, SlotMap": (heap) => {
    const pool = new Pool(heap, Named);
    pool.delete(pool.new(Named, { id: 4 }));
    pool.dispose();
    const arena = new TypedArena(heap, Named);
    arena.new({ id: 5 });
    arena.dispose();
    const map = new SlotMap(heap, Named);
    map.remove(map.insert({ id: 6 }));
    map.dispose();
  },
  "Vec, Columns, HashMap, HeapString": (heap) => {
    const vec = new Vec(heap, f64);
    for (let index = 0; index < 100; index++) vec.push(index);
    vec.dispose();
    const columns = new Columns(heap, Named);
    columns.push({ id: 7, name: "seven" });
    columns.dispose();
    const map = new HashMap(heap, text, f64);
    for (let index = 0; index < 50; index++) map.set(`key ${index}`, index);
    map.dispose();
    const string = new HeapString(heap, "a");
    string.append("b".repeat(1000));
    string.dispose();
  },
};

/** Whether this thread may wait: a page's own may not. */
function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

describe.skipIf(!canStartThreads)("a thread that may not wait", () => {
  const { wait } = Atomics;
  // Where a main thread may, it is made such that it may not.
  beforeEach(() => {
    if (mayWait())
      Atomics.wait = () => {
        throw new TypeError("Atomics.wait cannot be called in this thread");
      };
  });
  afterEach(() => {
    Atomics.wait = wait;
  });

  it("makes every call while Workers make theirs", async () => {
    expect(mayWait()).toBe(false);
    const heap = Heap.create({ shared: true, maximum: 2 ** 28 });
    const part = { entry: "index", rounds: 2, calls: CALLS, largest: 100_000 } as const;
    const stress = new Stress(heap, { seed: SEED, number: 0, largest: part.largest });
    try {
      for (let number = 1; number <= WORKERS; number++)
        await stress.add({ ...part, number, seed: SEED + number * 7919 });
      for (let round = 0; round < part.rounds; round++) {
        await stress.quiet();
        heap.check();
        expect(heap.mallinfo().arena).toBe(heap.footprint);
        heap.inspectAll(() => undefined);
        stress.begin();
        for (let times = 0; times < TIMES; times++) {
          for (const way of Object.values(WAYS)) way(heap);
          stress.mine.play(20);
        }
      }
      await stress.finish();
    } finally {
      await stress.end();
    }
    heap.check();
  });
});
