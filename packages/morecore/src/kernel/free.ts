// Free: one block becomes free: a bit is set for those of slabs, chunks are released.
//
// Writes: a bit of a slab's descriptor, or what release writes. Refuses misuse before that.
// Needs:  slabs, release, live.

import { Base, chunkOf, NO_PTR, Ptr, Word } from "./address.ts";
import { chunkSizeFor, sizeOf } from "./chunk.ts";
import { ALIGNMENT_MISMATCH, DOUBLE_FREE, SIZE_MISMATCH } from "./codes.ts";
import { HEADER_WORD, MAX_REQUEST, SLAB_OWNER, UNIT_FLAGS } from "./layout.ts";
import { blame, isLiveOf, isMarked, liveChunk } from "./live.ts";
import { load32, Machine } from "./machine.ts";
import { release } from "./release.ts";
import { freeOthersBlock, freeOthersChunk } from "./remote.ts";
import { blockBytesOf, isIn, liveBlock } from "./slab.ts";
import { slabAt, slabOf } from "./slab-map.ts";
import { freeBlock, pushBlock } from "./slabs.ts";
import { isMapped, ownerIn, slabIn, unitAt, unitEntry } from "./units.ts";

/** ISO C `free`: gives a block back. 0 does nothing. O(1). Misuse aborts, with nothing changed. */
// @hot
export function free(m: Machine, heap: Base, ptr: Ptr): void {
  if (m.threads) {
    if (!pushOwn(m, heap, ptr)) freeAnyones(m, heap, ptr);
    return;
  }
  const slab = slabAt(m, heap, ptr);
  if (slab === 0 || !pushBlock(m, heap, slab, ptr)) freeSlow(m, heap, slab, ptr);
}

/** free, when pushBlock has done nothing. `slab` is the one in the address's unit, or 0. */
// @hot @apart
function freeSlow(m: Machine, heap: Base, slab: Word, ptr: Ptr): void {
  if (slab !== 0 && isIn(m.words, slab, ptr)) freeBlock(m, heap, slab, ptr);
  else if (ptr !== NO_PTR) release(m, heap, liveChunk(m, heap, ptr));
}

/** pushBlock, where threads share memory and the block is this one's, in a slab that is not full. */
function pushOwn(m: Machine, heap: Base, ptr: Ptr): boolean {
  const words = m.words;
  if (!isMapped(words, heap, ptr)) return false;
  const entry = load32(words, unitEntry(words, heap, ptr));
  if (entry === 0 || (entry & UNIT_FLAGS) !== 0) return false;
  if (load32(words, entry + SLAB_OWNER) !== heap) return false;
  return pushBlock(m, heap, entry, ptr);
}

/** free, where threads share memory, when pushOwn has done nothing: the block may be another one's. */
// @hot @apart
function freeAnyones(m: Machine, heap: Base, ptr: Ptr): void {
  if (ptr === NO_PTR) return;
  const words = m.words;
  const entry = unitAt(words, heap, ptr);
  const slab = slabIn(entry);
  const owner = ownerIn(words, entry);
  if (slab !== 0 && isIn(words, slab, ptr)) {
    if (owner === heap) freeBlock(m, heap, slab, ptr);
    else freeOthersBlock(m, heap, slab, ptr);
    return;
  }
  const chunk = chunkOf(ptr);
  // In this order: a chunk stops being live before it loses its mark.
  if (owner !== 0 && isMarked(m, ptr)) m.abort(DOUBLE_FREE, ptr);
  if (!isLiveOf(m, heap, owner, chunk)) blame(m, heap, chunk);
  if (owner === heap) release(m, heap, chunk);
  else freeOthersChunk(m, heap, owner, ptr);
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
  const slab = slabOf(m, heap, ptr);
  if (slab !== 0) {
    liveBlock(m, slab, ptr);
    return bytes <= blockBytesOf(m, slab);
  }
  return bytes <= MAX_REQUEST && chunkSizeFor(bytes) === sizeOf(m, liveChunk(m, heap, ptr));
}

/** glibc `malloc_usable_size`: bytes that the block can hold, at least as many as were asked for. 0 for 0. */
export function usableSize(m: Machine, heap: Base, ptr: Ptr): Word {
  if (ptr === NO_PTR) return 0;
  const slab = slabOf(m, heap, ptr);
  if (slab === 0) return sizeOf(m, liveChunk(m, heap, ptr)) - HEADER_WORD;
  liveBlock(m, slab, ptr);
  return blockBytesOf(m, slab);
}
