// Malloc: the ways to a block, from the nearest to the farthest: a run; bins, top, unused runs given back, more memory.
//
// Owns:  nothing.
// Needs: runs, chunk, bins, top.

import { Base, Chunk, chunkAfter, NO_CHUNK, NO_PTR, Ptr, ptrOf, Word } from "./address.ts";
import { findFit, putFree, takeFree } from "./bins.ts";
import { chunkSizeFor, markLive, sizeOf, writeFree } from "./chunk.ts";
import {
  AT_MAYBE_UNUSED,
  AT_UNTOUCHED,
  GRANULE_LOG2,
  HEADER_WORD,
  IN_USE,
  MAX_REQUEST,
  MIN_CHUNK,
  PREVIOUS_IN_USE,
  SMALL_MAX,
} from "./layout.ts";
import { Machine, store32 } from "./machine.ts";
import { runOf } from "./run-map.ts";
import { classFor, flushRuns, isSmall, popBlock, takeBlock } from "./runs.ts";
import { growTop, takeTop, topOf } from "./top.ts";

/** A block larger than this is not placed before the unused runs have been given back. */
const MUCH: Word = 1024;

/**
 * ISO C `malloc`: a block of at least `bytes` bytes, 16-byte aligned, or 0 when there is no memory. malloc(0) is a block
 * of its own. O(1), growth and the giving back of unused runs apart.
 */
export function malloc(m: Machine, heap: Base, bytes: Word): Ptr {
  if (bytes <= SMALL_MAX) {
    const ptr = popBlock(m, heap, classFor(bytes));
    if (ptr !== NO_PTR) return ptr;
  }
  return mallocSlow(m, heap, bytes);
}

/** malloc, when the size class has no block at hand, or the request is none for runs. */
export function mallocSlow(m: Machine, heap: Base, bytes: Word): Ptr {
  if (bytes > MAX_REQUEST) return NO_PTR;
  if (isSmall(m, heap, bytes)) {
    const ptr = takeBlock(m, heap, classFor(bytes));
    if (ptr !== NO_PTR) return ptr;
  }
  if (bytes > MUCH && m.load32(heap + AT_MAYBE_UNUSED) !== 0) flushRuns(m, heap);
  return ptrOrNone(takeChunk(m, heap, chunkSizeFor(bytes), false));
}

export function ptrOrNone(chunk: Chunk): Ptr {
  return chunk === NO_CHUNK ? NO_PTR : ptrOf(chunk);
}

/**
 * A live chunk of `size` bytes; what is over of the free chunk that it was cut from stays with it if `whole` says so.
 * Unused runs are given back before more memory is got. NO_CHUNK: no memory, and the heap serves as before.
 */
export function takeChunk(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  const near = takeNear(m, heap, size, whole);
  if (near !== NO_CHUNK) return near;
  return flushRuns(m, heap) ? takeOrGrow(m, heap, size, whole) : growAndTake(m, heap, size);
}

/** takeChunk that lets unused runs be: for a new run, which would else chase those of other classes in a circle. */
export function takeOrGrow(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  const near = takeNear(m, heap, size, whole);
  return near !== NO_CHUNK ? near : growAndTake(m, heap, size);
}

function growAndTake(m: Machine, heap: Base, size: Word): Chunk {
  return growTop(m, heap, size) ? takeTop(m, heap, size) : NO_CHUNK;
}

/** takeChunk from what is free already. */
function takeNear(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  const words = m.words;
  const chunk = findFit(m, heap, size);
  if (chunk === NO_CHUNK) return takeTop(m, heap, size);
  const has = sizeOf(m, chunk);
  takeFree(m, heap, chunk, has);
  if (whole || has - size < MIN_CHUNK) {
    markLive(m, chunk, has);
    return chunk;
  }
  const rest = chunkAfter(chunk, size);
  writeFree(m, rest, has - size);
  store32(words, chunk, size | IN_USE | PREVIOUS_IN_USE);
  putFree(m, heap, rest, has - size);
  return chunk;
}

/** ISO C `calloc`: zeroed; 0 also when the product overflows. Memory that was never written is not written again. */
export function calloc(m: Machine, heap: Base, times: Word, bytes: Word): Ptr {
  const total = productOf(m, times, bytes);
  if (total > MAX_REQUEST) return NO_PTR;
  const topBefore = topOf(m, heap);
  const ptr = malloc(m, heap, total);
  if (ptr === NO_PTR) return NO_PTR;
  if (total <= SMALL_MAX && runOf(m.words, heap, ptr) !== 0) m.zero(ptr, classFor(total) << GRANULE_LOG2);
  else zeroUsed(m, heap, ptr, chunkSizeFor(total) - HEADER_WORD, topBefore);
  return ptr;
}

/** The product of two sizes, or a number above MAX_REQUEST if that is too large. */
export function productOf(m: Machine, times: Word, bytes: Word): Word {
  if (bytes !== 0 && times > m.divide(MAX_REQUEST, bytes)) return MAX_REQUEST + 1;
  return times * bytes;
}

/** Zeroes of a payload what may have been written before. `topBefore` is where top was before the block was cut. */
export function zeroUsed(m: Machine, heap: Base, ptr: Ptr, bytes: Word, topBefore: Chunk): void {
  const untouched = m.load32(heap + AT_UNTOUCHED);
  const clean = topBefore + HEADER_WORD > untouched ? topBefore + HEADER_WORD : untouched;
  if (ptr >= clean) return;
  m.zero(ptr, bytes < clean - ptr ? bytes : clean - ptr);
}
