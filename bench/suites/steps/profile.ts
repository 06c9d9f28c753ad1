// Profile: the steps of each call of a trace.
//
// Owns:  the loop, and what is counted apart.
// Needs: a counted heap (heap.ts), a trace.
//
// A step is a load or a store of the kernel in JavaScript. The kernel in WebAssembly comes of the same sources, but its
// optimizer may leave some out. Words that are copied for realloc and zeroed for calloc are no steps: the caller asked for them.

import { KIND, kindName, type Trace } from "@morecore/inspect";
import { type Heap } from "morecore";
import { countedHeap, stepsSoFar } from "./heap.ts";
import { isOrdinary, type Outcome } from "./outcome.ts";
import { OutcomeWatch } from "./outcome-watch.ts";
import { type CountedCall, type Spread, SpreadCounter } from "./spread.ts";

export interface KindProfile {
  /** malloc, calloc, realloc, free, aligned, or "all" of them. */
  readonly kind: string;
  readonly every: Spread;
  /** Refill and growth aside. */
  readonly ordinary: Spread;
  /** The first of the calls that took the most steps, of those that did each kind of work. */
  readonly worst: Readonly<Partial<Record<Outcome, CountedCall>>>;
}

export interface StepProfile {
  readonly calls: number;
  /** Calls that found no memory. */
  readonly failures: number;
  /** "all" first, then the kinds that the trace has. */
  readonly kinds: readonly KindProfile[];
}

export const ALL = "all";

/** Plays a trace on a fresh heap, and frees nothing at the end. Calls before `from` are played and not counted. */
export function profileTrace(trace: Trace, from = 0): StepProfile {
  const heap = countedHeap();
  const { opCount, kinds, slots, sizes, alignments } = trace;
  const pointers = new Uint32Array(trace.slotCount);
  const live = new Uint32Array(trace.slotCount);
  const watch = new OutcomeWatch(heap);
  const counters = new Counters();
  let failures = 0;
  for (let index = 0; index < opCount; index++) {
    const kind = kinds[index] as number; // index < opCount, as below
    const slot = slots[index] as number;
    const size = sizes[index] as number;
    const before = stepsSoFar();
    const ptr = perform(heap, kind, pointers[slot] as number, size, alignments[index] as number);
    const steps = stepsSoFar() - before;
    const isFree = kind === KIND.free;
    const work = watch.since();
    const bytes = isFree ? (live[slot] as number) : size;
    if (index >= from) counters.add(index, kindName(kind), bytes, steps, work);
    if (ptr === 0 && !isFree) failures++;
    else {
      pointers[slot] = ptr;
      live[slot] = size;
    }
  }
  return { calls: opCount - from, failures, kinds: counters.profiles() };
}

function perform(heap: Heap, kind: number, ptr: number, size: number, alignment: number): number {
  switch (kind) {
    case KIND.malloc:
      return heap.malloc(size);
    case KIND.calloc:
      return heap.calloc(1, size);
    case KIND.realloc:
      return heap.realloc(ptr, size);
    case KIND.aligned:
      return heap.memalign(alignment, size);
    default:
      heap.free(ptr);
      return 0;
  }
}

interface KindCounters {
  readonly every: SpreadCounter;
  readonly ordinary: SpreadCounter;
  readonly worst: Partial<Record<Outcome, CountedCall>>;
}

class Counters {
  readonly #byKind = new Map<string, KindCounters>();

  add(call: number, kind: string, bytes: number, steps: number, work: Outcome): void {
    for (const name of [ALL, kind]) {
      const { every, ordinary, worst } = this.#of(name);
      every.add(call, kind, bytes, steps, work);
      if (isOrdinary(work)) ordinary.add(call, kind, bytes, steps, work);
      if (steps > (worst[work]?.steps ?? -1)) worst[work] = { call, kind, bytes, steps, work };
    }
  }

  profiles(): KindProfile[] {
    return [...this.#byKind].map(([kind, { every, ordinary, worst }]) => ({
      kind,
      every: every.spread(),
      ordinary: ordinary.spread(),
      worst,
    }));
  }

  #of(kind: string): KindCounters {
    let counters = this.#byKind.get(kind);
    if (counters === undefined) {
      counters = { every: new SpreadCounter(), ordinary: new SpreadCounter(), worst: {} };
      this.#byKind.set(kind, counters);
    }
    return counters;
  }
}
