// Common: a heap that threads share, as a whole: how it begins, and how a thread gets a heap of its own in it and leaves it.
//
// Owns:  common's header, the list of the threads' heaps, what lies before each of them.
// Needs: image, options, slabs, top, units.
//
// A thread's heap is a heap as any other, with a header of its own; its memory are units that it takes from what is common. A thread that
// leaves leaves all of it behind, with the blocks that live in it. The next thread that comes goes on there.

import { asBase, Base, Word } from "./address.ts";
import { formatHeap } from "./image.ts";
import { markInternal } from "./internal.ts";
import {
  AT_ADVANCE_LOG2,
  AT_COMMON,
  AT_FIRST_HEAP,
  AT_FLAGS,
  AT_FOOTPRINT,
  AT_FOOTPRINT_LIMIT,
  AT_FRESH,
  AT_GROWTH_STEP,
  AT_LIMIT,
  AT_MAGIC,
  AT_MAP,
  AT_MAPPED,
  AT_MAX_FOOTPRINT,
  AT_SELF,
  AT_SMALL_LIMIT,
  AT_THREADS,
  AT_TRIM_THRESHOLD,
  AT_VERSION,
  MAGIC,
  MIN_THREAD,
  NEXT_HEAP,
  NO_THREAD,
  OTHER_HEADER,
  PLACE_BYTES,
  SHARED_VERSION,
  SLAB_UNIT,
  SLAB_UNIT_LOG2,
  THREAD,
  THREAD_MAGIC,
  UNLIMITED,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { flushSlabs } from "./slab-idle.ts";
import { collectListed, readMail } from "./slab-mail.ts";
import { takeTop, trimTop } from "./top.ts";
import {
  addCommonFootprint,
  addUnbounded,
  commonOf,
  freshFrom,
  giveUnits,
  isFirstHeader,
  leastTaken,
  mapBytes,
  mapStart,
  otherHeader,
  takeUnits,
} from "./units.ts";

/** Where the first thread's heap can begin, if common lies at an address and memory may reach up to another. */
export function firstUnit(common: Base, most: Word): Word {
  const units = ((most - 1) >>> SLAB_UNIT_LOG2) - (common >>> SLAB_UNIT_LOG2) + 1;
  return ((mapStart(common) + (units << 2) + (SLAB_UNIT - 1)) & ~(SLAB_UNIT - 1)) >>> 0;
}

/**
 * Writes a heap that has no thread yet at an address: its memory are the whole units from firstUnit up to `limit`, and it may reach up to
 * `most`. All is zero from `untouched` on. The caller writes its settings next, and opens it.
 */
export function formatCommon(
  m: Machine,
  common: Base,
  limit: Word,
  most: Word,
  untouched: Word,
  flags: Word,
  step: Word,
): void {
  const first = firstUnit(common, most);
  const end: Word = (limit & ~(SLAB_UNIT - 1)) >>> 0;
  m.zero(common, (untouched < first ? untouched : first) - common);
  m.store32(common + AT_VERSION, SHARED_VERSION);
  m.store32(common + AT_SELF, common);
  m.store32(common + AT_FLAGS, flags);
  m.store32(common + AT_FRESH, untouched > first ? untouched : first);
  m.store32(common + AT_LIMIT, first < end ? end : first);
  const used = mapStart(common) - common + mapBytes(m.load32(common + AT_LIMIT) - common);
  m.store32(common + AT_FOOTPRINT, used);
  m.store32(common + AT_MAX_FOOTPRINT, used);
  m.store32(common + AT_FOOTPRINT_LIMIT, UNLIMITED);
  m.store32(common + AT_GROWTH_STEP, step);
  m.store32(common + AT_TRIM_THRESHOLD, UNLIMITED);
  m.store32(common + AT_MAP, mapStart(common) - ((common >>> SLAB_UNIT_LOG2) << 2));
  m.store32(common + AT_MAPPED, most - common);
  m.store32(common + AT_COMMON, common);
  if (first < end) giveUnits(m, common, first, end);
}

/** Says that there is a heap now: threads may come. */
export function openCommon(m: Machine, common: Base): void {
  m.storeShared(common + AT_MAGIC, MAGIC);
}

/** A heap for a thread that comes: one that another has left, or a new one. Its address; 0: there is no memory for it. O(threads). */
export function joinHeap(m: Machine, common: Base): Base {
  const place = takePlace(m, common);
  return place === 0 ? place : settleIn(m, place);
}

/**
 * The first half of joinHeap: where the thread's heap is, or, if nobody has left one, where it is to begin. In wasm this address becomes
 * the global's before the other half. 0: no memory.
 */
export function takePlace(m: Machine, common: Base): Base {
  const thread = m.addShared(common + AT_THREADS, 1) + 1;
  let left = asBase(m.loadShared(common + AT_FIRST_HEAP));
  // It may lie in memory that was not there when this call began.
  while (left !== 0 && m.reaches(left)) {
    if (m.compareExchange(left - THREAD, NO_THREAD, thread) === NO_THREAD) return left;
    left = asBase(m.load32(left - NEXT_HEAP));
  }
  const first = firstUnit(common, common + m.load32(common + AT_MAPPED));
  let bytes = firstBytes(m, common);
  let from = takeUnits(m, common, asBase(0), bytes, first);
  if (from === 0) {
    bytes = fewestBytes(m, common);
    from = takeUnits(m, common, asBase(0), bytes, first);
  }
  if (from === 0) return asBase(0);
  const place = asBase(from + PLACE_BYTES);
  // What lay here before is no heap any more. The fresh mark waits until one begins.
  m.store32(place + AT_MAGIC, 0);
  m.store32(place + AT_LIMIT, from + bytes);
  m.store32(place + AT_COMMON, common);
  m.store32(place - THREAD, thread);
  return place;
}

/** What a new heap takes at once: room for its first growth step, in what threads take at once. */
function firstBytes(m: Machine, common: Base): Word {
  const least = fewestBytes(m, common);
  const step = m.load32(common + AT_GROWTH_STEP);
  return step > least ? step : least;
}

/** What it takes at least. */
function fewestBytes(m: Machine, common: Base): Word {
  const least = leastTaken(m, common);
  return least < 2 * SLAB_UNIT ? 2 * SLAB_UNIT : least;
}

/** The other half: begins the heap, unless there is one. 0: the footprint's limit forbids it, and nothing has changed. */
export function settleIn(m: Machine, heap: Base): Base {
  if (m.load32(heap + AT_MAGIC) === THREAD_MAGIC) return heap;
  const common = commonOf(m, heap);
  const from = heap - PLACE_BYTES;
  const end = m.load32(heap + AT_LIMIT);
  const thread = m.load32(heap - THREAD);
  const fresh = freshFrom(m, common, from, end);
  const step = m.load32(common + AT_GROWTH_STEP);
  m.zero(from, PLACE_BYTES);
  formatHeap(m, heap, end, fresh, m.load32(common + AT_FLAGS), step < MIN_THREAD ? MIN_THREAD : step);
  m.store32(heap + AT_GROWTH_STEP, step);
  markInternal(m, takeTop(m, heap, OTHER_HEADER));
  const footprint = m.load32(heap + AT_FOOTPRINT);
  // The first one is there whatever the limit: a heap that never grows has what it begins with.
  if (m.loadShared(common + AT_FIRST_HEAP) === 0) addUnbounded(m, common, footprint);
  else if (addCommonFootprint(m, common, footprint, footprint) === 0) {
    giveUnits(m, common, from, end);
    return asBase(0);
  }
  m.store32(heap - THREAD, thread);
  m.store32(heap + AT_MAGIC, THREAD_MAGIC);
  m.store32(heap + AT_COMMON, common);
  m.store32(heap + AT_MAP, m.load32(common + AT_MAP));
  m.store32(heap + AT_MAPPED, m.load32(common + AT_MAPPED));
  m.store32(heap + AT_TRIM_THRESHOLD, m.load32(common + AT_TRIM_THRESHOLD));
  m.store32(heap + AT_ADVANCE_LOG2, m.load32(common + AT_ADVANCE_LOG2));
  m.store32(heap + AT_SMALL_LIMIT, m.load32(common + AT_SMALL_LIMIT));
  list(m, common, heap);
  return heap;
}

/** Puts a heap first in the list of all. */
export function list(m: Machine, common: Base, begun: Base): void {
  let first = m.loadShared(common + AT_FIRST_HEAP);
  m.store32(begun - NEXT_HEAP, first);
  let found = m.compareExchange(common + AT_FIRST_HEAP, first, begun);
  while (found !== first) {
    first = found;
    m.store32(begun - NEXT_HEAP, first);
    found = m.compareExchange(common + AT_FIRST_HEAP, first, begun);
  }
}

/** The unit in which a thread's memory begins, whichever of its two headers serves: where its place is. */
export function firstUnitOf(header: Base): Word {
  return (isFirstHeader(header) ? header : otherHeader(header)) - PLACE_BYTES;
}

/** A thread leaves its heap: what it kept for itself goes back, and the next thread that comes goes on there. O(slabs). */
export function leaveHeap(m: Machine, heap: Base): void {
  readMail(m, heap);
  collectListed(m, heap);
  flushSlabs(m, heap);
  trimTop(m, heap, 0);
  m.storeShared(heap - THREAD, NO_THREAD);
}
