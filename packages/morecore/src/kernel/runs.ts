// Runs: small blocks side by side, of one size class, without a header each. How runs begin, serve and end.
//
// Owns:       the size classes' states, the runs' links.
// Needs:      run, run-map, place, own. May grow memory.
// Invariants: R1  a class takes from a word of its current run, or from AT_NO_BITS          O(classes)
//             R2  a run is current, listed, or full; a listed run has a free and a live block   O(runs)
//             R4  the heap's own chunks are the runs, their descriptors and the map         O(chunks)
//             (check.ts: checkRuns)
//
// A free block is a bit in a descriptor that lies elsewhere; it needs no link in the block, so neither malloc nor free
// touches the block's memory, and a write after free harms nothing of the heap's. Within a run, blocks are handed out in
// the order of their addresses. Lists of freed blocks over the whole heap, which this replaces, came back in random
// order when they grew long.

import { asPtr, Base, chunkOf, NO_CHUNK, NO_PTR, Ptr, ptrOf, Word } from "./address.ts";
import { chunkSizeFor, count, sizeOf } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import {
  AT_CLASSES,
  AT_FLUSH_COUNT,
  AT_IDLE,
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  AT_RUN_COUNT,
  AT_SMALL_LIMIT,
  CLASS_BITS,
  CLASS_BYTES_LOG2,
  CLASS_COUNT,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_RUN,
  CLASS_RUNS,
  CLASS_TAIL,
  GRANULE,
  GRANULE_LOG2,
  HEADER_WORD,
  RUN_BITS,
  RUN_BITS_END,
  RUN_BYTES,
  RUN_FIRST,
  RUN_INVERSE,
  RUN_LAST,
  RUN_LISTED,
  RUN_NEXT,
  RUN_PREVIOUS,
  RUN_SHAPE,
  SHAPE_SLOTS_SHIFT,
  SMALL_MAX,
} from "./layout.ts";
import { load32, Machine, multiply, store32, Words } from "./machine.ts";
import { disown, isOwn, takeOwn } from "./own.ts";
import { hasPlace, slotsIn, takePlace } from "./place.ts";
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
} from "./run.ts";
import { dropMap, mapUnits, reachMap } from "./run-map.ts";

/** The size class that serves a request of at most SMALL_MAX bytes. */
export function classFor(bytes: Word): Word {
  return bytes === 0 ? 1 : (bytes + (GRANULE - 1)) >>> GRANULE_LOG2;
}

/** Whether a request is served from runs, if one can be had. */
export function isSmall(m: Machine, heap: Base, bytes: Word): boolean {
  return bytes <= SMALL_MAX && classFor(bytes) << GRANULE_LOG2 <= m.load32(heap + AT_SMALL_LIMIT);
}

