// Free: keeping small chunks in the caches, merging the others.
//
// Owns:  nothing. What happens to one chunk that becomes free.
// Needs: chunk, bins, cache, top, live.
//
// A chunk that is merged leaves a header behind that says "not in use", also when it becomes the inside of a larger
// chunk: a second free of it is then seen for as long as nobody has written over it.

import { asChunk, Base, Chunk, chunkAfter, chunkBefore, chunkOf, NO_PTR, Ptr, Word } from "./address.ts";
import { checkLinks, putFree, takeFree } from "./bins.ts";
import { putCached } from "./cache.ts";
import { chunkSizeFor, count, markFree, sizeIn, sizeOf } from "./chunk.ts";
import { ALIGNMENT_MISMATCH, CORRUPTED, SIZE_MISMATCH } from "./codes.ts";
import {
  AT_CACHED_BYTES,
  AT_CACHES,
  AT_COALESCE_COUNT,
  AT_END,
  AT_FLUSH_COUNT,
  AT_SEGMENT,
  AT_TOP,
  AT_TRIM_THRESHOLD,
  CACHE_COUNT,
  CACHED,
  FLAGS,
  FOOTER,
  GRANULE,
  GRANULE_LOG2,
  HEADER_WORD,
  IN_USE,
  MAX_CACHED_CHUNK,
  MAX_REQUEST,
  MIN_CHUNK,
  NEXT,
  PREVIOUS_IN_USE,
  RESERVED_FLAG,
  UNLIMITED,
} from "./layout.ts";
import { followsFree, liveChunk } from "./live.ts";
import { load32, Machine, store32 } from "./machine.ts";
import { lowerTop, topOf, topSize, trimTop } from "./top.ts";

/** ISO C `free`: gives a block back. 0 does nothing. O(1). Misuse aborts, with nothing changed. */
export function free(m: Machine, heap: Base, ptr: Ptr): void {
  const words = m.words;
  const chunk = chunkOf(ptr);
  const top = load32(words, heap + AT_TOP);
  // What isLive asks, for the common case: a chunk of the last segment behind one that is in use.
  if (chunk < top && chunk >= load32(words, heap + AT_SEGMENT) && (ptr & (GRANULE - 1)) === 0) {
    const head = load32(words, chunk);
    const size = sizeIn(head);
    if (
      (head & FLAGS) === (IN_USE | PREVIOUS_IN_USE) &&
      size !== 0 &&
      size <= top - chunk &&
      (load32(words, chunkAfter(chunk, size)) & (PREVIOUS_IN_USE | RESERVED_FLAG)) === PREVIOUS_IN_USE
    ) {
      keepOrRelease(m, heap, chunk, head);
      return;
    }
  }
  if (ptr !== NO_PTR) keepOrRelease(m, heap, liveChunk(m, heap, ptr), m.load32(chunk));
}

/** Small chunks into a cache, if it has room; all others are merged at once. */
function keepOrRelease(m: Machine, heap: Base, chunk: Chunk, head: Word): void {
  if (sizeIn(head) <= MAX_CACHED_CHUNK && putCached(m.words, heap, chunk, head)) return;
  release(m, heap, chunk);
}

/** C23 `free_sized`: as free; `bytes` must be what was asked for, or what goodSize makes of it. */
export function freeSized(m: Machine, heap: Base, ptr: Ptr, bytes: Word): void {
  if (ptr === NO_PTR) return;
  const chunk = liveChunk(m, heap, ptr);
  checkSize(m, chunk, bytes, ptr);
  free(m, heap, ptr);
}

/** C23 `free_aligned_sized`: as freeSized; the block's address must have the alignment. */
export function freeAlignedSized(m: Machine, heap: Base, ptr: Ptr, alignment: Word, bytes: Word): void {
  if (ptr === NO_PTR) return;
  const chunk = liveChunk(m, heap, ptr);
  checkSize(m, chunk, bytes, ptr);
  if (alignment === 0 || (alignment & (alignment - 1)) !== 0 || (ptr & (alignment - 1)) !== 0) {
    m.abort(ALIGNMENT_MISMATCH, ptr);
  }
  free(m, heap, ptr);
}

function checkSize(m: Machine, chunk: Chunk, bytes: Word, ptr: Ptr): void {
  if (bytes > MAX_REQUEST || chunkSizeFor(bytes) !== sizeOf(m, chunk)) m.abort(SIZE_MISMATCH, ptr);
}

/** glibc `malloc_usable_size`: bytes that the block can hold, at least as many as were asked for. 0 for 0. */
export function usableSize(m: Machine, heap: Base, ptr: Ptr): Word {
  if (ptr === NO_PTR) return 0;
  return sizeOf(m, liveChunk(m, heap, ptr)) - HEADER_WORD;
}

/** Makes a live or cached chunk free: merges it with its free neighbours, then into top or a bin. */
export function release(m: Machine, heap: Base, chunk: Chunk): void {
  const words = m.words;
  const head = load32(words, chunk);
  let start = chunk;
  let size = sizeIn(head);
  let end = chunkAfter(chunk, size);
  const mergesBefore = (head & PREVIOUS_IN_USE) === 0;
  const mergesAfter = end !== topOf(m, heap) && (load32(words, end) & IN_USE) === 0;
  if (mergesBefore) {
    if (!followsFree(m, chunk, chunk - heap)) m.abort(CORRUPTED, chunk);
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
  store32(words, chunk, head - over);
  store32(words, rest, over | IN_USE | PREVIOUS_IN_USE);
  release(m, heap, rest);
}

/** Empties the caches: everything in them is merged. False if they were empty. O(cached chunks). */
export function flushCaches(m: Machine, heap: Base): boolean {
  if (m.load32(heap + AT_CACHED_BYTES) === 0) return false;
  for (let index: Word = 1; index < CACHE_COUNT && m.load32(heap + AT_CACHED_BYTES) !== 0; index++) {
    const list = heap + AT_CACHES + (index << 2);
    let chunk = asChunk(m.load32(list));
    while (chunk !== 0) {
      if (chunk >= m.load32(heap + AT_END)) m.abort(CORRUPTED, chunk);
      const head = m.load32(chunk);
      if ((head | PREVIOUS_IN_USE) !== ((index << GRANULE_LOG2) | CACHED | IN_USE | PREVIOUS_IN_USE)) {
        m.abort(CORRUPTED, chunk);
      }
      // One at a time, so that what is not merged yet is still a sound list if the next one is refused.
      const next = asChunk(m.load32(chunk + NEXT));
      m.store32(list, next);
      m.store32(heap + AT_CACHED_BYTES, m.load32(heap + AT_CACHED_BYTES) - (index << GRANULE_LOG2));
      m.store32(chunk, head - CACHED);
      release(m, heap, chunk);
      chunk = next;
    }
  }
  count(m, heap + AT_FLUSH_COUNT);
  return true;
}
