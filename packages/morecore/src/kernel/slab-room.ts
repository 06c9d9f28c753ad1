// Slab room: where a new slab goes.
//
// Decides:    how long a slab is, and where it begins and ends.
// Needs:      bins, chunk, take, release, own, slab-map. May grow memory.
// Invariants: P1  no two slabs lie in the same unit of SLAB_UNIT bytes, even in part            O(slabs)
//             P2  where threads share memory, a slab has its units alone                        O(slabs)
//             (check.ts: checkSlabs)
//
// In a heap that cannot grow much, slabs are short. Classes for which even the shortest would be too long
// have none. Else a slab for each of sixteen classes, most of them half empty, would fill the heap.
//
// A hole that is about as large as a slab is taken whole. A slab that is cut from more ends where a unit
// ends, so that the next one can follow at once. Holes between slabs and large blocks are filled in this way
// with what is small.
//
// Where threads share memory, a slab begins with a unit and ends with one. Another thread that frees a chunk asks the map whose
// it is. The chunk's life must keep that answer alive: no descriptor of a slab beside it, which may end at that moment.

import { asPtr, Base, Chunk, chunkAfter, chunkOf, NO_CHUNK, Ptr, ptrOf, Word } from "./address.ts";
import { firstHole, nextHole, takeFree } from "./bins.ts";
import { markLive, sizeOf } from "./chunk.ts";
import { markInternal } from "./internal.ts";
import {
  AT_FLAGS,
  AT_FOOTPRINT,
  AT_FOOTPRINT_LIMIT,
  AT_LIMIT,
  FIXED_MEMORY,
  FIXED_REGION,
  GRANULE,
  GRANULE_LOG2,
  HEADER_WORD,
  MAX_BLOCKS,
  MAX_SLAB,
  MIN_BLOCKS,
  MIN_SLAB,
  NARROW_MAX,
  SEARCH_LIMIT,
  SLAB_SHARE_LOG2,
  SLAB_UNIT,
  WIDE_SHARE_LOG2,
  WIDE_SHARE_OF_THREAD_LOG2,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { dropBefore, shrink } from "./release.ts";
import { slabAt } from "./slab-map.ts";
import { takeOrGrow } from "./take.ts";
import { wholeOf } from "./units.ts";

/** How many blocks of a size a chunk has room for, and a slab's bits. */
export function blocksIn(m: Machine, chunk: Chunk, bytes: Word): Word {
  const blocks = m.divide(sizeOf(m, chunk) - HEADER_WORD, bytes);
  return blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS;
}

/** Whether a heap may become large enough for slabs of a class, and is so already for those of wide blocks. */
export function hasRoom(m: Machine, heap: Base, sizeClass: Word): boolean {
  const bytes = sizeClass << GRANULE_LOG2;
  const least = leastSlab(bytes);
  if (bytes > NARROW_MAX && least > m.load32(heap + AT_FOOTPRINT) >>> wideShareLog2(m)) return false;
  return least <= shareOf(m, heap);
}

/** A thread's heap is one of several in a program that is mostly larger, and its wide blocks would all be chunks. */
function wideShareLog2(m: Machine): Word {
  return m.threads ? WIDE_SHARE_OF_THREAD_LOG2 : WIDE_SHARE_LOG2;
}

/** The most bytes that a slab may have: a share of those that the heap may have, in whole granules. */
function shareOf(m: Machine, heap: Base): Word {
  const limit = m.load32(wholeOf(m, heap) + AT_FOOTPRINT_LIMIT);
  const fixed: boolean = (m.load32(heap + AT_FLAGS) & (FIXED_REGION | FIXED_MEMORY)) !== 0;
  const room = fixed ? smaller(limit, roomOf(m, heap)) : limit;
  return ((room >>> SLAB_SHARE_LOG2) & ~(GRANULE - 1)) >>> 0;
}

/** Bytes of a region that a heap lies in; where threads share one, all of it. */
function roomOf(m: Machine, heap: Base): Word {
  const image = wholeOf(m, heap);
  return m.load32(image + AT_LIMIT) - image;
}

/** The fewest bytes of a slab of blocks of a size. */
function leastSlab(bytes: Word): Word {
  return larger(MIN_SLAB, bytes * MIN_BLOCKS);
}

/** Bytes rounded up to units. */
function wholeUnits(bytes: Word): Word {
  return ((bytes + (SLAB_UNIT - 1)) & ~(SLAB_UNIT - 1)) >>> 0;
}

/** A chunk of the heap's own for the next slab of a class that has `slabs` already. NO_CHUNK: no memory. */
export function takeRoom(m: Machine, heap: Base, sizeClass: Word, slabs: Word): Chunk {
  const bytes = sizeClass << GRANULE_LOG2;
  const least = m.threads ? wholeUnits(leastSlab(bytes)) : leastSlab(bytes);
  const share = smaller(smaller(MAX_SLAB, bytes * MAX_BLOCKS), shareOf(m, heap));
  const most: Word = m.threads ? larger(share, least) : share;
  const wanted = smaller(larger(MIN_SLAB << stepOf(slabs), least), most);
  let chunk = takeHole(m, heap, least, wanted, most);
  if (chunk === NO_CHUNK) {
    chunk = takeOrGrow(m, heap, wanted + 2 * SLAB_UNIT, true);
    if (chunk === NO_CHUNK) return NO_CHUNK;
  }
  const start = startIn(m, heap, ptrOf(chunk));
  const end = endIn(m, heap, start, chunkAfter(chunk, sizeOf(m, chunk)) + HEADER_WORD, wanted, most);
  const room = dropBefore(m, heap, chunk, chunkOf(start));
  shrink(m, heap, room, end - start);
  markInternal(m, room);
  return room;
}

/** How many times the length doubles for a class that has so many slabs: three times up to four slabs, then at eight and at 32. */
function stepOf(slabs: Word): Word {
  if (slabs < 4) return slabs;
  if (slabs < 8) return 3;
  return slabs < 32 ? 4 : 5;
}

/** A free chunk with room for a slab of `least` bytes, but not for much more than `wanted`, made live. */
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

/** How long a slab in a free chunk could be. */
function roomIn(m: Machine, heap: Base, chunk: Chunk, size: Word, wanted: Word, most: Word): Word {
  const start = startIn(m, heap, ptrOf(chunk));
  const past = chunkAfter(chunk, size) + HEADER_WORD;
  if (start >= past) return 0;
  const end = endIn(m, heap, start, past, wanted, most);
  return start < end ? end - start : 0;
}

/** The first address from `ptr` on at which a slab may begin: one whose unit has no other, or where threads share memory, a unit's own. */
function startIn(m: Machine, heap: Base, ptr: Ptr): Ptr {
  if (m.threads) return asPtr(wholeUnits(ptr));
  return isTaken(m, heap, ptr) ? asPtr(((ptr + SLAB_UNIT) & ~(SLAB_UNIT - 1)) >>> 0) : ptr;
}

/**
 * Where a slab that begins at `start` ends, in a chunk whose successor's payload is at `past`. It ends at
 * `past` if that is not much too far, else with a unit if it can. Its last unit has no other slab; where threads share memory, it has no
 * chunk either.
 */
function endIn(m: Machine, heap: Base, start: Ptr, past: Word, wanted: Word, most: Word): Word {
  if (m.threads) {
    const end = (smaller(past, start + smaller(wholeUnits(wanted), most)) & ~(SLAB_UNIT - 1)) >>> 0;
    return end > start ? end : start;
  }
  const limit = start + most + HEADER_WORD;
  let far: Word = (start + wanted + SLAB_UNIT) & ~(SLAB_UNIT - 1);
  if (far > limit) far = limit & ~(SLAB_UNIT - 1);
  if (far <= start + (wanted >>> 1)) far = (start + most + GRANULE) & ~(GRANULE - 1);
  const end = smaller(past, far);
  return isTaken(m, heap, end - 1) ? (end - 1) & ~(SLAB_UNIT - 1) : end;
}

/** Whether a slab lies in the unit of an address. */
function isTaken(m: Machine, heap: Base, address: Word): boolean {
  return slabAt(m, heap, address) !== 0;
}

function smaller(a: Word, b: Word): Word {
  return a < b ? a : b;
}

function larger(a: Word, b: Word): Word {
  return a > b ? a : b;
}