/** Whether a class has a run to take from, or may be given one if there is memory. */
export function hasRuns(m: Machine, heap: Base, sizeClass: Word): boolean {
  const state = classState(heap, sizeClass);
  if ((m.load32(state + CLASS_RUN) | m.load32(state + CLASS_HEAD)) !== 0) return true;
  return hasPlace(m, heap, sizeClass);
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
 * Frees the live block at an address in a run, if there is nothing else to do. False: no live block begins there, or the
 * run is now to be listed or given back; nothing has changed. O(1).
 */
export function pushBlock(words: Words, heap: Base, run: Word, ptr: Ptr): boolean {
  const shape = load32(words, run + RUN_SHAPE);
  const index = quotient(words, run, shape, ptr);
  if (index >= shape >>> SHAPE_SLOTS_SHIFT) return false;
  const at = run + RUN_BITS + ((index >>> 5) << 2);
  const free = load32(words, at);
  const now = (free | (1 << (index & 31))) >>> 0;
  if (now === free) return false;
  const filled: boolean = now === ALL || now === load32(words, run + RUN_LAST);
  // A word that was empty may be a full run's, one that is full now an unused run's; but the current run stays as it is.
  if (free === 0) {
    if (!isCurrent(words, heap, run, shape)) return false;
  } else if (filled) {
    if ((shape & RUN_LISTED) !== 0) return false;
  }
  store32(words, at, now);
  if (filled) markMaybeUnused(words, heap, classIn(shape));
  return true;
}

/** Whether malloc takes from a run. */
function isCurrent(words: Words, heap: Base, run: Word, shape: Word): boolean {
  return load32(words, classState(heap, classIn(shape)) + CLASS_RUN) === run;
}

function markMaybeUnused(words: Words, heap: Base, sizeClass: Word): void {
  store32(words, heap + AT_MAYBE_UNUSED, load32(words, heap + AT_MAYBE_UNUSED) | (1 << sizeClass));
}

/** Takes a block from the current run, from another one with room, or from a new one. NO_PTR: no memory. */
export function takeBlock(m: Machine, heap: Base, sizeClass: Word): Ptr {
  const state = classState(heap, sizeClass);
  let run = m.load32(state + CLASS_RUN);
  if (run === 0 || !useWord(m, state, run)) {
    run = m.load32(state + CLASS_HEAD);
    if (run === 0) run = beginRun(m, heap, sizeClass);
    else unlist(m, state, run);
    if (run === 0) return NO_PTR;
    m.store32(state + CLASS_RUN, run);
    useWord(m, state, run);
  }
  return popBlock(m, heap, sizeClass);
}

/** Lets a class take from the first word of a run that has a free block. False: the run is full. */
function useWord(m: Machine, state: Word, run: Word): boolean {
  const words = m.words;
  for (let at = run + RUN_BITS; at < run + RUN_BITS_END; at += 4) {
    if (load32(words, at) === 0) continue;
    store32(words, state + CLASS_BITS, at);
    const before = (at - run - RUN_BITS) << 3;
    store32(words, state + CLASS_FIRST, firstBlock(m, run) + before * blockBytesOf(m, run));
    return true;
  }
  return false;
}

/** Frees a block of a run, by the slow way. What is no live block aborts, with nothing changed. */
export function freeBlock(m: Machine, heap: Base, run: Word, ptr: Ptr): void {
  setFree(m, run, liveBlock(m, run, ptr), true);
  const sizeClass = classOf(m, run);
  const state = classState(heap, sizeClass);
  if (m.load32(state + CLASS_RUN) === run) markMaybeUnused(m.words, heap, sizeClass);
  else if ((m.load32(run + RUN_SHAPE) & RUN_LISTED) === 0) list(m, state, run);
  else if (isUnused(m, run)) {
    unlist(m, state, run);
    endRun(m, heap, run);
  }
}

/** Puts a run with room at the end of its class's list: it gathers more room before it is taken from. */
function list(m: Machine, state: Word, run: Word): void {
  const words = m.words;
  const last = load32(words, state + CLASS_TAIL);
  store32(words, run + RUN_SHAPE, load32(words, run + RUN_SHAPE) | RUN_LISTED);
  store32(words, run + RUN_NEXT, 0);
  store32(words, run + RUN_PREVIOUS, last);
  store32(words, last === 0 ? state + CLASS_HEAD : last + RUN_NEXT, run);
  store32(words, state + CLASS_TAIL, run);
}

/** Takes a run out of its class's list. Aborts, with nothing changed, if its neighbours there do not point back at it. */
function unlist(m: Machine, state: Word, run: Word): void {
  const words = m.words;
  const next = load32(words, run + RUN_NEXT);
  const previous = load32(words, run + RUN_PREVIOUS);
  if (load32(words, previous === 0 ? state + CLASS_HEAD : previous + RUN_NEXT) !== run)
    m.abort(CORRUPTED, run);
  if (load32(words, next === 0 ? state + CLASS_TAIL : next + RUN_PREVIOUS) !== run) m.abort(CORRUPTED, run);
  store32(words, previous === 0 ? state + CLASS_HEAD : previous + RUN_NEXT, next);
  store32(words, next === 0 ? state + CLASS_TAIL : next + RUN_PREVIOUS, previous);
  store32(words, run + RUN_SHAPE, load32(words, run + RUN_SHAPE) - RUN_LISTED);
}

/** A new run, all of it free and in no list. 0: no memory, or too little ever; the heap serves as before. */
function beginRun(m: Machine, heap: Base, sizeClass: Word): Word {
  if (!hasPlace(m, heap, sizeClass)) return 0;
  const state = classState(heap, sizeClass);
  const descriptor = takeOwn(m, heap, chunkSizeFor(RUN_BYTES));
  if (descriptor === NO_CHUNK) return 0;
  const run = ptrOf(descriptor);
  const place = takePlace(m, heap, sizeClass, m.load32(state + CLASS_RUNS));
  if (place === NO_CHUNK) {
    disown(m, heap, run);
    return 0;
  }
  const first = ptrOf(place);
  const bytes = sizeClass << GRANULE_LOG2;
  const slots = slotsIn(m, place, bytes);
  if (!reachMap(m, heap, first + slots * bytes)) {
    disown(m, heap, first);
    disown(m, heap, run);
    return 0;
  }
  m.store32(run + RUN_FIRST, first);
  m.store32(run + RUN_INVERSE, inverseOf(sizeClass >>> m.ctz(sizeClass)));
  m.store32(run + RUN_SHAPE, shapeOf(m, sizeClass, slots));
  for (let word: Word = 0; word < (RUN_BITS_END - RUN_BITS) >>> 2; word++)
    m.store32(run + RUN_BITS + (word << 2), fullWord(slots, word));
  m.store32(run + RUN_LAST, fullWord(slots, (slots - 1) >>> 5));
  mapUnits(m, heap, first, first + slots * bytes, run);
  m.store32(state + CLASS_RUNS, m.load32(state + CLASS_RUNS) + 1);
  m.store32(heap + AT_RUN_COUNT, m.load32(heap + AT_RUN_COUNT) + 1);
  return run;
}

/** Gives a run that has no live block and is in no list back to the chunks. Aborts if its descriptor leads out of its chunk. */
function endRun(m: Machine, heap: Base, run: Word): void {
  const first = firstBlock(m, run);
  const bytes = blockBytesOf(m, run);
  const extent = extentOf(m, run);
  const end = first + extent;
  if (!isOwn(m, heap, first) || !isOwn(m, heap, asPtr(run))) m.abort(CORRUPTED, run);
  if (bytes === 0 || extent > sizeOf(m, chunkOf(first)) - HEADER_WORD) m.abort(CORRUPTED, run);
  const state = classState(heap, classOf(m, run));
  // A header before each block that says "not in use": a second free of it is then seen, as with merged chunks.
  for (let block = first + bytes; block < end; block += bytes) m.store32(block - HEADER_WORD, bytes);
  mapUnits(m, heap, first, end, 0);
  disown(m, heap, first);
  disown(m, heap, asPtr(run));
  m.store32(state + CLASS_RUNS, m.load32(state + CLASS_RUNS) - 1);
  const runs = m.load32(heap + AT_RUN_COUNT) - 1;
  m.store32(heap + AT_RUN_COUNT, runs);
  if (runs === 0) dropMap(m, heap);
}

/** Gives back the current runs that have no live block. False: there were none. O(classes), mostly O(1). */
export function flushRuns(m: Machine, heap: Base): boolean {
  const noted = m.load32(heap + AT_MAYBE_UNUSED) | m.load32(heap + AT_IDLE);
  if (noted === 0) return false;
  m.store32(heap + AT_MAYBE_UNUSED, 0);
  m.store32(heap + AT_IDLE, 0);
  return endUnused(m, heap, noted);
}

/**
 * flushRuns of those of which no block has been freed since the last call: small blocks that come and go between large ones
 * would else begin a run and end it each time. O(classes), mostly O(1).
 */
export function flushIdle(m: Machine, heap: Base): void {
  const fresh = m.load32(heap + AT_MAYBE_UNUSED);
  const idle = (m.load32(heap + AT_IDLE) & ~fresh) >>> 0;
  m.store32(heap + AT_MAYBE_UNUSED, 0);
  m.store32(heap + AT_IDLE, fresh);
  if (idle !== 0) endUnused(m, heap, idle);
}

/** Gives back the current runs of these classes, a bit each, that have no live block. False: there were none. */
function endUnused(m: Machine, heap: Base, classes: Word): boolean {
  let flushed: boolean = false;
  for (let left = classes; left !== 0; left = (left & (left - 1)) >>> 0) {
    const state = classState(heap, m.ctz(left));
    const run = m.load32(state + CLASS_RUN);
    if (run === 0 || !isUnused(m, run)) continue;
    leaveRun(m, heap, state);
    endRun(m, heap, run);
    flushed = true;
  }
  if (flushed) count(m, heap + AT_FLUSH_COUNT);
  return flushed;
}

/** Lets the classes from one on take from no run, so that malloc serves their requests by chunks. */
export function leaveClasses(m: Machine, heap: Base, from: Word): void {
  for (let sizeClass = from; sizeClass <= CLASS_COUNT; sizeClass++) {
    const state = classState(heap, sizeClass);
    const run = m.load32(state + CLASS_RUN);
    if (run === 0) continue;
    leaveRun(m, heap, state);
    if (isUnused(m, run)) endRun(m, heap, run);
    else if (!isFull(m, run)) list(m, state, run);
  }
}

/** Lets a class have no current run. */
function leaveRun(m: Machine, heap: Base, state: Word): void {
  m.store32(state + CLASS_RUN, 0);
  m.store32(state + CLASS_BITS, heap + AT_NO_BITS);
}

/** Writes the states of the classes of a new heap. */
export function formatClasses(m: Machine, heap: Base): void {
  for (let sizeClass: Word = 1; sizeClass <= CLASS_COUNT; sizeClass++)
    leaveRun(m, heap, classState(heap, sizeClass));
}
