// Bulk: many blocks in one call. dlmalloc's independent_calloc, independent_comalloc and bulk_free.
//
// Gives:  blocks that lie side by side and are freed one by one.
// Needs:  chunk, free, internal, live, malloc, slab, slab-map, slabs, top.
//
// The independent blocks are cut from one chunk, the last first, so they lie side by side. Each is freed on
// its own. Lists of blocks are given and taken as arrays of words in memory, as C does.

import {
  asPtr,
  Base,
  Chunk,
  chunkAfter,
  chunkBefore,
  chunkOf,
  NO_CHUNK,
  NO_PTR,
  Ptr,
  ptrOf,
  Word,
} from "./address.ts";
import { chunkSizeFor, sizeOf } from "./chunk.ts";
import { LISTED_TWICE } from "./codes.ts";
import { free, usableSize } from "./free.ts";
import { markInternal } from "./internal.ts";
import { HEADER_WORD, IN_USE, MAX_REQUEST, OWN, PREVIOUS_IN_USE } from "./layout.ts";
import { isLive, isMarked } from "./live.ts";
import { load32, Machine, store32, Words } from "./machine.ts";
import { productOf, takeChunk, zeroUsed } from "./malloc.ts";
import { indexOf, isLiveBlock, liveBlock, setFree } from "./slab.ts";
import { flushSlabs } from "./slab-idle.ts";
import { slabOf } from "./slab-map.ts";
import { topOf } from "./top.ts";
import { ownerAt } from "./units.ts";

/**
 * `times` zeroed blocks of `bytes` each, side by side. Their addresses are stored in the array at `result`, or, if that
 * is 0, in a block of its own; returns the array. 0: no memory, or the product overflows; nothing was stored.
 */
export function independentCalloc(m: Machine, heap: Base, times: Word, bytes: Word, result: Ptr): Ptr {
  if (bytes > MAX_REQUEST) return NO_PTR;
  const size = chunkSizeFor(bytes);
  const topBefore = topOf(m, heap);
  const whole = takeWhole(m, heap, times, productOf(m, times, size), result);
  if (whole === NO_CHUNK) return times === 0 ? result : NO_PTR;
  const array = result === NO_PTR ? ptrOf(whole) : result;
  let chunk = chunkAfter(whole, sizeOf(m, whole));
  for (let index: Word = times; index !== 0; index--) {
    chunk = chunkBefore(chunk, size);
    m.store32(chunk, size | IN_USE | PREVIOUS_IN_USE);
    m.store32(array + ((index - 1) << 2), ptrOf(chunk));
    zeroUsed(m, heap, ptrOf(chunk), size - HEADER_WORD, topBefore);
  }
  if (result === NO_PTR) writeArray(m, whole, times);
  return array;
}

/** As independentCalloc, for blocks of different sizes, given in the array at `sizes`, and not zeroed. */
export function independentComalloc(m: Machine, heap: Base, times: Word, sizes: Ptr, result: Ptr): Ptr {
  const whole = takeWhole(m, heap, times, totalOf(m, times, sizes), result);
  if (whole === NO_CHUNK) return times === 0 ? result : NO_PTR;
  const array = result === NO_PTR ? ptrOf(whole) : result;
  let chunk = chunkAfter(whole, sizeOf(m, whole));
  for (let index: Word = times; index !== 0; index--) {
    const size = chunkSizeFor(m.load32(sizes + ((index - 1) << 2)));
    chunk = chunkBefore(chunk, size);
    m.store32(chunk, size | IN_USE | PREVIOUS_IN_USE);
    m.store32(array + ((index - 1) << 2), ptrOf(chunk));
  }
  if (result === NO_PTR) writeArray(m, whole, times);
  return array;
}

/** Cuts the array's chunk from the whole, after all that follow it have their headers. */
function writeArray(m: Machine, whole: Chunk, times: Word): void {
  m.store32(whole, arraySizeOf(times) | IN_USE | PREVIOUS_IN_USE);
}

/** The chunk size of an array of so many addresses. */
function arraySizeOf(times: Word): Word {
  return chunkSizeFor(times << 2);
}

