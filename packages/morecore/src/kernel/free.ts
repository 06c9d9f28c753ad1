// Free: one block becomes free: a bit is set for those of slabs, chunks are released.
//
// Writes: a bit of a slab's descriptor, or what release writes. Refuses misuse before that.
// Needs:  slabs, release, live.

import { Base, NO_PTR, Ptr, Word } from "./address.ts";
import { chunkSizeFor, sizeOf } from "./chunk.ts";
import { ALIGNMENT_MISMATCH, SIZE_MISMATCH } from "./codes.ts";
import { HEADER_WORD, MAX_REQUEST } from "./layout.ts";
import { liveChunk } from "./live.ts";
import { Machine } from "./machine.ts";
import { release } from "./release.ts";
import { blockBytesOf, isIn, liveBlock } from "./slab.ts";
import { slabAt, slabOf } from "./slab-map.ts";
import { freeBlock, pushBlock } from "./slabs.ts";

/** ISO C `free`: gives a block back. 0 does nothing. O(1). Misuse aborts, with nothing changed. */
// @hot
export function free(m: Machine, heap: Base, ptr: Ptr): void {
  const slab = slabAt(m.words, heap, ptr);
  if (slab === 0 || !pushBlock(m.words, heap, slab, ptr)) freeSlow(m, heap, slab, ptr);
}

/** free, when pushBlock has done nothing. `slab` is the one in the address's unit, or 0. */
// @hot @apart
function freeSlow(m: Machine, heap: Base, slab: Word, ptr: Ptr): void {
  if (slab !== 0 && isIn(m.words, slab, ptr)) freeBlock(m, heap, slab, ptr);
  else if (ptr !== NO_PTR) release(m, heap, liveChunk(m, heap, ptr));
}

/** C23 `free_sized`: as free; `bytes` must be what was asked for, as far as isSize can tell. */
export function freeSized(m: Machine, heap: Base, ptr: Ptr, bytes: Word): void {
  if (ptr === NO_PTR) return;
  if (!isSize(m, heap, ptr, bytes)) m.abort(SIZE_MISMATCH, ptr);
  free(m, heap, ptr);
}

/** C23 `free_aligned_sized`: as freeSized; the block's address must have the alignment. */
export function freeAlignedSized(m: Machine, heap: Base, ptr: Ptr, alignment: Word, bytes: Word): void {
  if (ptr === NO_PTR) return;
  if (!isSize(m, heap, ptr, bytes)) m.abort(SIZE_MISMATCH, ptr);
  if (alignment === 0 || (alignment & (alignment - 1)) !== 0 || (ptr & (alignment - 1)) !== 0) {
    m.abort(ALIGNMENT_MISMATCH, ptr);
  }
  free(m, heap, ptr);
}

/**
 * Whether a live block may have been asked for with so many bytes. A chunk is just as large. A slab's block
 * is at least as large, since one that shrinks in place keeps its size. What is no live block aborts.
 */
function isSize(m: Machine, heap: Base, ptr: Ptr, bytes: Word): boolean {
  const slab = slabOf(m.words, heap, ptr);
  if (slab !== 0) {
    liveBlock(m, slab, ptr);
    return bytes <= blockBytesOf(m, slab);
  }
  return bytes <= MAX_REQUEST && chunkSizeFor(bytes) === sizeOf(m, liveChunk(m, heap, ptr));
}

/** glibc `malloc_usable_size`: bytes that the block can hold, at least as many as were asked for. 0 for 0. */
export function usableSize(m: Machine, heap: Base, ptr: Ptr): Word {
  if (ptr === NO_PTR) return 0;
  const slab = slabOf(m.words, heap, ptr);
  if (slab === 0) return sizeOf(m, liveChunk(m, heap, ptr)) - HEADER_WORD;
  liveBlock(m, slab, ptr);
  return blockBytesOf(m, slab);
}
