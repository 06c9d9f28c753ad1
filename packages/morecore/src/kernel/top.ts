// Top: the free end of the last segment (Lea's wilderness), and how the heap gets more of it and gives it back.
//
// Owns:       top, end, limit, segments, the untouched mark, the footprint.
// Needs:      layout, chunk, bins.
// Invariants: T1  top's header is its size, P set: the chunk before top is in use            O(1)
//             T2  base < top < end <= limit <= the memory's size; footprint is the sum of
//                 the segments' bytes, at most its peak                                       O(segments)
//             T3  every byte of top, and up to limit, from the untouched mark on is zero     O(top)
//             (check.ts: checkTop, checkSegments)
//
// Growth has two steps, because memory.grow is dear in JavaScript: it replaces the buffer, and every view of
// it. The Memory is asked seldom and in advance, up to `limit`. The footprint, what the heap has taken of
// that, follows `end` in steps.

import { asChunk, Base, Chunk, chunkAfter, NO_CHUNK, Word } from "./address.ts";
import { putFree } from "./bins.ts";
import { addFootprint, count, markFree } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import {
  ADDRESS_END,
  AT_ADVANCE_LOG2,
  AT_END,
  AT_FLAGS,
  AT_FOOTPRINT,
  AT_FOOTPRINT_LIMIT,
  AT_GROWTH_COUNT,
  AT_GROWTH_STEP,
  AT_LIMIT,
  AT_SEGMENT,
  AT_TOP,
  AT_TRIM_COUNT,
  AT_TRIM_FROM,
  AT_TRIM_IDLE,
  AT_TRIM_KEEP,
  AT_TRIM_THRESHOLD,
  AT_TRIM_TO,
  AT_UNTOUCHED,
  FIXED_REGION,
  GRANULE,
  GRANULE_LOG2,
  HEADER_WORD,
  IN_USE,
  MEMORY_UNIT,
  NO_ADVANCE,
  PREVIOUS_IN_USE,
  SEGMENT_CHUNKS,
  SEGMENT_END,
  SEGMENT_NEXT,
  SLAB_UNIT,
  UNLIMITED,
} from "./layout.ts";
import { load32, Machine, store32 } from "./machine.ts";
import {
  addCommonFootprint,
  commonAllowance,
  commonOf,
  freshFrom,
  giveUnits,
  leastTaken,
  takeUnits,
} from "./units.ts";

/** What top may keep grows by this factor at once, and no more. */
const LESSON_LOG2: Word = 5;

export function topOf(m: Machine, heap: Base): Chunk {
  return asChunk(m.load32(heap + AT_TOP));
}

export function topSize(m: Machine, heap: Base): Word {
  const words = m.words;
  return load32(words, heap + AT_END) - HEADER_WORD - load32(words, heap + AT_TOP);
}

/** Moves top's beginning and writes its header. */
export function setTop(m: Machine, heap: Base, top: Chunk, size: Word): void {
  m.store32(top, size | PREVIOUS_IN_USE);
  m.store32(heap + AT_TOP, top);
}

/** Cuts a live chunk from the beginning of top. NO_CHUNK: top is too small. */
export function takeTop(m: Machine, heap: Base, size: Word): Chunk {
  const words = m.words;
  const top = topOf(m, heap);
  const has = topSize(m, heap);
  if (has < size) return NO_CHUNK;
  store32(words, top, size | IN_USE | PREVIOUS_IN_USE);
  setTop(m, heap, chunkAfter(top, size), has - size);
  return top;
}

/** Top begins lower from now on: what lay between has been used, so it is no longer untouched. */
export function lowerTop(m: Machine, heap: Base, chunk: Chunk): void {
  const words = m.words;
  const used = topOf(m, heap) + HEADER_WORD;
  if (used > load32(words, heap + AT_UNTOUCHED)) store32(words, heap + AT_UNTOUCHED, used);
  setTop(m, heap, chunk, load32(words, heap + AT_END) - HEADER_WORD - chunk);
}

