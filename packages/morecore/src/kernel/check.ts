// Check: every invariant, one function each. Tests call checkHeap after every operation; production when asked. Where threads
// share a heap, checkCommon of check-common.ts is the one to call.
//
// Reads:  the whole image, in an order that ends on any bytes. Writes nothing. O(heap).
// Needs:  all of the kernel's layout.
//
// A broken invariant aborts with its code and the address where it shows. The order matters: what a later function
// relies on, so that it neither leaves the heap nor runs for ever, an earlier one has checked.

import { asChunk, Base, Chunk, chunkAfter, NO_CHUNK, Word } from "./address.ts";
import { beforeBin, binOf } from "./bins.ts";
import { checkClasses, checkSlabs } from "./check-slabs.ts";
import { sizeIn, sizeOf } from "./chunk.ts";
import {
  BROKEN_BIN,
  BROKEN_BIN_MAP,
  BROKEN_FREE_CHUNK,
  BROKEN_HEADER,
  BROKEN_LINK,
  BROKEN_PREVIOUS_FLAG,
  BROKEN_SEGMENT,
  BROKEN_TOP,
  BROKEN_UNTOUCHED,
} from "./codes.ts";
import { IS_HEAP, probeHeap } from "./image.ts";
import {
  AT_BIN_MAP,
  AT_BIN_SUMMARY,
  AT_BINS,
  AT_END,
  AT_FOOTPRINT,
  AT_LIMIT,
  AT_MAX_FOOTPRINT,
  AT_SEGMENT,
  AT_UNTOUCHED,
  BIN_COUNT,
  BIN_MAP_WORDS,
  FOOTER,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  IN_USE,
  NEXT,
  OWN,
  PREVIOUS,
  PREVIOUS_IN_USE,
  RESERVED_FLAG,
  SEGMENT_CHUNKS,
  SEGMENT_NEXT,
} from "./layout.ts";
import { segmentEnd } from "./live.ts";
import { Machine } from "./machine.ts";
import { topOf, topSize } from "./top.ts";
import { ownerAt } from "./units.ts";
import { FREE, firstChunk, nextChunk, stateOf } from "./walk.ts";

/** Checks every invariant of a heap. O(chunks + bytes of top that were never used). */
export function checkHeap(m: Machine, heap: Base): void {
  if (probeHeap(m, heap) !== IS_HEAP) m.abort(BROKEN_HEADER, heap);
  checkSound(m, heap);
}

/** All of a heap's invariants, or of a thread's heap, but for its header: somebody has looked at that before. */
export function checkSound(m: Machine, heap: Base): void {
  checkSegments(m, heap);
  checkTop(m, heap);
  checkUntouched(m, heap);
  checkChunks(m, heap);
  checkBinMap(m, heap);
  checkBins(m, heap);
  checkSlabs(m, heap);
  checkClasses(m, heap);
}

/** T2: segments rise, the footprint is the sum of their bytes and at most its peak. */
export function checkSegments(m: Machine, heap: Base): void {
  const last = m.load32(heap + AT_SEGMENT);
  let segment: Word = heap + HEADER_BYTES;
  let bytes: Word = segmentEnd(m, heap, segment) - heap;
  while (segment !== last) {
    const next = m.load32(segment + SEGMENT_NEXT);
    const end = segmentEnd(m, heap, segment);
    if (next < end || end < segment + SEGMENT_CHUNKS + HEADER_WORD || next > m.size() - GRANULE) {
      m.abort(BROKEN_SEGMENT, segment);
    }
    const after = segmentEnd(m, heap, next);
    if (after < next + GRANULE || after > m.size()) m.abort(BROKEN_SEGMENT, next);
    bytes += after - next;
    segment = next;
  }
  if (bytes !== m.load32(heap + AT_FOOTPRINT)) m.abort(BROKEN_SEGMENT, heap + AT_FOOTPRINT);
  if (bytes > m.load32(heap + AT_MAX_FOOTPRINT)) m.abort(BROKEN_SEGMENT, heap + AT_MAX_FOOTPRINT);
}

/** T1: top's header is its size with P set. */
export function checkTop(m: Machine, heap: Base): void {
  const top = topOf(m, heap);
  if (m.load32(top) !== (topSize(m, heap) | PREVIOUS_IN_USE) >>> 0) m.abort(BROKEN_TOP, top);
}

/** T3: top is zero from the untouched mark on, and so is what lies between end and limit. */
export function checkUntouched(m: Machine, heap: Base): void {
  const first = topOf(m, heap) + HEADER_WORD;
  const untouched = m.load32(heap + AT_UNTOUCHED);
  const limit = m.load32(heap + AT_LIMIT);
  for (let at: Word = first > untouched ? first : untouched; at < limit; at += HEADER_WORD) {
    if (m.load32(at) !== 0) m.abort(BROKEN_UNTOUCHED, at);
  }
}

