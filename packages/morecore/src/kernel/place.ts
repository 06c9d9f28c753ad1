// Place: where a new run goes.
//
// Owns:       nothing.
// Needs:      bins, chunk, take, release, own, run-map. May grow memory.
// Invariants: P1  no two runs lie in the same unit of RUN_UNIT bytes, even in part            O(runs)
//             (check.ts: checkRuns)
//
// In a heap that cannot grow much, runs are short, and classes for which even the shortest would be too long have none: one
// run for each of sixteen classes, most of them half empty, would else fill it.
//
// A hole that is about as large as a run is taken whole; what is cut from more ends where a unit ends, so that the next
// run can follow at once. Holes between runs and large blocks are filled in this way with what is small.

import { asPtr, Base, Chunk, chunkAfter, chunkOf, NO_CHUNK, Ptr, ptrOf, Word } from "./address.ts";
import { firstHole, nextHole, takeFree } from "./bins.ts";
import { markLive, sizeOf } from "./chunk.ts";
import {
  AT_FLAGS,
  AT_FOOTPRINT_LIMIT,
  AT_LIMIT,
  FIXED_MEMORY,
  FIXED_REGION,
  GRANULE,
  GRANULE_LOG2,
  HEADER_WORD,
  MAX_RUN,
  MAX_SLOTS,
  MIN_RUN,
  MIN_SLOTS,
  RUN_SHARE_LOG2,
  RUN_UNIT,
  SEARCH_LIMIT,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { own } from "./own.ts";
import { dropBefore, shrink } from "./release.ts";
import { runAt } from "./run-map.ts";
import { takeOrGrow } from "./take.ts";

/** How many blocks of a size a chunk has room for, and a run's bits. */
export function slotsIn(m: Machine, chunk: Chunk, bytes: Word): Word {
  const slots = m.divide(sizeOf(m, chunk) - HEADER_WORD, bytes);
  return slots < MAX_SLOTS ? slots : MAX_SLOTS;
}

/** Whether a heap may become large enough for runs of a class. */
export function hasPlace(m: Machine, heap: Base, sizeClass: Word): boolean {
  return leastRun(sizeClass << GRANULE_LOG2) <= shareOf(m, heap);
}

/** The most bytes that a run may have: a share of those that the heap may have, in whole granules. */
function shareOf(m: Machine, heap: Base): Word {
  const limit = m.load32(heap + AT_FOOTPRINT_LIMIT);
  const fixed: boolean = (m.load32(heap + AT_FLAGS) & (FIXED_REGION | FIXED_MEMORY)) !== 0;
  const room = fixed ? smaller(limit, m.load32(heap + AT_LIMIT) - heap) : limit;
  return ((room >>> RUN_SHARE_LOG2) & ~(GRANULE - 1)) >>> 0;
}

/** The fewest bytes of a run of blocks of a size. */
function leastRun(bytes: Word): Word {
  return larger(MIN_RUN, bytes * MIN_SLOTS);
}

/** A chunk of the heap's own for the next run of a class that has `runs`, and a place. NO_CHUNK: no memory. */
export function takePlace(m: Machine, heap: Base, sizeClass: Word, runs: Word): Chunk {
  const bytes = sizeClass << GRANULE_LOG2;
  const least = leastRun(bytes);
  const most = smaller(smaller(MAX_RUN, bytes * MAX_SLOTS), shareOf(m, heap));
  const wanted = smaller(larger(MIN_RUN << smaller(runs, 3), least), most);
  let chunk = takeHole(m, heap, least, wanted, most);
  if (chunk === NO_CHUNK) {
    chunk = takeOrGrow(m, heap, wanted + 2 * RUN_UNIT, true);
    if (chunk === NO_CHUNK) return NO_CHUNK;
  }
  const start = startIn(m, heap, ptrOf(chunk));
  const end = endIn(m, heap, start, chunkAfter(chunk, sizeOf(m, chunk)) + HEADER_WORD, wanted, most);
  const place = dropBefore(m, heap, chunk, chunkOf(start));
  shrink(m, heap, place, end - start);
  own(m, place);
  return place;
}

/** A free chunk with room for a run of `least` bytes, but not for much more than `wanted`, made live. */
function takeHole(m: Machine, heap: Base, least: Word, wanted: Word, most: Word): Chunk {
  let hole = firstHole(m, heap, least);
  for (let step: Word = 0; step < SEARCH_LIMIT && hole !== NO_CHUNK; step++) {
    const size = sizeOf(m, hole);
    if (size > wanted + (wanted >>> 1)) return NO_CHUNK;
    if (roomIn(m, heap, hole, size, wanted, most) >= least) {
      takeFree(m, heap, hole, size);
      markLive(m, hole, size);
      return hole;
    }
    hole = nextHole(m, heap, hole, size);
  }
  return NO_CHUNK;
}

/** How long a run in a free chunk could be. */
function roomIn(m: Machine, heap: Base, chunk: Chunk, size: Word, wanted: Word, most: Word): Word {
  const start = startIn(m, heap, ptrOf(chunk));
  const past = chunkAfter(chunk, size) + HEADER_WORD;
  if (start >= past) return 0;
  const end = endIn(m, heap, start, past, wanted, most);
  return start < end ? end - start : 0;
}

/** The first address from `ptr` on at which a run may begin: one whose unit has no other. */
function startIn(m: Machine, heap: Base, ptr: Ptr): Ptr {
  return isTaken(m, heap, ptr) ? asPtr(((ptr + RUN_UNIT) & ~(RUN_UNIT - 1)) >>> 0) : ptr;
}

/**
 * Where a run that begins at `start` ends, in a chunk whose successor's payload is at `past`: at `past` if that is not
 * much too far, else with a unit if it can. Its last unit has no other run.
 */
function endIn(m: Machine, heap: Base, start: Ptr, past: Word, wanted: Word, most: Word): Word {
  const limit = start + most + HEADER_WORD;
  let far: Word = (start + wanted + RUN_UNIT) & ~(RUN_UNIT - 1);
  if (far > limit) far = limit & ~(RUN_UNIT - 1);
  if (far <= start + (wanted >>> 1)) far = (start + most + GRANULE) & ~(GRANULE - 1);
  const end = smaller(past, far);
  return isTaken(m, heap, end - 1) ? (end - 1) & ~(RUN_UNIT - 1) : end;
}

/** Whether a run lies in the unit of an address. */
function isTaken(m: Machine, heap: Base, address: Word): boolean {
  return runAt(m.words, heap, address) !== 0;
}

function smaller(a: Word, b: Word): Word {
  return a < b ? a : b;
}

function larger(a: Word, b: Word): Word {
  return a > b ? a : b;
}
