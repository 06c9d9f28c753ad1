// Walk: visiting all pieces of a heap, in the order of its segments.
//
// Reads:  every piece once, in rising order; ends on any bytes. Writes nothing.
// Needs:  layout, chunk, live, remote, slab, slab-map, top.
//
// Where threads share a heap, this walks the heap of one of them. What another thread has freed counts as cached, until
// the owner takes it back: a block of a slab, and a chunk, too.
//
// A piece is a chunk or, after a slab's chunk, each block of the slab. A chunk's piece has the address of its
// header, 12 mod 16. A block's piece has the block's, 0 mod 16. So an address tells what it is. A walk is a
// loop over two functions, so that it needs no callback, which the wasm build could not take:
//
//     for (let at = firstPiece(m, heap); at !== NO_PIECE; at = nextPiece(m, heap, at)) …
//
// firstChunk and nextChunk do the same for chunks only.

import { asChunk, asPtr, Base, Chunk, chunkAfter, chunkOf, NO_CHUNK, ptrOf, Word } from "./address.ts";
import { sizeIn, sizeOf } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import {
  AT_END,
  AT_SEGMENT,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  IN_USE,
  OWN,
  SEGMENT_CHUNKS,
  SEGMENT_END,
} from "./layout.ts";
import { isMarked, nextSegment } from "./live.ts";
import { Machine } from "./machine.ts";
import { blockBytesOf, extentOf, firstBlock, indexOf, isFree } from "./slab.ts";
import { slabOf } from "./slab-map.ts";
import { topOf } from "./top.ts";

export const NO_PIECE: Word = 0;

// A piece's state.
export const LIVE: Word = 0;
/** A free block of a slab: kept unmerged, for its size class. And a chunk that waits for its thread to take it back. */
export const CACHED: Word = 1;
export const FREE: Word = 2;
export const TOP: Word = 3;
/** The heap's own: a slab, less its blocks; a descriptor; the map. */
export const OVERHEAD: Word = 4;

/** The first piece of the heap; it may be top. */
export function firstPiece(m: Machine, heap: Base): Word {
  return firstChunk(m, heap);
}

/**
 * The piece after this one. Top is the last; after it NO_PIECE. Pieces rise up to the heap's end, else this
 * aborts. So a walk takes no more steps than the heap has granules, whatever the headers and descriptors say.
 */
export function nextPiece(m: Machine, heap: Base, at: Word): Word {
  const next = pieceAfter(m, heap, at);
  const rises: boolean = next > at && next < m.load32(heap + AT_END);
  if (next !== NO_PIECE && !rises) m.abort(CORRUPTED, at);
  return next;
}

function pieceAfter(m: Machine, heap: Base, at: Word): Word {
  if (isBlock(at)) {
    const slab = slabOf(m, heap, at);
    if (slab === 0) m.abort(CORRUPTED, at);
    const first = firstBlock(m, slab);
    const next = at + blockBytesOf(m, slab);
    return next < first + extentOf(m, slab) ? next : nextChunk(m, heap, chunkOf(first));
  }
  const chunk = asChunk(at);
  return runIn(m, heap, chunk) === 0 ? nextChunk(m, heap, chunk) : ptrOf(chunk);
}

/** A piece's state: LIVE, CACHED, FREE, TOP or OVERHEAD. */
export function pieceState(m: Machine, heap: Base, at: Word): Word {
  if (!isBlock(at)) {
    const state = stateOf(m, heap, asChunk(at));
    if (!m.threads || state !== LIVE) return state;
    return isMarked(m, ptrOf(asChunk(at))) ? CACHED : LIVE;
  }
  const slab = slabOf(m, heap, at);
  return isFree(m, slab, indexOf(m.words, slab, asPtr(at))) ? CACHED : LIVE;
}

/** A piece's bytes, with a chunk's header; of a slab's chunk, what its blocks leave. */
export function pieceBytes(m: Machine, heap: Base, at: Word): Word {
  if (isBlock(at)) return blockBytesOf(m, slabOf(m, heap, at));
  const slab = runIn(m, heap, asChunk(at));
  return sizeOf(m, asChunk(at)) - (slab === 0 ? 0 : extentOf(m, slab));
}

/** Whether a piece is a block of a slab. */
export function isBlock(at: Word): boolean {
  return (at & (GRANULE - 1)) === 0;
}

/** The descriptor of the slab that a chunk is; 0: it is none. */
function runIn(m: Machine, heap: Base, chunk: Chunk): Word {
  if ((m.load32(chunk) & OWN) === 0) return 0;
  const slab = slabOf(m, heap, ptrOf(chunk));
  return slab !== 0 && firstBlock(m, slab) === ptrOf(chunk) ? slab : 0;
}

/** The first chunk of the heap; it may be top. */
export function firstChunk(m: Machine, heap: Base): Chunk {
  return firstIn(m, heap, heap + HEADER_BYTES);
}

/** The chunk after this one, in the next segment if need be. A header that leads nowhere, or back, aborts: a walk always ends. Top is the last; after it NO_CHUNK. */
export function nextChunk(m: Machine, heap: Base, chunk: Chunk): Chunk {
  if (chunk === topOf(m, heap)) return NO_CHUNK;
  const next = chunkAfter(chunk, sizeOf(m, chunk));
  if (next <= chunk || next >= m.load32(heap + AT_END)) m.abort(CORRUPTED, chunk);
  if (next === topOf(m, heap) || !isFencepost(m, next)) return next;
  const first = firstIn(m, heap, segmentAfter(m, heap, next));
  // Segments that overlap would lead back to this fencepost.
  if (first <= next) m.abort(CORRUPTED, next);
  return first;
}

/** A chunk's state: LIVE, OVERHEAD, FREE or TOP. */
export function stateOf(m: Machine, heap: Base, chunk: Chunk): Word {
  if (chunk === topOf(m, heap)) return TOP;
  const head = m.load32(chunk);
  if ((head & IN_USE) === 0) return FREE;
  return (head & OWN) !== 0 ? OVERHEAD : LIVE;
}

/** Whether a header is the stub that closes a segment. */
export function isFencepost(m: Machine, chunk: Chunk): boolean {
  const head = m.load32(chunk);
  return sizeIn(head) === 0 && (head & IN_USE) !== 0;
}

/** The first chunk at or after the beginning of a segment; an empty segment has none. */
function firstIn(m: Machine, heap: Base, segment: Word): Chunk {
  let at = segment;
  let first = asChunk(at + SEGMENT_CHUNKS);
  while (first !== topOf(m, heap) && isFencepost(m, first)) {
    at = nextSegment(m, heap, at);
    first = asChunk(at + SEGMENT_CHUNKS);
  }
  return first;
}

/** The segment after the one that a fencepost closes. O(segments). */
function segmentAfter(m: Machine, heap: Base, fencepost: Chunk): Word {
  let segment: Word = heap + HEADER_BYTES;
  while (segment !== m.load32(heap + AT_SEGMENT)) {
    const next = nextSegment(m, heap, segment);
    if (m.load32(segment + SEGMENT_END) === fencepost + HEADER_WORD) return next;
    segment = next;
  }
  // No segment ends here: what looks like a fencepost is a chunk's header, overwritten.
  m.abort(CORRUPTED, fencepost);
  return segment;
}
