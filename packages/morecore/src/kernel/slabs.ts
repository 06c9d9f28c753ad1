// Slabs: small blocks side by side, of one size class, without a header each. How slabs begin, serve and end.
//
// Owns:       the size classes' states, the slabs' links.
// Needs:      slab, slab-map, slab-room, internal. May grow memory.
// Invariants: S1  a class takes from a word of its current slab, or from AT_NO_BITS          O(classes)
//             S2  a slab is current, listed, or full; a listed slab has a free and a live block   O(slabs)
//             S4  the heap's own chunks are the slabs, their descriptors and the map         O(chunks)
//             (check.ts: checkSlabs)
//
// A free block is a bit in a descriptor that lies elsewhere. It needs no link in the block, so neither malloc
// nor free touches the block's memory. A write after free harms nothing of the heap's. Within a slab, blocks
// are handed out in the order of their addresses. Lists of freed blocks over the whole heap, which this
// replaces, came back in random order when they grew long.

import { asPtr, Base, chunkOf, NO_CHUNK, NO_PTR, Ptr, ptrOf, Word } from "./address.ts";
import { chunkSizeFor, count, sizeOf } from "./chunk.ts";
import { CORRUPTED, TAKEN_BACK } from "./codes.ts";
import { freeInternal, isInternal, takeInternal } from "./internal.ts";
import {
  AT_CLASSES,
  AT_COALESCE_COUNT,
  AT_FLUSH_COUNT,
  AT_IDLE,
  AT_MAYBE_UNUSED,
  AT_MERGES_PAID,
  AT_NO_BITS,
  AT_SLAB_COUNT,
  AT_SMALL_LIMIT,
  BEAT,
  CALLED,
  CLASS_BITS,
  CLASS_BYTES_LOG2,
  CLASS_COUNT,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_SLAB,
  CLASS_SLABS,
  CLASS_TAIL,
  CLOSED,
  GRANULE,
  GRANULE_LOG2,
  HEADER_WORD,
  MAIL_SLABS,
  OF_CHUNKS,
  SHAPE_BLOCKS_SHIFT,
  SHARED_SLAB_BYTES,
  SLAB_BITS,
  SLAB_BITS_END,
  SLAB_BYTES,
  SLAB_FIRST,
  SLAB_INVERSE,
  SLAB_LAST,
  SLAB_LISTED,
  SLAB_MAIL,
  SLAB_NEXT,
  SLAB_OWNER,
  SLAB_PREVIOUS,
  SLAB_REMOTE,
  SLAB_SHAPE,
  SMALL_MAX,
  TO_REMOTE,
} from "./layout.ts";
import { load32, Machine, multiply, store32, Words } from "./machine.ts";
import { collect, hasMail, isTold, leaveFull, leaveOpen, openAgain, readChunkMail } from "./remote.ts";
import {
  ALL,
  blockBytesOf,
  classIn,
  classOf,
  extentOf,
  firstBlock,
  fullWord,
  inverseOf,
  isFull,
  isUnused,
  liveBlock,
  quotient,
  setFree,
  shapeOf,
} from "./slab.ts";
import { dropMap, mapUnits, reachMap } from "./slab-map.ts";
import { blocksIn, hasRoom, takeRoom } from "./slab-room.ts";

/** How many slabs one call gives back at most, unless it trims, frees in bulk, or finds no memory. */
const MOST_AT_ONCE: Word = 2;
/** How many merges an idle slab that is given back takes, and how many are saved at most. */
const MERGES_EACH: Word = 8;
const MERGES_SAVED: Word = 128;

/** The size class that serves a request of at most SMALL_MAX bytes. */
export function classFor(bytes: Word): Word {
  return bytes === 0 ? 1 : (bytes + (GRANULE - 1)) >>> GRANULE_LOG2;
}

/** Whether a request is served from slabs, if one can be had. */
export function isSmall(m: Machine, heap: Base, bytes: Word): boolean {
  return bytes <= SMALL_MAX && classFor(bytes) << GRANULE_LOG2 <= m.load32(heap + AT_SMALL_LIMIT);
}

/** Whether a class has a slab to take from, or may be given one if there is memory. */
export function hasSlabs(m: Machine, heap: Base, sizeClass: Word): boolean {
  const state = classState(heap, sizeClass);
  if ((m.load32(state + CLASS_SLAB) | m.load32(state + CLASS_HEAD)) !== 0) return true;
  return hasRoom(m, heap, sizeClass);
}

