// Info: how much a heap has, and of what.
//
// Reads:  the header's counters in O(1), all else by a walk. Only trim writes.
// Needs:  layout, chunk, live, slabs, top, walk.

import { Base, Word } from "./address.ts";
import { chunkSizeFor } from "./chunk.ts";
import { classFor, isSmall } from "./classes.ts";
import {
  AT_FOOTPRINT,
  AT_LIMIT,
  AT_MAX_FOOTPRINT,
  AT_SEGMENT,
  GRANULE_LOG2,
  HEADER_WORD,
  MAX_REQUEST,
} from "./layout.ts";
import { segmentEnd } from "./live.ts";
import { Machine } from "./machine.ts";
import { flushSlabs } from "./slab-idle.ts";
import { hasSlabs } from "./slab-life.ts";
import { collectListed, readMail } from "./slab-mail.ts";
import { trimTop } from "./top.ts";
import { wholeOf } from "./units.ts";
import { firstPiece, NO_PIECE, nextPiece, pieceBytes, pieceState } from "./walk.ts";

/** Bytes of the segments, header included: what the heap has got from its Memory and uses. O(1). */
export function footprint(m: Machine, heap: Base): Word {
  return m.load32(wholeOf(m, heap) + AT_FOOTPRINT);
}

/** The largest footprint since the heap was made. O(1). */
export function maxFootprint(m: Machine, heap: Base): Word {
  return m.load32(wholeOf(m, heap) + AT_MAX_FOOTPRINT);
}

/** The footprint and what the Memory has given in advance. O(1). */
export function reserved(m: Machine, heap: Base): Word {
  return (
    m.load32(heap + AT_FOOTPRINT) +
    m.load32(heap + AT_LIMIT) -
    segmentEnd(m, heap, m.load32(heap + AT_SEGMENT))
  );
}

/**
 * The usable size that a request of so many bytes gets: in a slab, if it is small and a slab can be had. 0
 * for what is over MAX_REQUEST. O(1).
 */
export function goodSize(m: Machine, heap: Base, bytes: Word): Word {
  if (isSmall(m, heap, bytes)) {
    const sizeClass = classFor(m, bytes);
    if (hasSlabs(m, heap, sizeClass)) return sizeClass << GRANULE_LOG2;
  }
  return bytes > MAX_REQUEST ? 0 : chunkSizeFor(bytes) - HEADER_WORD;
}

/** glibc `malloc_trim`: gives back unused slabs and what top has beyond `pad` bytes. True if there was any. */
export function trim(m: Machine, heap: Base, pad: Word): boolean {
  const before = m.load32(heap + AT_FOOTPRINT);
  if (m.threads) {
    readMail(m, heap);
    collectListed(m, heap);
  }
  // A slab that is given back may trim top by itself: the footprint tells.
  flushSlabs(m, heap);
  trimTop(m, heap, pad);
  return m.load32(heap + AT_FOOTPRINT) < before;
}

/** How many pieces are in a state of walk.ts. O(pieces). */
export function countOf(m: Machine, heap: Base, state: Word): Word {
  let pieces: Word = 0;
  for (let at = firstPiece(m, heap); at !== NO_PIECE; at = nextPiece(m, heap, at)) {
    if (pieceState(m, heap, at) === state) pieces += 1;
  }
  return pieces;
}

/** Bytes of the pieces in a state of walk.ts, headers included. O(pieces). */
export function bytesOf(m: Machine, heap: Base, state: Word): Word {
  let bytes: Word = 0;
  for (let at = firstPiece(m, heap); at !== NO_PIECE; at = nextPiece(m, heap, at)) {
    if (pieceState(m, heap, at) === state) bytes += pieceBytes(m, heap, at);
  }
  return bytes;
}
