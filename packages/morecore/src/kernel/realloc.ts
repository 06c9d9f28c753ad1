// Realloc: another size for a block, where it lies if that can be, elsewhere if not.
//
// Order:  shrink in place, grow in place, move.
// Needs:  chunk, bins, top, free, malloc.
//
// A block that grows takes of the free chunk or of top behind it what it needs. A failure leaves the block as it was.

import { Base, Chunk, chunkAfter, chunkOf, NO_PTR, Ptr, Word } from "./address.ts";
import { putFree, takeFree } from "./bins.ts";
import { chunkSizeFor, count, sizeIn, sizeOf, writeFree } from "./chunk.ts";
import { classFor, smallMax } from "./classes.ts";
import { free, usableSize } from "./free.ts";
import {
  AT_COALESCE_COUNT,
  AT_FLAGS,
  GRANULE_LOG2,
  HEADER_WORD,
  IN_USE,
  MAX_REQUEST,
  MIN_CHUNK,
  PREVIOUS_IN_USE,
  ZERO_REALLOC_FREES,
} from "./layout.ts";
import { liveChunk } from "./live.ts";
import { Machine } from "./machine.ts";
import { malloc, productOf } from "./malloc.ts";
import { shrink } from "./release.ts";
import { blockBytesOf, liveBlock } from "./slab.ts";
import { slabOf } from "./slab-map.ts";
import { growTop, setTop, topOf, topSize } from "./top.ts";
import { ownerAt } from "./units.ts";

/**
 * ISO C `realloc`. 0: no memory (or, by option, freed), the block is as it was. realloc(0, n) is malloc(n).
 * realloc(p, 0) gives a smallest block, or frees if the option zeroSizeRealloc says so. O(1) in place, else a
 * copy.
 */
// @hot
export function realloc(m: Machine, heap: Base, ptr: Ptr, bytes: Word): Ptr {
  if (ptr === NO_PTR) return malloc(m, heap, bytes);
  if (m.threads && ownerAt(m.words, heap, ptr) !== heap) return reallocOthers(m, heap, ptr, bytes);
  const slab = slabOf(m, heap, ptr);
  const has = slab === 0 ? sizeOf(m, liveChunk(m, heap, ptr)) - HEADER_WORD : liveBytes(m, slab, ptr);
  if (bytes === 0 && (m.load32(heap + AT_FLAGS) & ZERO_REALLOC_FREES) !== 0) {
    free(m, heap, ptr);
    return NO_PTR;
  }
  if (bytes > MAX_REQUEST) return NO_PTR;
  if (fits(m, heap, ptr, slab, bytes, has)) return ptr;
  const moved = malloc(m, heap, bytes);
  if (moved === NO_PTR) {
    // Unused slabs have been given back now, and one may have been in the way. A block never fails to shrink.
    if (slab === 0 ? resize(m, heap, chunkOf(ptr), chunkSizeFor(bytes)) : bytes <= has) return ptr;
    return NO_PTR;
  }
  // Block sizes are multiples of a word.
  m.copy(moved, ptr, has < bytes ? has : (bytes + (HEADER_WORD - 1)) & ~(HEADER_WORD - 1));
  free(m, heap, ptr);
  return moved;
}

/** realloc of a block that is not this thread's, and so cannot get another size where it lies. */
// @rare
function reallocOthers(m: Machine, heap: Base, ptr: Ptr, bytes: Word): Ptr {
  const has = usableSize(m, heap, ptr);
  if (bytes === 0 && (m.load32(heap + AT_FLAGS) & ZERO_REALLOC_FREES) !== 0) {
    free(m, heap, ptr);
    return NO_PTR;
  }
  if (bytes > MAX_REQUEST) return NO_PTR;
  // It stays where it is if it would not get much smaller.
  if (bytes >= has >>> 1 && canStay(m, heap, ptr, bytes, has)) return ptr;
  const moved = malloc(m, heap, bytes);
  if (moved === NO_PTR) return bytes <= has ? ptr : NO_PTR;
  m.copy(moved, ptr, has < bytes ? has : (bytes + (HEADER_WORD - 1)) & ~(HEADER_WORD - 1));
  free(m, heap, ptr);
  return moved;
}

