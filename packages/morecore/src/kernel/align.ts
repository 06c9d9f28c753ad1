// Align: blocks at addresses that are multiples of more than a granule.
//
// Gives:  a chunk at an aligned address; the rest of what it was cut from is free again.
// Needs:  chunk, malloc, release.
//
// A chunk with room for the alignment is taken; what lies before the aligned payload and behind it is freed again. All
// sizes and addresses are multiples of a granule, so what lies before is nothing or a whole chunk.

import { asPtr, Base, Chunk, chunkOf, NO_CHUNK, NO_PTR, Ptr, ptrOf, Word } from "./address.ts";
import { findAligned, takeFree } from "./bins.ts";
import { chunkSizeFor, markLive, sizeOf } from "./chunk.ts";
import { GRANULE, MAX_REQUEST } from "./layout.ts";
import { Machine } from "./machine.ts";
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
  if (chunk !== NO_CHUNK) {
    const has = sizeOf(m, chunk);
    takeFree(m, heap, chunk, has);
    markLive(m, chunk, has);
  } else {
    chunk = takeChunk(m, heap, size + power - GRANULE, true);
    if (chunk === NO_CHUNK) return NO_CHUNK;
  }
  const ptr = alignedPtr(chunk, power);
  const aligned = dropBefore(m, heap, chunk, chunkOf(ptr));
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
