// Release: a live chunk, or a part of it, made free and merged with what is free beside it.
//
// Writes: boundary tags, a bin or top; trims top where its threshold says so.
// Needs:  chunk, bins, top.
//
// A chunk that is merged leaves a header behind that says "not in use", also inside a larger chunk. So a
// second free of it is seen for as long as nobody has written over it.

import { Base, Chunk, chunkAfter, chunkBefore, Word } from "./address.ts";
import { checkLinks, putFree, takeFree } from "./bins.ts";
import { count, markFree, sizeIn, sizeOf } from "./chunk.ts";
import {
  AT_COALESCE_COUNT,
  AT_TRIM_THRESHOLD,
  FOOTER,
  IN_USE,
  MIN_CHUNK,
  PREVIOUS_IN_USE,
} from "./layout.ts";
import { load32, Machine, store32 } from "./machine.ts";
import { lowerTop, settleTop, topOf, topSize } from "./top.ts";

/**
 * Makes a live chunk free: merges it with its free neighbours, then into top or a bin. Somebody has looked whether the
 * chunk before it is free where its header says so: liveChunk has, and freeInternal.
 */
// @hot @apart
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
    // No top is larger than UNLIMITED.
    if (topSize(m, heap) > load32(words, heap + AT_TRIM_THRESHOLD)) settleTop(m, heap, size);
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

/** Frees what a live chunk has before `aligned` and gives the rest, live. */
export function dropBefore(m: Machine, heap: Base, chunk: Chunk, aligned: Chunk): Chunk {
  const lead = aligned - chunk;
  if (lead === 0) return chunk;
  m.store32(aligned, (sizeOf(m, chunk) - lead) | IN_USE | PREVIOUS_IN_USE);
  m.store32(chunk, lead | (m.load32(chunk) & PREVIOUS_IN_USE) | IN_USE);
  release(m, heap, chunk);
  return chunkAfter(chunk, lead);
}