/** Where a size class's state lies. */
export function classState(heap: Base, sizeClass: Word): Word {
  return heap + AT_CLASSES + (sizeClass << CLASS_BYTES_LOG2);
}

/** Takes a block from the word that its class takes from. NO_PTR: that is empty, takeBlock will do. O(1). */
export function popBlock(m: Machine, heap: Base, sizeClass: Word): Ptr {
  const words = m.words;
  const state = classState(heap, sizeClass);
  const at = load32(words, state + CLASS_BITS);
  const free = load32(words, at);
  if (free === 0) return NO_PTR;
  store32(words, at, free & (free - 1));
  const distance = multiply(m.ctz(free), sizeClass << GRANULE_LOG2);
  return asPtr((load32(words, state + CLASS_FIRST) + distance) >>> 0);
}

/**
 * Frees the live block at an address in a slab, if there is nothing else to do. False: no live block begins there, or the
 * slab is now to be listed or given back; nothing has changed. O(1).
 */
export function pushBlock(m: Machine, heap: Base, slab: Word, ptr: Ptr): boolean {
  const words = m.words;
  const shape = load32(words, slab + SLAB_SHAPE);
  const index = quotient(words, slab, shape, ptr);
  if (index >= shape >>> SHAPE_BLOCKS_SHIFT) return false;
  const at = slab + SLAB_BITS + ((index >>> 5) << 2);
  const free = load32(words, at);
  const bit = 1 << (index & 31);
  const now = (free | bit) >>> 0;
  if (m.threads) {
    if (((free | load32(words, at + TO_REMOTE)) & bit) !== 0) return false;
  } else if (now === free) return false;
  const filled: boolean = now === ALL || now === load32(words, slab + SLAB_LAST);
  // A word that was empty may be a full slab's, one that is full now an unused slab's; but the current slab stays as it is.
  if (free === 0) {
    if (!isCurrent(words, heap, slab, shape)) return false;
  } else if (filled) {
    if ((shape & SLAB_LISTED) !== 0) return false;
  }
  store32(words, at, now);
  if (filled) markMaybeUnused(words, heap, classIn(shape));
  return true;
}

/** Whether malloc takes from a slab. */
function isCurrent(words: Words, heap: Base, slab: Word, shape: Word): boolean {
  return load32(words, classState(heap, classIn(shape)) + CLASS_SLAB) === slab;
}

function markMaybeUnused(words: Words, heap: Base, sizeClass: Word): void {
  store32(words, heap + AT_MAYBE_UNUSED, load32(words, heap + AT_MAYBE_UNUSED) | (1 << sizeClass));
}

/** Takes a block from the current slab, from another one with room, or from a new one. NO_PTR: no memory. */
// @hot
export function takeBlock(m: Machine, heap: Base, sizeClass: Word): Ptr {
  const state = classState(heap, sizeClass);
  let slab = m.load32(state + CLASS_SLAB);
  if (slab === 0 || !useWord(m, state, slab)) {
    if (m.threads && takeBack(m, heap, state, slab)) return popBlock(m, heap, sizeClass);
    slab = m.load32(state + CLASS_HEAD);
    if (slab === 0) slab = beginSlab(m, heap, sizeClass);
    else unlist(m, state, slab);
    if (slab === 0) return NO_PTR;
    m.store32(state + CLASS_SLAB, slab);
    // What others have freed while it was listed.
    if (m.threads) collect(m, slab);
    useWord(m, state, slab);
  }
  return popBlock(m, heap, sizeClass);
}

/**
 * When the current slab of a class has no free block left: looks what others have freed, in it first. False: nothing there, and the class
 * has no current slab any more.
 */
// @rare
function takeBack(m: Machine, heap: Base, state: Word, slab: Word): boolean {
  if (slab !== 0) {
    if (collect(m, slab)) return useWord(m, state, slab);
    leaveSlab(m, heap, state);
    if (!leaveFull(m, heap, slab)) list(m, state, slab);
  }
  if (hasMail(m, heap)) readMail(m, heap);
  return false;
}

