// Options: what a heap can be told, kept in its header. Values are checked by the caller (heap/options.ts).
//
// Owns:  the option words of the header.
// Needs: layout, slabs (a lower small limit lets classes have no current slab).

import { Base, Word } from "./address.ts";
import {
  AT_ADVANCE_LOG2,
  AT_FLAGS,
  AT_FOOTPRINT_LIMIT,
  AT_GROWTH_STEP,
  AT_SMALL_LIMIT,
  AT_TRIM_KEEP,
  AT_TRIM_THRESHOLD,
  GRANULE_LOG2,
  ZERO_REALLOC_FREES,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { leaveClasses } from "./slab-idle.ts";
import { wholeOf } from "./units.ts";

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

/** The largest request that is served from slabs; 0: none is, each block is a chunk of its own. */
export function smallLimit(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_SMALL_LIMIT);
}

/** A multiple of GRANULE, at most FAR_MAX. Blocks that lie in slabs already stay there. */
export function setSmallLimit(m: Machine, heap: Base, bytes: Word): void {
  m.store32(heap + AT_SMALL_LIMIT, bytes);
  // Only its own thread may touch the classes of a heap.
  if (m.threads) return;
  leaveClasses(m, heap, (bytes >>> GRANULE_LOG2) + 1);
}

/** A free that leaves more than this in top trims it, unless the heap has learned to keep it; UNLIMITED for never. */
export function trimThreshold(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_TRIM_THRESHOLD);
}

export function setTrimThreshold(m: Machine, heap: Base, bytes: Word): void {
  m.store32(heap + AT_TRIM_THRESHOLD, bytes);
  m.store32(heap + AT_TRIM_KEEP, 0);
}

/** dlmalloc's `malloc_footprint_limit`: the footprint never grows beyond this; 0: it never grows; UNLIMITED: no limit. */
export function footprintLimit(m: Machine, heap: Base): Word {
  return m.load32(wholeOf(m, heap) + AT_FOOTPRINT_LIMIT);
}

export function setFootprintLimit(m: Machine, heap: Base, bytes: Word): void {
  m.store32(wholeOf(m, heap) + AT_FOOTPRINT_LIMIT, bytes);
}

/** Whether realloc(p, 0) frees p. */
export function zeroReallocFrees(m: Machine, heap: Base): boolean {
  return (m.load32(heap + AT_FLAGS) & ZERO_REALLOC_FREES) !== 0;
}

export function setZeroReallocFrees(m: Machine, heap: Base, frees: boolean): void {
  const others = (m.load32(heap + AT_FLAGS) & ~ZERO_REALLOC_FREES) >>> 0;
  m.store32(heap + AT_FLAGS, frees ? others | ZERO_REALLOC_FREES : others);
}
