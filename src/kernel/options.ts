// Options: what a heap can be told, kept in its header. Values are checked by the caller (heap/options.ts).
//
// Owns:  the option words of the header.
// Needs: layout, free (a lower cache limit empties the caches).

import { Base, Word } from "./address.ts";
import { flushCaches } from "./free.ts";
import {
  AT_ADVANCE_LOG2,
  AT_CACHE_LIMIT,
  AT_CACHED_BYTES,
  AT_FLAGS,
  AT_FOOTPRINT_LIMIT,
  AT_GROWTH_STEP,
  AT_TRIM_THRESHOLD,
  ZERO_REALLOC_FREES,
} from "./layout.ts";
import { Machine } from "./machine.ts";

/** The footprint grows by multiples of this many bytes, a power of two. */
export function growthStep(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_GROWTH_STEP);
}

export function setGrowthStep(m: Machine, heap: Base, bytes: Word): void {
  m.store32(heap + AT_GROWTH_STEP, bytes);
}

/** The Memory is asked for at least the footprint shifted right by this; NO_ADVANCE for what is needed and no more. */
export function advanceLog2(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_ADVANCE_LOG2);
}

export function setAdvanceLog2(m: Machine, heap: Base, log2: Word): void {
  m.store32(heap + AT_ADVANCE_LOG2, log2);
}

/** The most bytes that lie in caches. */
export function cacheLimit(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_CACHE_LIMIT);
}

export function setCacheLimit(m: Machine, heap: Base, bytes: Word): void {
  m.store32(heap + AT_CACHE_LIMIT, bytes);
  if (m.load32(heap + AT_CACHED_BYTES) > bytes) flushCaches(m, heap);
}

/** A free that leaves more than this in top trims it; UNLIMITED for never. */
export function trimThreshold(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_TRIM_THRESHOLD);
}

export function setTrimThreshold(m: Machine, heap: Base, bytes: Word): void {
  m.store32(heap + AT_TRIM_THRESHOLD, bytes);
}

/** dlmalloc's `malloc_footprint_limit`: the footprint never grows beyond this; 0: it never grows; UNLIMITED: no limit. */
export function footprintLimit(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_FOOTPRINT_LIMIT);
}

export function setFootprintLimit(m: Machine, heap: Base, bytes: Word): void {
  m.store32(heap + AT_FOOTPRINT_LIMIT, bytes);
}

/** Whether realloc(p, 0) frees p. */
export function zeroReallocFrees(m: Machine, heap: Base): boolean {
  return (m.load32(heap + AT_FLAGS) & ZERO_REALLOC_FREES) !== 0;
}

export function setZeroReallocFrees(m: Machine, heap: Base, frees: boolean): void {
  const others = (m.load32(heap + AT_FLAGS) & ~ZERO_REALLOC_FREES) >>> 0;
  m.store32(heap + AT_FLAGS, frees ? others | ZERO_REALLOC_FREES : others);
}