/** Takes back what others have freed and have told of, but for what lies in slabs that malloc will come to anyway. */
// @rare
export function readMail(m: Machine, heap: Base): void {
  if (m.loadShared(heap - MAIL_SLABS) === CLOSED) refuseGone(m, heap);
  let slab = m.exchange(heap - MAIL_SLABS, 0);
  while (slab !== 0) {
    const next = m.load32(slab + SLAB_MAIL);
    if (m.load32(slab + SLAB_OWNER) !== heap) m.abort(CORRUPTED, slab);
    openAgain(m, heap, slab);
    collect(m, slab);
    settleSlab(m, heap, slab);
    slab = next;
  }
  readChunkMail(m, heap);
}

/** Ends a call of a thread whose heap others have taken over, and lets it be known that there was one. */
function refuseGone(m: Machine, heap: Base): void {
  m.store32(heap - BEAT, CALLED);
  m.abort(TAKEN_BACK, heap);
}

/** Puts a slab where it belongs that has got room, or has become unused. */
function settleSlab(m: Machine, heap: Base, slab: Word): void {
  const sizeClass = classOf(m, slab);
  const state = classState(heap, sizeClass);
  if (m.load32(state + CLASS_SLAB) === slab) markMaybeUnused(m.words, heap, sizeClass);
  else if (isUnused(m, slab)) {
    if (isListed(m, slab)) unlist(m, state, slab);
    endSlab(m, heap, slab);
  } else if (!isListed(m, slab)) {
    // It may have been used up again since somebody told of it.
    if (!isFull(m, slab) || !leaveFull(m, heap, slab)) list(m, state, slab);
  }
}

function isListed(m: Machine, slab: Word): boolean {
  return (m.load32(slab + SLAB_SHAPE) & SLAB_LISTED) !== 0;
}

/** Looks through all slabs that have room for what others have freed, and gives back those that are unused. O(slabs). */
// @rare
export function collectListed(m: Machine, heap: Base): void {
  for (let sizeClass: Word = 1; sizeClass <= CLASS_COUNT; sizeClass++) {
    const state = classState(heap, sizeClass);
    let slab = m.load32(state + CLASS_HEAD);
    while (slab !== 0) {
      const next = m.load32(slab + SLAB_NEXT);
      if (collect(m, slab) && mayEnd(m, heap, slab)) {
        unlist(m, state, slab);
        endSlab(m, heap, slab);
      }
      slab = next;
    }
    const current = m.load32(state + CLASS_SLAB);
    if (current !== 0 && collect(m, current)) markMaybeUnused(m.words, heap, sizeClass);
  }
}

/** Lets a class take from the first word of a slab that has a free block. False: the slab is full. */
export function useWord(m: Machine, state: Word, slab: Word): boolean {
  const words = m.words;
  for (let at = slab + SLAB_BITS; at < slab + SLAB_BITS_END; at += 4) {
    if (load32(words, at) === 0) continue;
    store32(words, state + CLASS_BITS, at);
    const before = (at - slab - SLAB_BITS) << 3;
    store32(words, state + CLASS_FIRST, firstBlock(m, slab) + before * blockBytesOf(m, slab));
    return true;
  }
  return false;
}

/** Frees a block of a slab, by the slow way. What is no live block aborts, with nothing changed. */
// @hot
export function freeBlock(m: Machine, heap: Base, slab: Word, ptr: Ptr): void {
  setFree(m, slab, liveBlock(m, slab, ptr), true);
  const sizeClass = classOf(m, slab);
  const state = classState(heap, sizeClass);
  if (m.load32(state + CLASS_SLAB) === slab) markMaybeUnused(m.words, heap, sizeClass);
  else if (!isListed(m, slab)) {
    // Others need not tell of it any more.
    if (m.threads) leaveOpen(m, heap, slab);
    list(m, state, slab);
  } else if (mayEnd(m, heap, slab)) {
    unlist(m, state, slab);
    endSlab(m, heap, slab);
  }
}

/** Puts a slab with room at the end of its class's list: it gathers more room before it is taken from. */
export function list(m: Machine, state: Word, slab: Word): void {
  const words = m.words;
  const last = load32(words, state + CLASS_TAIL);
  store32(words, slab + SLAB_SHAPE, load32(words, slab + SLAB_SHAPE) | SLAB_LISTED);
  store32(words, slab + SLAB_NEXT, 0);
  store32(words, slab + SLAB_PREVIOUS, last);
  store32(words, last === 0 ? state + CLASS_HEAD : last + SLAB_NEXT, slab);
  store32(words, state + CLASS_TAIL, slab);
}

