// Align: blocks at addresses that are multiples of more than a granule.
//
// Gives:  a chunk at an aligned address; the rest of what it was cut from is free again.
// Needs:  chunk, malloc, release.
//
// A chunk with room for the alignment is taken; what lies before the aligned payload and behind it is freed again. All
// sizes and addresses are multiples of a granule, so what lies before is nothing or a whole chunk.

import { asPtr, Base, Chunk, chunkAfter, chunkOf, NO_CHUNK, NO_PTR, Ptr, ptrOf, Word } from "./address.ts";
import { findAligned, findFit, putFree, takeFree } from "./bins.ts";
import { chunkSizeFor, sizeOf, writeFree } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import { GRANULE, IN_USE, MAX_REQUEST, PREVIOUS_IN_USE } from "./layout.ts";
import { load32, Machine, store32 } from "./machine.ts";
import { malloc, ptrOrNone, takeChunk } from "./malloc.ts";
import { dropBefore, shrink } from "./release.ts";

/** Linux's and POSIX's error numbers, as posix_memalign returns them. */
export const EINVAL: Word = 22;
export const ENOMEM: Word = 12;
/** sizeof(void *). */
const POINTER_BYTES: Word = 4;

/** glibc `memalign`: an alignment that is no power of two is rounded up to one. 0: no memory. O(1). */
export function memalign(m: Machine, heap: Base, alignment: Word, bytes: Word): Ptr {
  if (alignment <= GRANULE) return malloc(m, heap, bytes);
  if (alignment > (MAX_REQUEST >>> 1) + 1 || bytes > MAX_REQUEST - alignment) return NO_PTR;
  const power: Word = (1 << (32 - m.clz(alignment - 1))) >>> 0;
  if (bytes > MAX_REQUEST - power) return NO_PTR;
  return ptrOrNone(takeAligned(m, heap, chunkSizeFor(bytes), power));
}

/** A live chunk of `size` bytes whose payload's address is a multiple of `power`. NO_CHUNK: no memory. */
export function takeAligned(m: Machine, heap: Base, size: Word, power: Word): Chunk {
  let chunk = findAligned(m, heap, size, power);
  if (chunk === NO_CHUNK) chunk = findFit(m, heap, size + power - GRANULE);
  return chunk === NO_CHUNK ? cutAligned(m, heap, size, power) : takeWithin(m, heap, chunk, size, power);
}

/** takeAligned from a free chunk with room for it. What lies before and behind is free again: it has no free neighbour. */
// @hot @apart
function takeWithin(m: Machine, heap: Base, chunk: Chunk, size: Word, power: Word): Chunk {
  const words = m.words;
  const has = sizeOf(m, chunk);
  const aligned = chunkOf(alignedPtr(chunk, power));
  const lead = aligned - chunk;
  if (has < lead + size) m.abort(CORRUPTED, chunk);
  takeFree(m, heap, chunk, has);
  const left = has - lead - size;
  const rest = chunkAfter(aligned, size);
  if (left !== 0) writeFree(m, rest, left);
  else store32(words, rest, load32(words, rest) | PREVIOUS_IN_USE);
  store32(words, aligned, size | (lead === 0 ? IN_USE | PREVIOUS_IN_USE : IN_USE));
  if (lead !== 0) {
    writeFree(m, chunk, lead);
    putFree(m, heap, chunk, lead);
  }
  if (left !== 0) putFree(m, heap, rest, left);
  return aligned;
}

/** takeAligned from top, from slabs given back, or from more memory. */
// @rare
function cutAligned(m: Machine, heap: Base, size: Word, power: Word): Chunk {
  const chunk = takeChunk(m, heap, size + power - GRANULE, true);
  if (chunk === NO_CHUNK) return NO_CHUNK;
  const aligned = dropBefore(m, heap, chunk, chunkOf(alignedPtr(chunk, power)));
  shrink(m, heap, aligned, size);
  return aligned;
}

/** The first multiple of `power` that can be a payload's address in a chunk. */
function alignedPtr(chunk: Chunk, power: Word): Ptr {
  return asPtr(((ptrOf(chunk) + power - 1) & ~(power - 1)) >>> 0);
}

/** ISO C `aligned_alloc`: 0 also when the alignment is no power of two (C's EINVAL). Any size will do, as in C23. */
export function alignedAlloc(m: Machine, heap: Base, alignment: Word, bytes: Word): Ptr {
  return isPowerOfTwo(alignment) ? memalign(m, heap, alignment, bytes) : NO_PTR;
}

/**
 * POSIX `posix_memalign`: stores the block's address at `result` and returns 0; or returns EINVAL (the alignment is no
 * power of two or less than a pointer's size) or ENOMEM, and leaves what is at `result` alone.
 */
export function posixMemalign(m: Machine, heap: Base, result: Ptr, alignment: Word, bytes: Word): Word {
  if (alignment < POINTER_BYTES || !isPowerOfTwo(alignment)) return EINVAL;
  const ptr = memalign(m, heap, alignment, bytes);
  if (ptr === NO_PTR) return ENOMEM;
  m.store32(result, ptr);
  return 0;
}

function isPowerOfTwo(word: Word): boolean {
  return word !== 0 && (word & (word - 1)) === 0;
}
