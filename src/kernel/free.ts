// Free: what happens to one block that becomes free: a bit for those of runs, merging for chunks.
//
// Owns:  nothing.
// Needs: runs, chunk, bins, top, live.
//
// A chunk that is merged leaves a header behind that says "not in use", also when it becomes the inside of a larger
// chunk: a second free of it is then seen for as long as nobody has written over it.

import { Base, Chunk, chunkAfter, chunkBefore, NO_PTR, Ptr, Word } from "./address.ts";
import { checkLinks, putFree, takeFree } from "./bins.ts";
import { chunkSizeFor, count, markFree, sizeIn, sizeOf } from "./chunk.ts";
import { ALIGNMENT_MISMATCH, SIZE_MISMATCH } from "./codes.ts";
import {
  AT_COALESCE_COUNT,
  AT_TRIM_THRESHOLD,
  FOOTER,
  HEADER_WORD,
  IN_USE,
  MAX_REQUEST,
  MIN_CHUNK,
  PREVIOUS_IN_USE,
  UNLIMITED,
} from "./layout.ts";
import { liveChunk } from "./live.ts";
import { load32, Machine, store32 } from "./machine.ts";
import { isIn, runAt, runOf } from "./run-map.ts";
import { blockBytesOf, freeBlock, liveBlock, pushBlock } from "./runs.ts";
import { lowerTop, topOf, topSize, trimTop } from "./top.ts";

/** ISO C `free`: gives a block back. 0 does nothing. O(1). Misuse aborts, with nothing changed. */
export function free(m: Machine, heap: Base, ptr: Ptr): void {
  const run = runAt(m.words, heap, ptr);
  if (run === 0 || !pushBlock(m.words, heap, run, ptr)) freeSlow(m, heap, run, ptr);
}

/** free, when pushBlock has done nothing. `run` is the one in the address's unit, or 0. */
function freeSlow(m: Machine, heap: Base, run: Word, ptr: Ptr): void {
  if (run !== 0 && isIn(m.words, run, ptr)) freeBlock(m, heap, run, ptr);
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
 * Whether a live block may have been asked for with so many bytes: a chunk is just as large; a run's block at least, since
 * one that shrinks in place keeps its size. What is no live block aborts.
 */
function isSize(m: Machine, heap: Base, ptr: Ptr, bytes: Word): boolean {
  const run = runOf(m.words, heap, ptr);
  if (run !== 0) {
    liveBlock(m, run, ptr);
    return bytes <= blockBytesOf(m, run);
  }
  return bytes <= MAX_REQUEST && chunkSizeFor(bytes) === sizeOf(m, liveChunk(m, heap, ptr));
}

/** glibc `malloc_usable_size`: bytes that the block can hold, at least as many as were asked for. 0 for 0. */
export function usableSize(m: Machine, heap: Base, ptr: Ptr): Word {
  if (ptr === NO_PTR) return 0;
  const run = runOf(m.words, heap, ptr);
  if (run === 0) return sizeOf(m, liveChunk(m, heap, ptr)) - HEADER_WORD;
  liveBlock(m, run, ptr);
  return blockBytesOf(m, run);
}

/**
 * Makes a live chunk free: merges it with its free neighbours, then into top or a bin. Somebody has looked whether the
 * chunk before it is free where its header says so: liveChunk has, and disown.
 */
export function release(m: Machine, heap: Base, chunk: Chunk): void {
  const words = m.words;
  const head = load32(words, chunk);
  let start = chunk;
  let size = sizeIn(head);
  let end = chunkAfter(chunk, size);
  const mergesBefore = (head & PREVIOUS_IN_USE) === 0;
  const mergesAfter = end !== topOf(m, heap) && (load32(words, end) & IN_USE) === 0;
  if (mergesBefore) {
    // All that could be refused is looked at before anything is written.
    if (mergesAfter) checkLinks(m, heap, end, sizeIn(load32(words, end)));
    const before = load32(words, chunk - FOOTER);
    start = chunkBefore(chunk, before);
    takeFree(m, heap, start, before);
    // What was a header will lie inside a free chunk; without C, a second free of it is seen.
    store32(words, chunk, size);
    size += before;
    count(m, heap + AT_COALESCE_COUNT);
  }
  if (mergesAfter) {
    const after = sizeIn(load32(words, end));
    takeFree(m, heap, end, after);
    size += after;
    end = chunkAfter(end, after);
    count(m, heap + AT_COALESCE_COUNT);
  }
  if (end === topOf(m, heap)) {
    lowerTop(m, heap, start);
    const threshold = load32(words, heap + AT_TRIM_THRESHOLD);
    if (threshold !== UNLIMITED && topSize(m, heap) > threshold) trimTop(m, heap, 0);
    return;
  }
  markFree(m, start, size);
  putFree(m, heap, start, size);
}

/** Cuts a live chunk down to `size` and frees what is over. */
export function shrink(m: Machine, heap: Base, chunk: Chunk, size: Word): void {
  const words = m.words;
  const head = load32(words, chunk);
  const over = sizeIn(head) - size;
  if (over < MIN_CHUNK) return;
  const rest = chunkAfter(chunk, size);
  store32(words, rest, over | IN_USE | PREVIOUS_IN_USE);
  store32(words, chunk, head - over);
  release(m, heap, rest);
}
