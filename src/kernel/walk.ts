// Walk: visiting all chunks of a heap, in the order of its segments.
//
// Owns:  nothing; changes nothing.
// Needs: layout, chunk, image.
//
// A walk is a loop over two functions, so that it needs no callback, which the wasm build could not take:
//
//     for (let c = firstChunk(m, heap); c !== NO_CHUNK; c = nextChunk(m, heap, c)) …

import { asChunk, Base, Chunk, chunkAfter, NO_CHUNK, Word } from "./address.ts";
import { sizeIn, sizeOf } from "./chunk.ts";
import {
  AT_FOOTPRINT,
  AT_SEGMENT,
  CACHED,
  HEADER_BYTES,
  IN_USE,
  SEGMENT_CHUNKS,
  SEGMENT_END,
  SEGMENT_NEXT,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { topOf } from "./top.ts";

export const LIVE: Word = 0;
export const IN_CACHE: Word = 1;
export const FREE: Word = 2;
export const TOP: Word = 3;

/** The first chunk of the heap; it may be top. */
export function firstChunk(m: Machine, heap: Base): Chunk {
  return firstIn(m, heap, heap + HEADER_BYTES);
}

/** The chunk after this one, in the next segment if need be. Top is the last; after it NO_CHUNK. */
export function nextChunk(m: Machine, heap: Base, chunk: Chunk): Chunk {
  if (chunk === topOf(m, heap)) return NO_CHUNK;
  const next = chunkAfter(chunk, sizeOf(m, chunk));
  return next !== topOf(m, heap) && isFencepost(m, next)
    ? firstIn(m, heap, segmentAfter(m, heap, next))
    : next;
}

/** A chunk's state: LIVE, IN_CACHE, FREE or TOP. */
export function stateOf(m: Machine, heap: Base, chunk: Chunk): Word {
  if (chunk === topOf(m, heap)) return TOP;
  const head = m.load32(chunk);
  if ((head & IN_USE) === 0) return FREE;
  return (head & CACHED) !== 0 ? IN_CACHE : LIVE;
}

/** Whether a header is the stub that closes a segment. */
export function isFencepost(m: Machine, chunk: Chunk): boolean {
  const head = m.load32(chunk);
  return sizeIn(head) === 0 && (head & IN_USE) !== 0;
}

/** The first chunk at or after the beginning of a segment; an empty segment has none. */
function firstIn(m: Machine, heap: Base, segment: Word): Chunk {
  const first = asChunk(segment + SEGMENT_CHUNKS);
  if (first !== topOf(m, heap) && isFencepost(m, first))
    return firstIn(m, heap, m.load32(segment + SEGMENT_NEXT));
  return first;
}

/** The segment after the one that a fencepost closes. O(segments). */
function segmentAfter(m: Machine, heap: Base, fencepost: Chunk): Word {
  let segment: Word = heap + HEADER_BYTES;
  while (segment !== m.load32(heap + AT_SEGMENT)) {
    const next = m.load32(segment + SEGMENT_NEXT);
    if (m.load32(segment + SEGMENT_END) === fencepost + 4) return next;
    segment = next;
  }
  return segment;
}

/** Chunks of a heap at most: what a walk over sound bytes never exceeds. */
export function chunkBound(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_FOOTPRINT) >>> 4;
}
