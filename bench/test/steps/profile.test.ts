// Profile: that steps are attributed to the right call, kind and work.

import { expect, test } from "vitest";
import {
  decodeTrace,
  encodeTrace,
  KIND,
  type Trace,
  type TraceRecord,
} from "../../../packages/inspect/src/trace/format.ts";
import { countedLibrary } from "../../../test/support/steps.ts";

const { ALL, countedHeap, countedHeapIn, profileTrace, stepsSoFar, OutcomeWatch } = await countedLibrary();

function traceOf(records: readonly TraceRecord[]): Trace {
  return decodeTrace(encodeTrace(records));
}

function spreadOf(trace: Trace, kind: string) {
  const found = profileTrace(trace).kinds.find((profile) => profile.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} in the profile`);
  return found;
}

test("a counted heap counts, and its neighbour's calls add to the same sum", () => {
  const heap = countedHeap();
  const before = stepsSoFar();
  heap.free(heap.malloc(100));
  expect(stepsSoFar()).toBeGreaterThan(before);
});

test("each call counts once in its kind and once in all", () => {
  const trace = traceOf([
    { kind: KIND.malloc, slot: 0, size: 100 },
    { kind: KIND.calloc, slot: 1, size: 1000 },
    { kind: KIND.realloc, slot: 0, size: 5000 },
    { kind: KIND.aligned, slot: 2, size: 64, alignment: 64 },
    { kind: KIND.free, slot: 1 },
  ]);
  const { calls, failures, kinds } = profileTrace(trace);
  expect([calls, failures]).toEqual([5, 0]);
  expect(kinds.map(({ kind, every }) => [kind, every.calls])).toEqual([
    [ALL, 5],
    ["malloc", 1],
    ["calloc", 1],
    ["realloc", 1],
    ["aligned", 1],
    ["free", 1],
  ]);
});

test("the worst call is the one at its position, with what was asked for", () => {
  const small: TraceRecord = { kind: KIND.malloc, slot: 0, size: 32 };
  const again: TraceRecord = { kind: KIND.free, slot: 0 };
  const { every, worst } = spreadOf(traceOf([small, again, small, again]), ALL);
  expect(every.worst).toMatchObject({ call: 0, kind: "malloc", bytes: 32, work: "growth" });
  expect(every.max).toBe(every.worst?.steps);
  expect(worst["growth"]?.call).toBe(0);
  // The second pair finds a slab: a word of bits and no more.
  expect(worst["plain"]?.steps).toBeLessThan(every.max / 2);
});

test("percentiles are of calls, and the mean of all their steps", () => {
  const pairs = Array.from({ length: 500 }, (): TraceRecord[] => [
    { kind: KIND.malloc, slot: 0, size: 32 },
    { kind: KIND.free, slot: 0 },
  ]);
  const { every, ordinary } = spreadOf(traceOf(pairs.flat()), "malloc");
  expect(every.p50).toBe(every.p99);
  expect(every.p50).toBeLessThan(every.max);
  expect(every.mean).toBeCloseTo((every.p50 * 499 + every.max) / 500, 10);
  expect([ordinary.calls, ordinary.max]).toEqual([499, every.p50]);
});

test("work is told apart: a slab begun, the heap grown, a slab given back", () => {
  const heap = countedHeap();
  const watch = new OutcomeWatch(heap);
  expect(watch.since()).toBe("plain");
  heap.options.growthStep = 65_536;
  heap.malloc(5000);
  expect(watch.since()).toBe("growth");
  const small = heap.malloc(16);
  expect(watch.since()).toBe("refill");
  const large = heap.malloc(10_000_000);
  expect(watch.since()).toBe("growth");
  heap.free(small);
  heap.free(large);
  expect(watch.since()).toBe("plain");
  heap.trim();
  expect(watch.since()).toBe("gave back");
});

test("a call for which the memory has no more is told from others", () => {
  const heap = countedHeapIn(new ArrayBuffer(65_536));
  const watch = new OutcomeWatch(heap);
  expect([heap.malloc(10_000) > 0, watch.since()]).toEqual([true, "growth"]);
  expect([heap.malloc(100_000), watch.since()]).toEqual([0, "refused"]);
  expect([heap.malloc(1000) > 0, watch.since()]).toEqual([true, "plain"]);
});

test("a call that begins one run and gives back another counts as refill", () => {
  const workOf = (last: (heap: ReturnType<typeof countedHeap>, ptr: number) => void): string => {
    const heap = countedHeap();
    const watch = new OutcomeWatch(heap);
    // Several runs of 16 bytes; the one that has the first block is not the current one.
    const blocks = Array.from({ length: 1000 }, () => heap.malloc(16));
    const first = blocks.shift() as number;
    for (const ptr of blocks.slice(0, -1)) heap.free(ptr);
    watch.since();
    last(heap, first);
    return watch.since();
  };
  expect(workOf((heap, ptr) => heap.free(ptr))).toBe("gave back");
  expect(workOf((heap, ptr) => heap.realloc(ptr, 200))).toBe("refill");
});

test("calls before the first that counts are played and not counted", () => {
  const pair: TraceRecord[] = [
    { kind: KIND.malloc, slot: 0, size: 32 },
    { kind: KIND.free, slot: 0 },
  ];
  const { calls, kinds } = profileTrace(traceOf([...pair, ...pair]), 2);
  expect([calls, kinds[0]?.every.calls]).toEqual([2, 2]);
  // The slab was begun by a call that does not count.
  expect(kinds[0]?.every.worst?.work).toBe("plain");
});
