// Stopped: Workers are terminated at any moment, and their places taken back. Nothing waits for them, no block that others have is lost,
// and what they kept serves those who come next. In Node, where a Worker that is terminated makes no more steps; test/workers has what
// holds in every engine.

import { afterEach, describe, expect, it, vi } from "vitest";
import { Heap } from "../../packages/morecore/src/index.ts";
import { roundsOf, seedOf } from "../support/seed.ts";
import { Stress } from "../workers/stress.ts";

const SEED = seedOf("threads/stopped");
const TIMES = roundsOf(60);
const AT_ONCE = 3;
const LEASE = 20;
const PART = { entry: "index", rounds: 1, calls: 1, largest: 100_000 } as const;

/** Calls back in turns of the event loop until it says true. */
async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("Workers that are terminated in the middle", () => {
  it("leave a heap that is sound, and whose memory serves the next", { timeout: 240_000 }, async () => {
    const heap = Heap.create({ shared: true, maximum: 2 ** 28, lease: LEASE });
    const stress = new Stress(heap, { ...PART, number: 0, seed: SEED });
    const one = async (index: number): Promise<void> => {
      const worker = await stress.addLeashed({ ...PART, number: 1, seed: SEED + index * 7919 });
      // Some turns of this loop: the Worker is anywhere in its calls.
      for (let turns = index % 7; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      await worker.terminate();
      await until(() => heap.release(worker.thread));
      expect(heap.threads().some(({ thread }) => thread === worker.thread)).toBe(false);
    };
    for (let index = 0; index < TIMES; index += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, place) => one(index + place)));
      heap.check();
    }
    // Who was stopped while it wrote a new block had not handed it over.
    await stress.finish();
    // Each place serves the next: there are as many as Workers at a time, and this thread's.
    expect(heap.threads().length).toBeLessThanOrEqual(AT_ONCE + 1);
  });
});

describe("release", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Two places in a heap, of which the other is as a thread's: it knows nothing of this one's objects. */
  const two = () => {
    vi.useFakeTimers();
    const heap = Heap.create({ shared: true, maximum: 2 ** 24, lease: 1000 });
    const { memory, base } = heap.handle;
    return { heap, other: Heap.attach({ memory: structuredClone(memory), base }) };
  };

  it("takes back what was silent for the lease, and nothing before", () => {
    const { heap, other } = two();
    expect([heap.thread, other.thread]).toEqual([1, 2]);
    expect(heap.release(2)).toBe(false);
    // It says that it is there, of its own accord.
    vi.advanceTimersByTime(5000);
    expect(heap.release(2)).toBe(false);
    // It has stopped.
    vi.clearAllTimers();
    vi.advanceTimersByTime(700);
    expect(heap.release(2)).toBe(false);
    vi.advanceTimersByTime(300);
    expect(heap.threads().find(({ thread }) => thread === 2)?.silent).toBeGreaterThanOrEqual(1000);
    expect(heap.release(2)).toBe(true);
    expect(heap.threads().map(({ thread }) => thread)).toEqual([0, 1]);
    heap.check();
  });

  it("waits for another lease if the thread has done something, though it did not say that it is there", () => {
    const { heap, other } = two();
    vi.clearAllTimers();
    expect(heap.release(2)).toBe(false);
    vi.advanceTimersByTime(1000);
    other.malloc(5000);
    expect(heap.release(2)).toBe(false);
    vi.advanceTimersByTime(999);
    expect(heap.release(2)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(heap.release(2)).toBe(true);
  });

  it("leaves the blocks as they are, and refuses the thread's next calls; it may come again", () => {
    const { heap, other } = two();
    const small = other.malloc(100);
    const large = other.malloc(5000);
    other.u8(large, 5000).fill(7);
    vi.clearAllTimers();
    heap.release(2);
    vi.advanceTimersByTime(1000);
    expect(heap.release(2)).toBe(true);
    for (const bytes of [10, 100, 5000])
      expect(() => other.malloc(bytes)).toThrow(expect.objectContaining({ code: "taken-back" }));
    expect(other.usableSize(small)).toBe(112);
    expect(heap.u8(large, 5000).every((byte) => byte === 7)).toBe(true);
    other.free(small);
    heap.free(large);
    heap.check();
    other.dispose();
    const { memory, base } = heap.handle;
    const again = Heap.attach({ memory: structuredClone(memory), base });
    expect(again.malloc(100)).not.toBe(0);
    expect(again.thread).toBe(3);
    heap.check();
  });

  it("refuses this thread, a thread that never came, and a heap that is not shared", () => {
    const heap = Heap.create({ shared: true, maximum: 2 ** 24 });
    expect(() => heap.release(1)).toThrow("thread: expected another thread than this one");
    for (const thread of [0, 2, 99])
      expect(() => heap.release(thread)).toThrow(
        `thread: expected the number of one that has come to this heap, got ${thread}`,
      );
    expect(() => Heap.create().release(1)).toThrow(RangeError);
    expect(Heap.create().threads()).toEqual([]);
  });

  it("says true of a thread that has left by itself", () => {
    const heap = Heap.create({ shared: true, maximum: 2 ** 24 });
    const other = Heap.attach(heap.handle);
    expect(heap.threads()).toEqual([
      { thread: 1, silent: expect.any(Number), footprint: expect.any(Number) },
    ]);
    other.dispose();
    expect(heap.threads()).toHaveLength(1);
  });
});
