// Info: how much a heap has, and of what.
//
// Owns:  nothing; changes nothing, but for trim.
// Needs: layout, walk.

import { Base, NO_CHUNK, Word } from "./address.ts";
import { chunkSizeFor, sizeOf } from "./chunk.ts";
import { flushCaches } from "./free.ts";
import { AT_FOOTPRINT, AT_LIMIT, AT_MAX_FOOTPRINT, AT_SEGMENT, HEADER_WORD, MAX_REQUEST } from "./layout.ts";
import { segmentEnd } from "./live.ts";
import { Machine } from "./machine.ts";
import { trimTop } from "./top.ts";
import { firstChunk, nextChunk, stateOf } from "./walk.ts";

/** Bytes of the segments, header included: what the heap has got from its Memory and uses. O(1). */
export function footprint(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_FOOTPRINT);
}

/** The largest footprint since the heap was made. O(1). */
export function maxFootprint(m: Machine, heap: Base): Word {
  return m.load32(heap + AT_MAX_FOOTPRINT);
}

/** The footprint and what the Memory has given in advance. O(1). */
export function reserved(m: Machine, heap: Base): Word {
  return (
    m.load32(heap + AT_FOOTPRINT) +
    m.load32(heap + AT_LIMIT) -
    segmentEnd(m, heap, m.load32(heap + AT_SEGMENT))
  );
}

/** The usable size that a request of so many bytes gets; what is over MAX_REQUEST gets nothing: 0. O(1). */
export function goodSize(bytes: Word): Word {
  return bytes > MAX_REQUEST ? 0 : chunkSizeFor(bytes) - HEADER_WORD;
}

/** glibc `malloc_trim`: empties the caches and gives back what top has beyond `pad` bytes. True if there was any. */
export function trim(m: Machine, heap: Base, pad: Word): boolean {
  const before = footprint(m, heap);
  // What lay in the caches may trim top by itself when it is merged: the footprint tells.
  flushCaches(m, heap);
  trimTop(m, heap, pad);
  return footprint(m, heap) < before;
}

/** How many chunks are in a state of walk.ts. O(chunks). */
export function countOf(m: Machine, heap: Base, state: Word): Word {
  let chunks: Word = 0;
  for (let chunk = firstChunk(m, heap); chunk !== NO_CHUNK; chunk = nextChunk(m, heap, chunk)) {
    if (stateOf(m, heap, chunk) === state) chunks += 1;
  }
  return chunks;
}

/** Bytes of the chunks in a state of walk.ts, headers included. O(chunks). */
export function bytesOf(m: Machine, heap: Base, state: Word): Word {
  let bytes: Word = 0;
  for (let chunk = firstChunk(m, heap); chunk !== NO_CHUNK; chunk = nextChunk(m, heap, chunk)) {
    if (stateOf(m, heap, chunk) === state) bytes += sizeOf(m, chunk);
  }
  return bytes;
}
