// Internal: chunks that the heap takes for itself.
//
// Owns:  the flag O.
// Needs: chunk, take, release.

import { Base, Chunk, chunkOf, NO_CHUNK, Ptr, Word } from "./address.ts";
import { sizeIn } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import { AT_END, GRANULE, IN_USE, OWN, PREVIOUS_IN_USE } from "./layout.ts";
import { followsFree } from "./live.ts";
import { Machine } from "./machine.ts";
import { release } from "./release.ts";
import { takeOrGrow } from "./take.ts";

/** A chunk of `size` bytes that no caller can free. NO_CHUNK: no memory. */
export function takeInternal(m: Machine, heap: Base, size: Word): Chunk {
  const chunk = takeOrGrow(m, heap, size, false);
  if (chunk !== NO_CHUNK) markInternal(m, chunk);
  return chunk;
}

/** Marks a live chunk as the heap's own. */
export function markInternal(m: Machine, chunk: Chunk): void {
  m.store32(chunk, m.load32(chunk) | OWN);
}

/** Whether a chunk of the heap's own can have its payload at an address. */
export function isInternal(m: Machine, heap: Base, ptr: Ptr): boolean {
  const chunk = chunkOf(ptr);
  const end = m.load32(heap + AT_END);
  if ((ptr & (GRANULE - 1)) !== 0 || chunk <= heap || chunk >= end) return false;
  const head = m.load32(chunk);
  return (head & (IN_USE | OWN)) === (IN_USE | OWN) && sizeIn(head) < end - chunk;
}

/** Frees a chunk of the heap's own, by its payload's address. Aborts, with nothing changed, if there is none. */
export function freeInternal(m: Machine, heap: Base, ptr: Ptr): void {
  const chunk = chunkOf(ptr);
  const head = m.load32(chunk);
  if (!isInternal(m, heap, ptr)) m.abort(CORRUPTED, chunk);
  if ((head & PREVIOUS_IN_USE) === 0 && !followsFree(m, chunk, chunk - heap)) m.abort(CORRUPTED, chunk);
  m.store32(chunk, head - OWN);
  release(m, heap, chunk);
}
