// Live: telling the address of a live block from anything else, and saying what else it is.
//
// Decides: what is misuse, and by which reason (blame). Reads two or three words; writes nothing.
// Needs:   chunk.
//
// What can be seen: the header must be a live chunk's, of a size that lies inside the segment. The next chunk
// must say that the one before it is in use. If the previous chunk is said to be free, its footer and header
// must agree. Not seen are a stale pointer to a block that was handed out again at the same address, and an
// address inside a live block whose bytes look like all this.

import { Base, Chunk, chunkAfter, chunkBefore, chunkOf, Ptr, ptrOf, Word } from "./address.ts";
import { sizeIn } from "./chunk.ts";
import { CORRUPTED, DOUBLE_FREE, MISALIGNED, NOT_A_BLOCK, OUTSIDE } from "./codes.ts";
import {
  AT_END,
  AT_SEGMENT,
  AT_TOP,
  FOOTER,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  IN_USE,
  MAIL_MARK,
  MAIL_MARK_2,
  OWN,
  PREVIOUS_IN_USE,
  RESERVED_FLAG,
  SEGMENT_CHUNKS,
  SEGMENT_END,
  SEGMENT_NEXT,
} from "./layout.ts";
import { load32, Machine } from "./machine.ts";
import { isFirstHeader, isSamePlace, ownerAt } from "./units.ts";

/** Two words that no payload holds by chance, both: with a chunk's own address they mark it as freed by another thread. */
const MARK: Word = 0x6d2b_79f5;
export const MARK_2: Word = 0x9e37_79b9;
/** In place of MARK where the chunk's owner has the second of the two headers that a thread's memory has room for. */
const MARK_OF_OTHER: Word = 0x6d2b_79f6;

/** The chunk of a live block. Any other address aborts, with nothing changed. O(1) in the last segment. */
export function liveChunk(m: Machine, heap: Base, ptr: Ptr): Chunk {
  const chunk = chunkOf(ptr);
  // In this order: a chunk stops being live before it loses its mark.
  if (m.threads && ownerAt(m.words, heap, ptr) !== 0 && isMarked(m, ptr)) m.abort(DOUBLE_FREE, ptr);
  if (!isLive(m, heap, chunk)) blame(m, heap, chunk);
  return chunk;
}

/** Whether a live chunk begins at an address, as far as its header and its neighbours can show. */
export function isLive(m: Machine, heap: Base, chunk: Chunk): boolean {
  if (m.threads) return isLiveOf(m, heap, ownerAt(m.words, heap, ptrOf(chunk)), chunk);
  const words = m.words;
  const top = load32(words, heap + AT_TOP);
  if (chunk >= top || chunk < load32(words, heap + AT_SEGMENT)) return isLiveInOlder(m, heap, chunk);
  return isLiveBelow(m, chunk, top, chunk - heap);
}

/**
 * isLive where threads share memory and the map has said whose an address is. Of another thread's chunk the neighbours may change
 * meanwhile, so only what stays as it is while the chunk is live is looked at.
 */
export function isLiveOf(m: Machine, heap: Base, owner: Base, chunk: Chunk): boolean {
  const words = m.words;
  if (owner === 0 || (ptrOf(chunk) & (GRANULE - 1)) !== 0) return false;
  const head = load32(words, chunk);
  if ((head & (IN_USE | OWN | RESERVED_FLAG)) !== IN_USE) return false;
  const size = sizeIn(head);
  const next = chunkAfter(chunk, size);
  if (chunk >= load32(words, owner + AT_SEGMENT)) {
    const top = load32(words, owner + AT_TOP);
    if (chunk >= top || size === 0 || size > top - chunk) return false;
  } else if (next <= chunk || !isSamePlace(owner, ownerAt(words, heap, next))) return false;
  if ((load32(words, next) & (PREVIOUS_IN_USE | RESERVED_FLAG)) !== PREVIOUS_IN_USE) return false;
  return owner !== heap || (head & PREVIOUS_IN_USE) !== 0 || followsFree(m, chunk, chunk - heap);
}

/** Whether another thread has freed a chunk that its owner has not taken back. */
export function isMarked(m: Machine, ptr: Ptr): boolean {
  return isMark(ptr, m.load32(ptr + MAIL_MARK)) && m.load32(ptr + MAIL_MARK_2) === (ptr ^ MARK_2) >>> 0;
}

/** Whether a word is a mark for a chunk, whoever its owner is. */
export function isMark(ptr: Ptr, word: Word): boolean {
  const mark: Word = (word ^ ptr) >>> 0;
  return mark === MARK || mark === MARK_OF_OTHER;
}