/** Takes a slab out of its class's list. Aborts, with nothing changed, if its neighbours there do not point back at it. */
function unlist(m: Machine, state: Word, slab: Word): void {
  const words = m.words;
  const next = load32(words, slab + SLAB_NEXT);
  const previous = load32(words, slab + SLAB_PREVIOUS);
  if (load32(words, previous === 0 ? state + CLASS_HEAD : previous + SLAB_NEXT) !== slab)
    m.abort(CORRUPTED, slab);
  if (load32(words, next === 0 ? state + CLASS_TAIL : next + SLAB_PREVIOUS) !== slab)
    m.abort(CORRUPTED, slab);
  store32(words, previous === 0 ? state + CLASS_HEAD : previous + SLAB_NEXT, next);
  store32(words, next === 0 ? state + CLASS_TAIL : next + SLAB_PREVIOUS, previous);
  store32(words, slab + SLAB_SHAPE, load32(words, slab + SLAB_SHAPE) - SLAB_LISTED);
}

/** A new slab, all of it free and in no list. 0: no memory, or too little ever; the heap serves as before. */
// @rare
function beginSlab(m: Machine, heap: Base, sizeClass: Word): Word {
  if (!hasRoom(m, heap, sizeClass)) return 0;
  const state = classState(heap, sizeClass);
  const descriptor = takeInternal(m, heap, chunkSizeFor(m.threads ? SHARED_SLAB_BYTES : SLAB_BYTES));
  if (descriptor === NO_CHUNK) return 0;
  const slab = ptrOf(descriptor);
  const room = takeRoom(m, heap, sizeClass, m.load32(state + CLASS_SLABS));
  if (room === NO_CHUNK) {
    freeInternal(m, heap, slab);
    return 0;
  }
  const first = ptrOf(room);
  const bytes = sizeClass << GRANULE_LOG2;
  const blocks = blocksIn(m, room, bytes);
  if (!m.threads && !reachMap(m, heap, first + blocks * bytes)) {
    freeInternal(m, heap, first);
    freeInternal(m, heap, slab);
    return 0;
  }
  m.store32(slab + SLAB_FIRST, first);
  m.store32(slab + SLAB_INVERSE, inverseOf(sizeClass >>> m.ctz(sizeClass)));
  m.store32(slab + SLAB_SHAPE, shapeOf(m, sizeClass, blocks));
  for (let word: Word = 0; word < (SLAB_BITS_END - SLAB_BITS) >>> 2; word++)
    m.store32(slab + SLAB_BITS + (word << 2), fullWord(blocks, word));
  m.store32(slab + SLAB_LAST, fullWord(blocks, (blocks - 1) >>> 5));
  if (m.threads) {
    m.store32(slab + SLAB_OWNER, heap);
    m.zero(slab + SLAB_REMOTE, SHARED_SLAB_BYTES - SLAB_REMOTE);
  }
  mapUnits(m, heap, first, first + blocks * bytes, slab);
  m.store32(state + CLASS_SLABS, m.load32(state + CLASS_SLABS) + 1);
  m.store32(heap + AT_SLAB_COUNT, m.load32(heap + AT_SLAB_COUNT) + 1);
  return slab;
}

/** Whether a slab has no live block, and stands in no mail. */
function mayEnd(m: Machine, heap: Base, slab: Word): boolean {
  return isUnused(m, slab) && !(m.threads && isTold(m, heap, slab));
}

/** Gives a slab that has no live block and is in no list back to the chunks. Aborts if its descriptor leads out of its chunk. */
// @rare
function endSlab(m: Machine, heap: Base, slab: Word): void {
  const first = firstBlock(m, slab);
  const bytes = blockBytesOf(m, slab);
  const extent = extentOf(m, slab);
  const end = first + extent;
  if (!isInternal(m, heap, first) || !isInternal(m, heap, asPtr(slab))) m.abort(CORRUPTED, slab);
  if (bytes === 0 || extent > sizeOf(m, chunkOf(first)) - HEADER_WORD) m.abort(CORRUPTED, slab);
  const state = classState(heap, classOf(m, slab));
  // A header before each block that says "not in use": a second free of it is then seen, as with merged chunks.
  for (let block = first + bytes; block < end; block += bytes) m.store32(block - HEADER_WORD, bytes);
  mapUnits(m, heap, first, end, m.threads ? heap | OF_CHUNKS : 0);
  freeInternal(m, heap, first);
  freeInternal(m, heap, asPtr(slab));
  m.store32(state + CLASS_SLABS, m.load32(state + CLASS_SLABS) - 1);
  const slabs = m.load32(heap + AT_SLAB_COUNT) - 1;
  m.store32(heap + AT_SLAB_COUNT, slabs);
  if (slabs === 0 && !m.threads) dropMap(m, heap);
}