/** Whether another thread's live block serves a request as it is. A chunk only of the same size: freeSized goes by it. */
function canStay(m: Machine, heap: Base, ptr: Ptr, bytes: Word, has: Word): boolean {
  if (bytes > has) return false;
  return slabOf(m, heap, ptr) !== 0 || chunkSizeFor(bytes) === has + HEADER_WORD;
}

/** Bytes of a live block in a slab. */
function liveBytes(m: Machine, slab: Word, ptr: Ptr): Word {
  liveBlock(m, slab, ptr);
  return blockBytesOf(m, slab);
}

/** Whether a live block has the size that a request gets, or could be given it where it lies. */
function fits(m: Machine, heap: Base, ptr: Ptr, slab: Word, bytes: Word, has: Word): boolean {
  if (slab === 0) return resize(m, heap, chunkOf(ptr), chunkSizeFor(bytes));
  return bytes <= smallMax(m) && classFor(m, bytes) << GRANULE_LOG2 === has;
}

/** dlmalloc's `realloc_in_place`: as realloc, but 0 where the block would have to move. 0 for 0. */
export function reallocInPlace(m: Machine, heap: Base, ptr: Ptr, bytes: Word): Ptr {
  if (ptr === NO_PTR) return NO_PTR;
  if (m.threads && ownerAt(m.words, heap, ptr) !== heap)
    return canStay(m, heap, ptr, bytes, usableSize(m, heap, ptr)) ? ptr : NO_PTR;
  const slab = slabOf(m, heap, ptr);
  if (slab !== 0) return bytes <= liveBytes(m, slab, ptr) ? ptr : NO_PTR;
  const chunk = liveChunk(m, heap, ptr);
  if (bytes > MAX_REQUEST) return NO_PTR;
  return resize(m, heap, chunk, chunkSizeFor(bytes)) ? ptr : NO_PTR;
}

/** POSIX `reallocarray`: realloc to the product; 0, with the block as it was, also when that overflows. */
export function reallocarray(m: Machine, heap: Base, ptr: Ptr, times: Word, bytes: Word): Ptr {
  const total = productOf(m, times, bytes);
  if (total > MAX_REQUEST) {
    usableSize(m, heap, ptr);
    return NO_PTR;
  }
  return realloc(m, heap, ptr, total);
}

/** Gives a live chunk another size where it lies. False: it cannot be, nothing has changed. */
// @hot
function resize(m: Machine, heap: Base, chunk: Chunk, size: Word): boolean {
  const has = sizeOf(m, chunk);
  if (size <= has) {
    shrink(m, heap, chunk, size);
    return true;
  }
  const next = chunkAfter(chunk, has);
  if (next === topOf(m, heap)) return intoTop(m, heap, chunk, size);
  const head = m.load32(next);
  if ((head & IN_USE) !== 0 || has + sizeIn(head) < size) return false;
  intoNext(m, heap, chunk, size);
  return true;
}

/** Grows the chunk before top into top. */
// @rare
function intoTop(m: Machine, heap: Base, chunk: Chunk, size: Word): boolean {
  const has = sizeOf(m, chunk);
  const more = size - has;
  if (topSize(m, heap) < more) {
    // A block that can be moved into free memory is not worth a growth, but top may be all that there is.
    if (!growTop(m, heap, more)) return false;
    // The memory may have gone on elsewhere: what was top is a free chunk now, and perhaps still too small.
    if (chunkAfter(chunk, has) !== topOf(m, heap)) return resize(m, heap, chunk, size);
  }
  const left = topSize(m, heap) - more;
  m.store32(chunk, m.load32(chunk) + more);
  setTop(m, heap, chunkAfter(chunk, size), left);
  return true;
}

/** Grows a chunk into the free one behind it, which is large enough. */
function intoNext(m: Machine, heap: Base, chunk: Chunk, size: Word): void {
  const has = sizeOf(m, chunk);
  const next = chunkAfter(chunk, has);
  const nextSize = sizeOf(m, next);
  takeFree(m, heap, next, nextSize);
  const left = has + nextSize - size;
  const end = chunkAfter(chunk, size);
  if (left >= MIN_CHUNK) writeFree(m, end, left);
  m.store32(chunk, m.load32(chunk) + (size - has));
  if (left >= MIN_CHUNK) putFree(m, heap, end, left);
  else m.store32(end, m.load32(end) | PREVIOUS_IN_USE);
  count(m, heap + AT_COALESCE_COUNT);
}