/** The mark of a chunk that goes into this owner's mail. It tells who takes the heap over from what its new header's mail will have. */
export function markFor(owner: Base, ptr: Ptr): Word {
  return (ptr ^ (isFirstHeader(owner) ? MARK : MARK_OF_OTHER)) >>> 0;
}

/** isLive in a segment whose chunks end at `bound`; `below` is how many bytes of the heap lie before the chunk. */
function isLiveBelow(m: Machine, chunk: Chunk, bound: Word, below: Word): boolean {
  const words = m.words;
  if ((ptrOf(chunk) & (GRANULE - 1)) !== 0) return false;
  const head = load32(words, chunk);
  if ((head & (IN_USE | OWN | RESERVED_FLAG)) !== IN_USE) return false;
  const size = sizeIn(head);
  if (size === 0 || size > bound - chunk) return false;
  if ((load32(words, chunkAfter(chunk, size)) & (PREVIOUS_IN_USE | RESERVED_FLAG)) !== PREVIOUS_IN_USE)
    return false;
  return (head & PREVIOUS_IN_USE) !== 0 || followsFree(m, chunk, below);
}

/** Whether a free chunk, sound as far as one can see, ends where this chunk begins. */
export function followsFree(m: Machine, chunk: Chunk, below: Word): boolean {
  const words = m.words;
  const size = load32(words, chunk - FOOTER);
  if ((size & (GRANULE - 1)) !== 0 || size === 0 || size > below - HEADER_BYTES) return false;
  return load32(words, chunkBefore(chunk, size)) === (size | PREVIOUS_IN_USE) >>> 0;
}

/** isLive for an address that does not lie in the last segment. O(segments). */
// @rare
function isLiveInOlder(m: Machine, heap: Base, chunk: Chunk): boolean {
  const segment = segmentOf(m, heap, chunk);
  if (segment === 0 || segment === m.load32(heap + AT_SEGMENT)) return false;
  return isLiveBelow(m, chunk, segmentEnd(m, heap, segment) - HEADER_WORD, chunk - heap);
}

/** The segment that has an address among its chunks, or in top; 0 if none has, as for a fencepost. */
function segmentOf(m: Machine, heap: Base, address: Word): Word {
  const last = m.load32(heap + AT_SEGMENT);
  let segment: Word = heap + HEADER_BYTES;
  while (segment !== last && !isWithin(m, heap, segment, address)) segment = nextSegment(m, heap, segment);
  return isWithin(m, heap, segment, address) ? segment : 0;
}

function isWithin(m: Machine, heap: Base, segment: Word, address: Word): boolean {
  return address >= segment + SEGMENT_CHUNKS && address < segmentEnd(m, heap, segment) - HEADER_WORD;
}

/** Aborts, saying what is wrong with an address that is no live block's. */
// @rare
export function blame(m: Machine, heap: Base, chunk: Chunk): void {
  const ptr = ptrOf(chunk);
  if ((ptr & (GRANULE - 1)) !== 0) m.abort(MISALIGNED, ptr);
  if (m.threads) {
    const owner = ownerAt(m.words, heap, ptr);
    if (owner === 0) m.abort(OUTSIDE, ptr);
    const head = m.load32(chunk);
    const next = chunkAfter(chunk, sizeIn(head));
    const looksFreed: boolean =
      (head & (IN_USE | OWN | RESERVED_FLAG)) === 0 &&
      next > chunk &&
      isSamePlace(owner, ownerAt(m.words, heap, next));
    m.abort(looksFreed ? DOUBLE_FREE : NOT_A_BLOCK, ptr);
  }
  const segment = segmentOf(m, heap, chunk);
  if (segment === 0) m.abort(OUTSIDE, ptr);
  const head = m.load32(chunk);
  // A freed chunk's header keeps a size and loses C, also when it lies inside a larger free chunk.
  const freed: boolean = (head & (IN_USE | OWN)) === 0;
  const size = sizeIn(head);
  const sized: boolean = size !== 0 && size <= segmentEnd(m, heap, segment) - chunk;
  m.abort(freed && sized && (head & RESERVED_FLAG) === 0 ? DOUBLE_FREE : NOT_A_BLOCK, ptr);
}

/** The segment after one that is not the last. Aborts unless it lies above and not beyond the last: so every walk over them ends. */
export function nextSegment(m: Machine, heap: Base, segment: Word): Word {
  const next = m.load32(segment + SEGMENT_NEXT);
  const rises: boolean = next > segment && next <= m.load32(heap + AT_SEGMENT);
  if (!rises) m.abort(CORRUPTED, segment);
  return next;
}

/** Where a segment ends: its own word says so, or for the last one the header. */
export function segmentEnd(m: Machine, heap: Base, segment: Word): Word {
  return segment === m.load32(heap + AT_SEGMENT) ? m.load32(heap + AT_END) : m.load32(segment + SEGMENT_END);
}
