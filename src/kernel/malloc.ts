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
  return ptrOrNone(takeChunk(m, heap, size));
}

export function ptrOrNone(chunk: Chunk): Ptr {
  return chunk === NO_CHUNK ? NO_PTR : ptrOf(chunk);
}

/** A live chunk of exactly `size` bytes that comes from no cache. NO_CHUNK: no memory, and the heap serves as before. */
export function takeChunk(m: Machine, heap: Base, size: Word): Chunk {
  // A large chunk would be cut from what small ones, merged, could give back: without this, holes that large blocks
  // leave are eaten by small ones, and the next large block finds none (espresso: footprint 2.3 instead of 1.28).
  if (size > MAX_CACHED_CHUNK) flushCaches(m, heap);
  const near = takeNear(m, heap, size);
  if (near !== NO_CHUNK) return near;
  if (flushCaches(m, heap)) {
    const merged = takeNear(m, heap, size);
    if (merged !== NO_CHUNK) return merged;
  }
  return growTop(m, heap, size) ? takeTop(m, heap, size) : NO_CHUNK;
}

/** takeChunk from what is free already. */
function takeNear(m: Machine, heap: Base, size: Word): Chunk {
  const words = m.words;
  const chunk = findFit(m, heap, size);
  if (chunk === NO_CHUNK) return takeTop(m, heap, size);
  const has = sizeOf(m, chunk);
  takeFree(m, heap, chunk, has);
  if (has - size < MIN_CHUNK) {
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
