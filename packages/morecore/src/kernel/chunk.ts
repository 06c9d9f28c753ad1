// Chunks: boundary tags. What a header says, and how it is written.
//
// Owns:       header words, footers.
// Needs:      layout.
// Invariants: C1  sizes are multiples of 16, at least 16; the reserved flag is clear       O(chunks)
//             C2  P of a chunk <=> the chunk before it is in use (or there is none)        O(chunks)
//             C3  a free chunk's last word is its size; no two neighbours are free         O(chunks)
//             C4  a live chunk's size is exactly its request's, rounded: nothing larger is handed out
//             (check.ts: checkChunks)
//             C5  from the first chunk, the sizes lead to top, or beyond where it was, between any two stores: what is
//                 cut off has its header before what it is cut from is made smaller       (test/kernel/torn-calls.test.ts)

import { Base, Chunk, chunkAfter, Word } from "./address.ts";
import {
  AT_FOOTPRINT,
  AT_MAX_FOOTPRINT,
  FLAGS,
  FOOTER,
  GRANULE,
  HEADER_WORD,
  IN_USE,
  MIN_CHUNK,
  PREVIOUS_IN_USE,
} from "./layout.ts";
import { load32, Machine, store32 } from "./machine.ts";

/** The chunk size that serves a request of so many bytes, at most MAX_REQUEST. */
export function chunkSizeFor(bytes: Word): Word {
  return bytes <= MIN_CHUNK - HEADER_WORD
    ? MIN_CHUNK
    : ((bytes + HEADER_WORD + (GRANULE - 1)) & ~(GRANULE - 1)) >>> 0;
}

/** The size that a header word states. */
export function sizeIn(head: Word): Word {
  return (head & ~FLAGS) >>> 0;
}

export function sizeOf(m: Machine, chunk: Chunk): Word {
  return sizeIn(m.load32(chunk));
}

/** Writes a free chunk's header and footer. The chunk before it is in use; the one after it knows that this is free. */
export function writeFree(m: Machine, chunk: Chunk, size: Word): void {
  const words = m.words;
  store32(words, chunk, size | PREVIOUS_IN_USE);
  store32(words, chunk + size - FOOTER, size);
}

/** Makes a chunk free between neighbours that are in use: header, footer, and the next one's P flag. */
export function markFree(m: Machine, chunk: Chunk, size: Word): void {
  const words = m.words;
  const next = chunkAfter(chunk, size);
  writeFree(m, chunk, size);
  store32(words, next, (load32(words, next) & ~PREVIOUS_IN_USE) >>> 0);
}

/** Makes a chunk live and tells the next one. The chunk before it is in use. */
export function markLive(m: Machine, chunk: Chunk, size: Word): void {
  const words = m.words;
  const next = chunkAfter(chunk, size);
  store32(words, chunk, size | IN_USE | PREVIOUS_IN_USE);
  store32(words, next, load32(words, next) | PREVIOUS_IN_USE);
}

/** Adds to the heap's footprint, and keeps its peak. */
export function addFootprint(m: Machine, heap: Base, bytes: Word): void {
  const footprint = (m.load32(heap + AT_FOOTPRINT) + bytes) >>> 0;
  m.store32(heap + AT_FOOTPRINT, footprint);
  if (footprint > m.load32(heap + AT_MAX_FOOTPRINT)) m.store32(heap + AT_MAX_FOOTPRINT, footprint);
}

/** Adds one to a counter of the header. Counters wrap. */
export function count(m: Machine, counter: Word): void {
  m.store32(counter, (m.load32(counter) + 1) >>> 0);
}
