// Sharing: heaps that threads share, for the engine. For JavaScript only.
//
// Needs: common, settings.
//
// What can be set is kept in common's header, for the threads that will come, and in the header of each thread's heap.

import { asBase, type Base } from "./address.ts";
import { isPlace } from "./check-common.ts";
import { CORRUPTED } from "./codes.ts";
import { firstUnit, formatCommon, joinHeap, leaveHeap, openCommon } from "./common.ts";
import type { HeapSettings, Settings, Sharing } from "./engine.ts";
import {
  AT_FIRST_HEAP,
  AT_FOOTPRINT,
  AT_LEASE,
  AT_MAPPED,
  AT_THREADS,
  AT_VERSION,
  BEAT,
  FAR_STATES,
  GONE,
  GRANULE_LOG2,
  HEADER_BYTES,
  HEADER_WORD,
  NEXT_HEAP,
  SHARED_VERSION,
  SLAB_UNIT,
  SLAB_UNIT_LOG2,
  THREAD,
} from "./layout.ts";
import type { Machine } from "./machine.ts";
import { settings as ofOne } from "./settings.ts";
import { leaveClasses } from "./slab-idle.ts";
import { takeOver } from "./take-over.ts";

export const sharing: Sharing = {
  least: (base, most) => firstUnit(base, most) + 2 * SLAB_UNIT - base,
  format(m, base, { limit, untouched, flags, most }, growthStep) {
    formatCommon(m, base, limit, most, untouched, flags, growthStep);
    openCommon(m, base);
  },
  isShared: (m, base) => m.load32(base + AT_VERSION) === SHARED_VERSION,
  join: joinHeap,
  leave: (m, thread) => {
    // Others may have taken it over.
    if (m.load32(thread - THREAD) !== GONE) leaveHeap(m, thread);
  },
  count: (m, base) => m.load32(base + AT_THREADS),
  threads: (m, base) =>
    threadHeaps(m, base).map((heap) => ({
      thread: m.load32(heap - THREAD),
      heap,
      footprint: m.load32(heap + AT_FOOTPRINT),
    })),
  number: (m, thread) => m.load32(thread - THREAD),
  signs: (m, thread) => ({ beat: m.loadShared(thread - BEAT), doings: doingsOf(m, thread) }),
  beat: (m, thread, now) => m.storeShared(thread - BEAT, now),
  lease: (m, base) => m.load32(base + AT_LEASE),
  setLease: (m, base, milliseconds) => m.store32(base + AT_LEASE, milliseconds),
  takeOver: (m, base, thread) => takeOver(m, base, thread) !== undefined,
};

/** A sum of a heap's header: a thread that allocates changes it soon, whether or not it says that it is there. */
function doingsOf(m: Machine, thread: Base): number {
  let sum = 0;
  const add = (from: number, to: number): void => {
    for (let at = from; at < to; at += HEADER_WORD) sum = (Math.imul(sum, 31) + m.load32(at)) >>> 0;
  };
  // Between the two lies what others write.
  add(thread - FAR_STATES, thread - NEXT_HEAP);
  add(thread, thread + HEADER_BYTES);
  return sum;
}

/** The heaps of all threads that ever came, newest first. Aborts where the list leads astray: it always ends. O(threads). */
export function threadHeaps(m: Machine, common: Base): Base[] {
  const heaps: Base[] = [];
  const most = m.load32(common + AT_MAPPED) >>> SLAB_UNIT_LOG2;
  let steps = 0;
  for (let at = m.loadShared(common + AT_FIRST_HEAP); at !== 0; at = m.load32(at - NEXT_HEAP), steps++) {
    // It may lie in memory that was not there when this call began.
    if (steps === most || !isPlace(m, common, at) || !m.reaches(at + HEADER_BYTES))
      m.abort(CORRUPTED, common + AT_FIRST_HEAP);
    // A header that serves no thread has no heap.
    if (m.load32(at - THREAD) !== GONE) heaps.push(asBase(at));
  }
  return heaps;
}

/** The settings of heaps of both kinds. */
export const settings: Settings = {
  ...ofOne,
  write(m, base, name, value) {
    ofOne.write(m, base, name, value);
    if (!m.threads) return;
    for (const heap of threadHeaps(m, base)) ofOne.write(m, heap, name, value);
    if (name === "smallLimit" && m.thread !== 0) leaveLarger(m, value as HeapSettings["smallLimit"]);
  },
};

function leaveLarger(m: Machine, smallLimit: number): void {
  leaveClasses(m, m.thread, (smallLimit >>> GRANULE_LOG2) + 1);
}