/** Gives back all current slabs that have no live block. False: there were none. O(classes), mostly O(1). */
// @rare
export function flushSlabs(m: Machine, heap: Base): boolean {
  return flushNoted(m, heap, CLASS_COUNT);
}

/** As flushSlabs, but MOST_AT_ONCE of them at most; the others remain noted. */
// @rare
export function flushSome(m: Machine, heap: Base): boolean {
  return flushNoted(m, heap, MOST_AT_ONCE);
}

function flushNoted(m: Machine, heap: Base, most: Word): boolean {
  const noted = m.load32(heap + AT_MAYBE_UNUSED) | m.load32(heap + AT_IDLE);
  if (noted === 0) return false;
  m.store32(heap + AT_MAYBE_UNUSED, 0);
  m.store32(heap + AT_IDLE, 0);
  return endUnused(m, heap, noted, most) !== 0;
}

/**
 * As flushSome, but only slabs that were unused at the last call already, and of which no block has been
 * freed since. Else small blocks that come and go between large ones would begin a slab and end it each time.
 * So would those of a class that is not needed at each large block: each slab that goes must be paid for by merges
 * of chunks, of which some are saved. Where few holes have grown, a large block has little to gain. O(1).
 */
// @rare
export function flushIdle(m: Machine, heap: Base): void {
  const merges = m.load32(heap + AT_COALESCE_COUNT);
  let paid = m.load32(heap + AT_MERGES_PAID);
  // Both counters wrap around.
  if ((merges - paid) >>> 31 !== 0) return;
  if (merges - paid > MERGES_SAVED) paid = merges - MERGES_SAVED;
  const fresh = m.load32(heap + AT_MAYBE_UNUSED);
  const idle = (m.load32(heap + AT_IDLE) & ~fresh) >>> 0;
  m.store32(heap + AT_MAYBE_UNUSED, 0);
  m.store32(heap + AT_IDLE, fresh);
  if (idle === 0) return;
  const ended = endUnused(m, heap, idle, MOST_AT_ONCE);
  if (ended !== 0) m.store32(heap + AT_MERGES_PAID, (paid + ended * MERGES_EACH) >>> 0);
}

/** Gives back the current slabs of these classes, a bit each, that have no live block, `most` at most. How many. */
// @rare
function endUnused(m: Machine, heap: Base, classes: Word, most: Word): Word {
  let ended: Word = 0;
  let left = classes;
  for (; left !== 0 && ended < most; left = (left & (left - 1)) >>> 0) {
    const state = classState(heap, m.ctz(left));
    const slab = m.load32(state + CLASS_SLAB);
    if (slab === 0) continue;
    if (m.threads) collect(m, slab);
    if (!mayEnd(m, heap, slab)) continue;
    leaveSlab(m, heap, state);
    endSlab(m, heap, slab);
    ended++;
  }
  m.store32(heap + AT_IDLE, m.load32(heap + AT_IDLE) | left);
  if (ended !== 0) count(m, heap + AT_FLUSH_COUNT);
  return ended;
}

/** Lets the classes from one on take from no slab, so that malloc serves their requests by chunks. */
export function leaveClasses(m: Machine, heap: Base, from: Word): void {
  for (let sizeClass = from; sizeClass <= CLASS_COUNT; sizeClass++) {
    const state = classState(heap, sizeClass);
    const slab = m.load32(state + CLASS_SLAB);
    if (slab === 0) continue;
    leaveSlab(m, heap, state);
    if (mayEnd(m, heap, slab)) endSlab(m, heap, slab);
    else if (!isFull(m, slab) || (m.threads && !leaveFull(m, heap, slab))) list(m, state, slab);
  }
}

/** Lets a class have no current slab. */
function leaveSlab(m: Machine, heap: Base, state: Word): void {
  m.store32(state + CLASS_SLAB, 0);
  m.store32(state + CLASS_BITS, heap + AT_NO_BITS);
}

/** Writes the states of the classes of a new heap. */
export function formatClasses(m: Machine, heap: Base): void {
  for (let sizeClass: Word = 1; sizeClass <= CLASS_COUNT; sizeClass++)
    leaveSlab(m, heap, classState(heap, sizeClass));
}