/** Bytes that the footprint may still grow by. */
function allowance(m: Machine, heap: Base): Word {
  if (m.threads) return (commonAllowance(m, commonOf(m, heap)) & ~(GRANULE - 1)) >>> 0;
  const limit = m.load32(heap + AT_FOOTPRINT_LIMIT);
  const footprint = m.load32(heap + AT_FOOTPRINT);
  return limit > footprint ? ((limit - footprint) & ~(GRANULE - 1)) >>> 0 : 0;
}

/** Makes top at least `size` bytes large, perhaps in a new segment. False: out of memory, and nothing has changed. */
export function growTop(m: Machine, heap: Base, size: Word): boolean {
  const has = topSize(m, heap);
  if (has >= size) return true;
  const need = size - has;
  if (need > allowance(m, heap)) return false;
  if (need > m.load32(heap + AT_LIMIT) - m.load32(heap + AT_END)) {
    if (m.threads ? !growUnits(m, heap, size) : !growMemory(m, heap, size)) return false;
  }
  // A new segment may have just begun, large enough already.
  if (topSize(m, heap) < size) extendEnd(m, heap, size - topSize(m, heap));
  // Another thread may have used up what the limit allows.
  if (m.threads && topSize(m, heap) < size) return false;
  // Only a growth step that is no power of two, so not one of ours, is rounded to less.
  if (topSize(m, heap) < size) m.abort(CORRUPTED, heap + AT_GROWTH_STEP);
  count(m, heap + AT_GROWTH_COUNT);
  return true;
}

/** Moves `end` up by at least `need` bytes, which are there and allowed, and by whole growth steps where they are too. */
function extendEnd(m: Machine, heap: Base, need: Word): void {
  const step = m.load32(heap + AT_GROWTH_STEP);
  const room = m.load32(heap + AT_LIMIT) - m.load32(heap + AT_END);
  const steps = ((need + step - 1) & ~(step - 1)) >>> 0;
  moveEnd(m, heap, need, least(least(steps, room), allowance(m, heap)));
}

/** Moves `end` up by `most` bytes; where other threads have taken of what the limit allows, by less, or not at all if that is below `need`. */
function moveEnd(m: Machine, heap: Base, need: Word, most: Word): void {
  const more: Word = m.threads ? addCommonFootprint(m, commonOf(m, heap), need, most) : most;
  const end = m.load32(heap + AT_END) + more;
  m.store32(heap + AT_END, end);
  const top = topOf(m, heap);
  setTop(m, heap, top, end - HEADER_WORD - top);
  addFootprint(m, heap, more);
}

function least(a: Word, b: Word): Word {
  return a < b ? a : b;
}

/** Asks the Memory for room for a chunk of `size`, in advance if it will. False: refused. */
function growMemory(m: Machine, heap: Base, size: Word): boolean {
  if ((m.load32(heap + AT_FLAGS) & FIXED_REGION) !== 0) return false;
  // Behind bytes of others only a new segment can begin: no asking for what the footprint limit will not let us use.
  if (m.size() !== m.load32(heap + AT_LIMIT) && size + GRANULE > allowance(m, heap)) return false;
  // Enough for a new segment, in case the memory does not follow the last one.
  const needed = ((size + GRANULE + (MEMORY_UNIT - 1)) & ~(MEMORY_UNIT - 1)) >>> 0;
  const advance = advanceOf(m, heap);
  let asked = advance > needed ? advance : needed;
  let from = askMemory(m, asked);
  if (from === 0 && asked !== needed) {
    asked = needed;
    from = askMemory(m, asked);
  }
  const limit = m.load32(heap + AT_LIMIT);
  if (from === 0 && m.size() === limit) {
    // What follows the last segment has only to make up for what is missing.
    const has = topSize(m, heap) + (limit - m.load32(heap + AT_END));
    asked = ((size - has + (MEMORY_UNIT - 1)) & ~(MEMORY_UNIT - 1)) >>> 0;
    from = askMemory(m, asked);
  }
  if (from === 0) return false;
  if (from !== limit) return addSegment(m, heap, from, asked, size);
  m.store32(heap + AT_LIMIT, limit + asked);
  return true;
}

/** What is asked for when nothing larger is needed: a fraction of what the heap has. */
function advanceOf(m: Machine, heap: Base): Word {
  const log2 = m.load32(heap + AT_ADVANCE_LOG2);
  if (log2 === NO_ADVANCE) return 0;
  return ((m.load32(heap + AT_FOOTPRINT) >>> log2) & ~(MEMORY_UNIT - 1)) >>> 0;
}

