// Malloc: the ways to a live chunk, from the nearest to the farthest: cache, bins, top, caches emptied, more memory.
//
// Owns:  nothing.
// Needs: chunk, cache, bins, top, free.

import { Base, Chunk, chunkAfter, NO_CHUNK, NO_PTR, Ptr, ptrOf, Word } from "./address.ts";
import { findFit, putFree, takeFree } from "./bins.ts";
import { takeCached } from "./cache.ts";
import { chunkSizeFor, markLive, sizeOf, writeFree } from "./chunk.ts";
import { flushCaches } from "./free.ts";
import {
  AT_CACHED_BYTES,
  AT_FOOTPRINT,
  AT_UNTOUCHED,
  HEADER_WORD,
  IN_USE,
  MAX_CACHED_CHUNK,
  MAX_REQUEST,
  MIN_CHUNK,
  PREVIOUS_IN_USE,
} from "./layout.ts";
import { Machine, store32 } from "./machine.ts";
import { growTop, takeTop, topOf } from "./top.ts";

/** Much is cached if it is more than the footprint shifted right by this. */
const MUCH_CACHED_LOG2: Word = 6;

/**
 * ISO C `malloc`: a block of at least `bytes` bytes, 16-byte aligned, or 0 when there is no memory. malloc(0) is a block
 * of its own. O(1), growth and the emptying of the caches apart.
 */
export function malloc(m: Machine, heap: Base, bytes: Word): Ptr {
  if (bytes > MAX_REQUEST) return NO_PTR;
  const size = chunkSizeFor(bytes);
  if (size <= MAX_CACHED_CHUNK) {
    const chunk = takeCached(m, heap, size);
    if (chunk !== NO_CHUNK) return ptrOf(chunk);
  }
  return ptrOrNone(takeChunk(m, heap, size, false));
}

export function ptrOrNone(chunk: Chunk): Ptr {
  return chunk === NO_CHUNK ? NO_PTR : ptrOf(chunk);
}

/**
 * A live chunk of `size` bytes that comes from no cache; what is over of the free chunk that it was cut from stays with it
 * if `whole` says so. NO_CHUNK: no memory, and the heap serves as before.
 */
export function takeChunk(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  if (size > MAX_CACHED_CHUNK && hasMuchCached(m, heap)) flushCaches(m, heap);
  const near = takeNear(m, heap, size, whole);
  if (near !== NO_CHUNK) return near;
  if (flushCaches(m, heap)) {
    const merged = takeNear(m, heap, size, whole);
    if (merged !== NO_CHUNK) return merged;
  }
  return growTop(m, heap, size) ? takeTop(m, heap, size) : NO_CHUNK;
}

/**
 * Whether so much lies in the caches that a large request should not be placed before they are merged. Without it, small
 * chunks that wait unmerged let small requests eat the holes that large blocks leave, and the next large one finds none.
 */
function hasMuchCached(m: Machine, heap: Base): boolean {
  return m.load32(heap + AT_CACHED_BYTES) > m.load32(heap + AT_FOOTPRINT) >>> MUCH_CACHED_LOG2;
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
  store32(words, chunk, size | IN_USE | PREVIOUS_IN_USE);
  writeFree(m, rest, has - size);
  putFree(m, heap, rest, has - size);
  return chunk;
}

/** ISO C `calloc`: zeroed; 0 also when the product overflows. Memory that was never written is not written again. */
export function calloc(m: Machine, heap: Base, times: Word, bytes: Word): Ptr {
  const total = productOf(m, times, bytes);
  if (total > MAX_REQUEST) return NO_PTR;
  const topBefore = topOf(m, heap);
  const ptr = malloc(m, heap, total);
  if (ptr !== NO_PTR) zeroUsed(m, heap, ptr, chunkSizeFor(total) - HEADER_WORD, topBefore);
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