/** C1, C2, C3 for every chunk, and that each segment's chunks end exactly at its fencepost or at top. */
export function checkChunks(m: Machine, heap: Base): void {
  const last = m.load32(heap + AT_SEGMENT);
  let segment: Word = heap + HEADER_BYTES;
  while (segment !== last) {
    checkSegment(m, heap, segment, asChunk(segmentEnd(m, heap, segment) - HEADER_WORD));
    segment = m.load32(segment + SEGMENT_NEXT);
  }
  checkSegment(m, heap, last, topOf(m, heap));
}

function checkSegment(m: Machine, heap: Base, segment: Word, end: Chunk): void {
  let chunk = asChunk(segment + SEGMENT_CHUNKS);
  let previousInUse: boolean = true;
  while (chunk !== end) {
    const head = m.load32(chunk);
    const size = sizeIn(head);
    if (size === 0 || (head & RESERVED_FLAG) !== 0 || size > end - chunk) m.abort(BROKEN_HEADER, chunk);
    if (((head & PREVIOUS_IN_USE) !== 0) !== previousInUse) m.abort(BROKEN_PREVIOUS_FLAG, chunk);
    const inUse: boolean = (head & IN_USE) !== 0;
    if (!inUse) {
      const agrees: boolean = m.load32(chunkAfter(chunk, size) - FOOTER) === size;
      // Two free neighbours would have been merged; a free chunk before top would be part of it.
      const merged: boolean =
        previousInUse && (head & OWN) === 0 && chunkAfter(chunk, size) !== topOf(m, heap);
      if (!agrees || !merged) m.abort(BROKEN_FREE_CHUNK, chunk);
    }
    previousInUse = inUse;
    chunk = chunkAfter(chunk, size);
  }
  const fence = m.load32(end);
  if (((fence & PREVIOUS_IN_USE) !== 0) !== previousInUse) m.abort(BROKEN_PREVIOUS_FLAG, end);
  if (end !== topOf(m, heap) && (fence | PREVIOUS_IN_USE) !== (IN_USE | PREVIOUS_IN_USE))
    m.abort(BROKEN_SEGMENT, end);
}

/** B1: the bitmaps tell which bins have chunks. */
export function checkBinMap(m: Machine, heap: Base): void {
  for (let bin: Word = 0; bin < BIN_COUNT; bin++) {
    const has: boolean = m.load32(heap + AT_BINS + (bin << 2)) !== 0;
    const marked: boolean = ((m.load32(heap + AT_BIN_MAP + ((bin >>> 5) << 2)) >>> (bin & 31)) & 1) !== 0;
    if (has !== marked) m.abort(BROKEN_BIN_MAP, heap + AT_BINS + (bin << 2));
  }
  for (let word: Word = 0; word < BIN_MAP_WORDS; word++) {
    const has: boolean = m.load32(heap + AT_BIN_MAP + (word << 2)) !== 0;
    const marked: boolean = ((m.load32(heap + AT_BIN_SUMMARY) >>> word) & 1) !== 0;
    if (has !== marked) m.abort(BROKEN_BIN_MAP, heap + AT_BIN_MAP + (word << 2));
  }
}

/** B2, B3: each chunk in a bin is free, of the bin's size, linked both ways; and all free chunks are in bins. */
export function checkBins(m: Machine, heap: Base): void {
  let free: Word = 0;
  for (let chunk = firstChunk(m, heap); chunk !== NO_CHUNK; chunk = nextChunk(m, heap, chunk)) {
    if (stateOf(m, heap, chunk) === FREE) free += 1;
  }
  for (let bin: Word = 0; bin < BIN_COUNT; bin++) {
    let previous = beforeBin(heap, bin);
    let chunk = asChunk(m.load32(heap + AT_BINS + (bin << 2)));
    while (chunk !== NO_CHUNK) {
      if (m.threads && !isOwn(m, heap, chunk)) m.abort(BROKEN_BIN, chunk);
      if (free === 0 || (m.load32(chunk) & IN_USE) !== 0 || binOf(m, sizeOf(m, chunk)) !== bin)
        m.abort(BROKEN_BIN, chunk);
      if (m.load32(chunk + PREVIOUS) !== previous) m.abort(BROKEN_LINK, chunk);
      free -= 1;
      previous = chunk;
      chunk = asChunk(m.load32(chunk + NEXT));
    }
  }
  if (free !== 0) m.abort(BROKEN_BIN, heap + AT_BINS);
}

/** Whether a chunk at an address would lie in a thread's heap. */
function isOwn(m: Machine, heap: Base, chunk: Chunk): boolean {
  return ownerAt(m.words, heap, chunk) === heap && chunk < m.load32(heap + AT_END) - GRANULE;
}