/** Memory.grow, but never beyond the last address that a heap may have. */
function askMemory(m: Machine, bytes: Word): Word {
  const size = m.size();
  return size < ADDRESS_END && bytes <= ADDRESS_END - size ? m.grow(bytes) : 0;
}

/**
 * Goes on in memory that does not follow the last segment. What is left of that becomes a free chunk. False: the
 * footprint limit forbids a segment of the size needed, or the Memory gave less; what was got stays unused.
 */
function addSegment(m: Machine, heap: Base, from: Word, bytes: Word, size: Word): boolean {
  const needed = size + GRANULE;
  const allowed = allowance(m, heap);
  // What threads add to the footprint has been allowed already.
  if (!m.threads && (needed > allowed || needed > bytes)) return false;
  // The rest of what the Memory gave before would be lost: take it, as far as the limit allows both.
  const rest = least(
    m.load32(heap + AT_LIMIT) - m.load32(heap + AT_END),
    m.threads ? allowed : allowed - needed,
  );
  if (rest !== 0) moveEnd(m, heap, rest, rest);
  if (m.threads) lowerLimit(m, heap, SLAB_UNIT);
  closeSegment(m, heap, from);
  const chunk = asChunk(from + SEGMENT_CHUNKS);
  m.store32(from + SEGMENT_NEXT, 0);
  m.store32(from + SEGMENT_END, 0);
  m.store32(heap + AT_SEGMENT, from);
  m.store32(heap + AT_END, from + needed);
  m.store32(heap + AT_LIMIT, from + bytes);
  m.store32(heap + AT_UNTOUCHED, chunk + HEADER_WORD);
  setTop(m, heap, chunk, size);
  addFootprint(m, heap, needed);
  const step = m.load32(heap + AT_GROWTH_STEP);
  const more = (step - (needed & (step - 1))) & (step - 1);
  moveEnd(m, heap, 0, least(least(more, bytes - needed), allowance(m, heap)));
  return true;
}

/** growMemory for a thread's heap: takes units, behind the last segment or above it. */
function growUnits(m: Machine, heap: Base, size: Word): boolean {
  const common = commonOf(m, heap);
  const unit = leastTaken(m, common);
  const limit = m.load32(heap + AT_LIMIT);
  const needed = ((size + GRANULE + (unit - 1)) & ~(unit - 1)) >>> 0;
  const advance = advanceOf(m, heap);
  let asked = advance > needed ? advance : needed;
  let from = takeUnits(m, common, heap, asked, limit);
  if (from === 0 && asked !== needed) {
    asked = needed;
    from = takeUnits(m, common, heap, asked, limit);
  }
  if (from === 0) {
    // What follows the last segment has only to make up for what is missing.
    const has = topSize(m, heap) + (limit - m.load32(heap + AT_END));
    asked = ((size - has + (unit - 1)) & ~(unit - 1)) >>> 0;
    if (asked === needed) return false;
    from = takeUnits(m, common, heap, asked, limit);
    if (from !== 0 && from !== limit) {
      giveUnits(m, common, from, from + asked);
      return false;
    }
  }
  if (from === 0) return false;
  const fresh = freshFrom(m, common, from, from + asked);
  if (from === limit) {
    m.store32(heap + AT_LIMIT, limit + asked);
    if (fresh !== from) m.store32(heap + AT_UNTOUCHED, fresh);
    return true;
  }
  if (addCommonFootprint(m, common, size + GRANULE, size + GRANULE) === 0) {
    giveUnits(m, common, from, from + asked);
    return false;
  }
  addSegment(m, heap, from, asked, size);
  if (fresh > m.load32(heap + AT_UNTOUCHED)) m.store32(heap + AT_UNTOUCHED, fresh);
  return true;
}

/** Gives what is behind the heap's end back, from a multiple of `unit` on, so that any thread may take it. */
function lowerLimit(m: Machine, heap: Base, unit: Word): void {
  const limit = m.load32(heap + AT_LIMIT);
  const kept = ((m.load32(heap + AT_END) + (unit - 1)) & ~(unit - 1)) >>> 0;
  if (kept >= limit) return;
  m.store32(heap + AT_LIMIT, kept);
  giveUnits(m, commonOf(m, heap), kept, limit);
}