/** Bytes of the chunks for all requests of an array, or a number above MAX_REQUEST if they are too many. */
function totalOf(m: Machine, times: Word, sizes: Ptr): Word {
  let total: Word = 0;
  for (let index: Word = 0; index < times; index++) {
    const bytes = m.load32(sizes + (index << 2));
    if (bytes > MAX_REQUEST) return MAX_REQUEST + 1;
    const size = chunkSizeFor(bytes);
    // A chunk can be larger than MAX_REQUEST: the sum of two such would be a small number again.
    if (size > MAX_REQUEST - total) return MAX_REQUEST + 1;
    total += size;
  }
  return total;
}

/**
 * A live chunk to cut `total` bytes of chunks from, and before them, if no place for their addresses was given, the
 * chunk of an array. NO_CHUNK: no memory, or nothing to cut.
 */
function takeWhole(m: Machine, heap: Base, times: Word, total: Word, result: Ptr): Chunk {
  if (total > MAX_REQUEST || times > MAX_REQUEST >>> 3) return NO_CHUNK;
  const arraySize: Word = result === NO_PTR ? arraySizeOf(times) : 0;
  if (total > MAX_REQUEST - arraySize || arraySize + total === 0) return NO_CHUNK;
  return takeChunk(m, heap, arraySize + total, false);
}

/**
 * dlmalloc's `bulk_free`: frees every block listed in the array at `list`, and clears the list; entries of 0 are
 * skipped. Misuse, also a block that is listed twice, aborts with nothing changed.
 */
export function bulkFree(m: Machine, heap: Base, list: Ptr, times: Word): void {
  freeListed(m, heap, m.words, list, times);
}

/** bulkFree of a list in any words: in JavaScript it need not lie in the heap's memory. */
export function freeListed(m: Machine, heap: Base, words: Words, list: Ptr, times: Word): void {
  for (let index: Word = 0; index < times; index++) {
    const ptr = asPtr(load32(words, list + (index << 2)));
    if (ptr === NO_PTR || claim(m, heap, ptr)) continue;
    unclaimFirst(m, heap, words, list, index);
    usableSize(m, heap, ptr);
    m.abort(LISTED_TWICE, ptr);
  }
  // All of them before the first is freed: a slab whose other blocks are claimed would look unused.
  unclaimFirst(m, heap, words, list, times);
  for (let index: Word = 0; index < times; index++) {
    const ptr = asPtr(load32(words, list + (index << 2)));
    store32(words, list + (index << 2), NO_PTR);
    free(m, heap, ptr);
  }
  flushSlabs(m, heap);
}

function unclaimFirst(m: Machine, heap: Base, words: Words, list: Ptr, times: Word): void {
  for (let index: Word = 0; index < times; index++)
    unclaim(m, heap, asPtr(load32(words, list + (index << 2))));
}

/** Marks a live block so that it is not live a second time. False: it is none. Those of other threads cannot be marked. */
function claim(m: Machine, heap: Base, ptr: Ptr): boolean {
  if (m.threads && ownerAt(m.words, heap, ptr) !== heap) {
    usableSize(m, heap, ptr);
    return true;
  }
  const slab = slabOf(m, heap, ptr);
  if (slab !== 0) {
    if (!isLiveBlock(m, slab, ptr)) return false;
    setFree(m, slab, liveBlock(m, slab, ptr), true);
    return true;
  }
  const chunk = chunkOf(ptr);
  if (!isLive(m, heap, chunk) || (m.threads && isMarked(m, ptr))) return false;
  markInternal(m, chunk);
  return true;
}

function unclaim(m: Machine, heap: Base, ptr: Ptr): void {
  if (ptr === NO_PTR || (m.threads && ownerAt(m.words, heap, ptr) !== heap)) return;
  const slab = slabOf(m, heap, ptr);
  if (slab !== 0) setFree(m, slab, indexOf(m.words, slab, ptr), false);
  else m.store32(chunkOf(ptr), m.load32(chunkOf(ptr)) - OWN);
}
