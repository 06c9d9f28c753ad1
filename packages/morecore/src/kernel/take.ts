// Take: a chunk made live, from what is free or from more memory.
//
// Gives:  a chunk from the nearest source: a bin, top, then growth.
// Needs:  chunk, bins, top.

import { Base, Chunk, chunkAfter, NO_CHUNK, Word } from "./address.ts";
import { findFit, putFree, takeFree } from "./bins.ts";
import { markLive, sizeOf, writeFree } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import { IN_USE, MIN_CHUNK, PREVIOUS_IN_USE } from "./layout.ts";
import { Machine, store32 } from "./machine.ts";
import { growTop, takeTop } from "./top.ts";

/**
 * A live chunk of `size` bytes; what is over of the free chunk that it was cut from stays with it if `whole` says so.
 * NO_CHUNK: no memory, and the heap serves as before. Unused slabs are let be: a new slab would else chase those of other
 * classes in a circle. malloc.ts has takeChunk, which gives them back.
 */
// @rare
export function takeOrGrow(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  const near = takeNear(m, heap, size, whole);
  return near !== NO_CHUNK ? near : growAndTake(m, heap, size);
}

/** takeOrGrow from new memory. */
// @rare
export function growAndTake(m: Machine, heap: Base, size: Word): Chunk {
  return growTop(m, heap, size) ? takeTop(m, heap, size) : NO_CHUNK;
}

/** takeOrGrow from what is free already. */
export function takeNear(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  const words = m.words;
  const chunk = findFit(m, heap, size);
  if (chunk === NO_CHUNK) return takeTop(m, heap, size);
  const has = sizeOf(m, chunk);
  if (has < size) m.abort(CORRUPTED, chunk);
  takeFree(m, heap, chunk, has);
  if (whole || has - size < MIN_CHUNK) {
    markLive(m, chunk, has);
    return chunk;
  }
  const rest = chunkAfter(chunk, size);
  writeFree(m, rest, has - size);
  store32(words, chunk, size | IN_USE | PREVIOUS_IN_USE);
  putFree(m, heap, rest, has - size);
  return chunk;
}