/** Turns top into a free chunk and ends the last segment with a fencepost. */
function closeSegment(m: Machine, heap: Base, next: Word): void {
  const segment = m.load32(heap + AT_SEGMENT);
  const end = m.load32(heap + AT_END);
  const top = topOf(m, heap);
  const size = topSize(m, heap);
  m.store32(segment + SEGMENT_NEXT, next);
  m.store32(segment + SEGMENT_END, end);
  m.store32(end - HEADER_WORD, IN_USE | PREVIOUS_IN_USE);
  if (size === 0) return;
  markFree(m, top, size);
  putFree(m, heap, top, size);
}

/**
 * Gives back what top has beyond `pad` bytes, in whole growth steps. True if there was any. The memory behind `end`
 * stays the heap's; the Memory is told that it is not needed for now.
 */
// @rare
export function trimTop(m: Machine, heap: Base, pad: Word): boolean {
  const step = m.load32(heap + AT_GROWTH_STEP);
  const has = topSize(m, heap);
  if (has <= pad) return false;
  const extra = ((has - pad) & ~(step - 1)) >>> 0;
  if (extra === 0) return false;
  const end = m.load32(heap + AT_END);
  const top = topOf(m, heap);
  m.store32(heap + AT_END, end - extra);
  setTop(m, heap, top, has - extra);
  m.store32(heap + AT_FOOTPRINT, m.load32(heap + AT_FOOTPRINT) - extra);
  if (m.threads) m.addShared(commonOf(m, heap) + AT_FOOTPRINT, (0 - extra) >>> 0);
  m.release(end - extra, end);
  if (m.threads) lowerLimit(m, heap, leastTaken(m, commonOf(m, heap)));
  count(m, heap + AT_TRIM_COUNT);
  return true;
}

/**
 * After a free of `freed` bytes that has left more than the threshold in top: gives that back, or lets top keep it.
 *
 * The first time all is given back. A heap that then gets it again, or half of it, is shown to have only lent it: from then on
 * top keeps as much, and of what is larger still, half of that. The other way, half of it is forgotten when sixteen times as
 * much has been freed into top without one moment at which it was needed.
 */
// @rare
export function settleTop(m: Machine, heap: Base, freed: Word): void {
  const threshold = m.load32(heap + AT_TRIM_THRESHOLD);
  const has = topSize(m, heap);
  let keep = m.load32(heap + AT_TRIM_KEEP);
  if (keep < threshold) keep = threshold;
  if (has > keep) keep = learned(m, heap, keep, has);
  else {
    const needed: boolean = has - freed <= threshold;
    const idle: Word = needed ? 0 : (m.load32(heap + AT_TRIM_IDLE) + (freed >>> GRANULE_LOG2)) >>> 0;
    m.store32(heap + AT_TRIM_IDLE, idle);
    if (idle <= keep) return;
    keep >>>= 1;
  }
  m.store32(heap + AT_TRIM_KEEP, keep);
  m.store32(heap + AT_TRIM_IDLE, 0);
  if (has <= keep) return;
  const end = m.load32(heap + AT_END);
  if (!trimTop(m, heap, keep > threshold ? keep >>> 1 : 0)) return;
  if (end > m.load32(heap + AT_TRIM_FROM)) m.store32(heap + AT_TRIM_FROM, end);
  m.store32(heap + AT_TRIM_TO, m.load32(heap + AT_END));
}

/** What top may keep, now that it `has` more than that: more than before, if what was given back has been got again. */
function learned(m: Machine, heap: Base, keep: Word, has: Word): Word {
  const to = m.load32(heap + AT_TRIM_TO);
  const reached = least(m.load32(heap + AT_END), m.load32(heap + AT_TRIM_FROM));
  if (reached <= to || reached - to < has >>> 1) return keep;
  m.store32(heap + AT_TRIM_FROM, 0);
  const again = reached - to;
  // One round teaches so much and no more: it may have been the last.
  if (again >>> LESSON_LOG2 >= keep) return keep << LESSON_LOG2;
  return again > UNLIMITED - keep ? UNLIMITED : keep + again;
}
