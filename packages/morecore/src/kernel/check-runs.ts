// Check, second part: the invariants of runs, size classes and the map.
//
// Owns:  nothing; changes nothing.
// Needs: all of the kernel's layout. checkChunks has passed: chunks can be walked.

import { asPtr, Base, chunkOf, NO_CHUNK, Word } from "./address.ts";
import { sizeOf } from "./chunk.ts";
import { BROKEN_BITS, BROKEN_CLASS, BROKEN_LIST, BROKEN_MAP, BROKEN_OWN } from "./codes.ts";
import {
  AT_IDLE,
  AT_MAPPED,
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  AT_RUN_COUNT,
  CLASS_BITS,
  CLASS_COUNT,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_RUN,
  CLASS_RUNS,
  CLASS_TAIL,
  GRANULE,
  HEADER_WORD,
  IN_USE,
  MAX_SLOTS,
  OWN,
  RUN_BITS,
  RUN_BITS_END,
  RUN_BYTES,
  RUN_INVERSE,
  RUN_LAST,
  RUN_LISTED,
  RUN_NEXT,
  RUN_PREVIOUS,
  RUN_SHAPE,
  RUN_UNIT,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import {
  blockBytesOf,
  classOf,
  extentOf,
  firstBlock,
  fullWord,
  inverseOf,
  isFull,
  isUnused,
  shapeOf,
  slotsOf,
} from "./run.ts";
import { mapOf, runAt } from "./run-map.ts";
import { classState } from "./runs.ts";
import { firstChunk, nextChunk, OVERHEAD, stateOf } from "./walk.ts";

/** M1, M2, P1, R3, R4: each mapped run is sound, and the heap's own chunks are just these, their descriptors and the map. */
export function checkRuns(m: Machine, heap: Base): void {
  let own: Word = 0;
  let atMap: boolean = mapOf(m, heap) === 0;
  for (let chunk = firstChunk(m, heap); chunk !== NO_CHUNK; chunk = nextChunk(m, heap, chunk)) {
    if (stateOf(m, heap, chunk) !== OVERHEAD) continue;
    own += 1;
    if (chunk === chunkOf(mapOf(m, heap))) atMap = true;
  }
  if (!atMap) m.abort(BROKEN_MAP, heap);
  let runs: Word = 0;
  let last: Word = 0;
  const mapped = m.load32(heap + AT_MAPPED);
  for (let offset: Word = 0; offset < mapped; offset += RUN_UNIT) {
    const run = runAt(m.words, heap, heap + offset);
    if (run === 0 || run === last) continue;
    checkRun(m, heap, run, heap + offset);
    runs += 1;
    last = run;
  }
  if (runs !== m.load32(heap + AT_RUN_COUNT)) m.abort(BROKEN_MAP, heap + AT_RUN_COUNT);
  const expected: Word = mapped === 0 ? 0 : runs + runs + 1;
  if (own !== expected || (mapped === 0) !== (runs === 0)) m.abort(BROKEN_OWN, heap);
}

/** A run whose first mapped unit is that of `address`. */
function checkRun(m: Machine, heap: Base, run: Word, address: Word): void {
  if (!isOwn(m, heap, run) || sizeOf(m, chunkOf(asPtr(run))) < RUN_BYTES + HEADER_WORD)
    m.abort(BROKEN_OWN, run);
  const first = firstBlock(m, run);
  const extent = extentOf(m, run);
  const slots = slotsOf(m, run);
  const sizeClass = classOf(m, run);
  if (sizeClass === 0 || sizeClass > CLASS_COUNT) m.abort(BROKEN_BITS, run);
  const shape = (m.load32(run + RUN_SHAPE) & ~RUN_LISTED) >>> 0;
  if (shape !== shapeOf(m, sizeClass, slots) || slots === 0 || slots > MAX_SLOTS) m.abort(BROKEN_BITS, run);
  if (m.load32(run + RUN_INVERSE) !== inverseOf(sizeClass >>> m.ctz(sizeClass))) m.abort(BROKEN_BITS, run);
  if (m.load32(run + RUN_LAST) !== fullWord(slots, (slots - 1) >>> 5)) m.abort(BROKEN_BITS, run);
  if (!isOwn(m, heap, first) || extent > sizeOf(m, chunkOf(first)) - HEADER_WORD) m.abort(BROKEN_OWN, first);
  if (
    runAt(m.words, heap, first) !== run ||
    (first & ~(RUN_UNIT - 1)) >>> 0 !== (address & ~(RUN_UNIT - 1)) >>> 0
  )
    m.abort(BROKEN_MAP, first);
  for (let at: Word = first; at < first + extent; at += GRANULE)
    if (runAt(m.words, heap, at) !== run) m.abort(BROKEN_MAP, at);
  for (let at = run + RUN_BITS, word: Word = 0; at < run + RUN_BITS_END; at += 4, word++)
    if ((m.load32(at) & ~fullWord(slots, word)) !== 0) m.abort(BROKEN_BITS, at);
}

/** Whether a chunk of the heap's own has its payload at an address. */
function isOwn(m: Machine, heap: Base, ptr: Word): boolean {
  if (ptr < heap || ptr > m.size() - GRANULE || (ptr & (GRANULE - 1)) !== 0) return false;
  return (m.load32(chunkOf(asPtr(ptr))) & (IN_USE | OWN)) === (IN_USE | OWN);
}

/** R1, R2: each class takes from its current run, its lists hold the runs with room, and all others are full. */
export function checkClasses(m: Machine, heap: Base): void {
  let runs: Word = 0;
  let inLists: Word = 0;
  for (let sizeClass: Word = 1; sizeClass <= CLASS_COUNT; sizeClass++) {
    const state = classState(heap, sizeClass);
    checkCurrent(m, heap, state, sizeClass);
    inLists += checkList(m, heap, state, sizeClass);
    runs += m.load32(state + CLASS_RUNS);
  }
  if (runs !== m.load32(heap + AT_RUN_COUNT)) m.abort(BROKEN_CLASS, heap + AT_RUN_COUNT);
  let last: Word = 0;
  for (let offset: Word = 0; offset < m.load32(heap + AT_MAPPED); offset += RUN_UNIT) {
    const run = runAt(m.words, heap, heap + offset);
    if (run === 0 || run === last) continue;
    last = run;
    const current: boolean = m.load32(classState(heap, classOf(m, run)) + CLASS_RUN) === run;
    const listed: boolean = (m.load32(run + RUN_SHAPE) & RUN_LISTED) !== 0;
    if (current ? listed : isFull(m, run) === listed) m.abort(BROKEN_LIST, run);
    if (!current && isUnused(m, run)) m.abort(BROKEN_LIST, run);
    if (listed && (inLists === 0 || !isLinked(m, heap, run))) m.abort(BROKEN_LIST, run);
    if (listed) inLists -= 1;
  }
}

function checkCurrent(m: Machine, heap: Base, state: Word, sizeClass: Word): void {
  const run = m.load32(state + CLASS_RUN);
  const at = m.load32(state + CLASS_BITS);
  if (m.load32(heap + AT_NO_BITS) !== 0) m.abort(BROKEN_CLASS, state);
  if (run === 0) {
    if (at !== heap + AT_NO_BITS) m.abort(BROKEN_CLASS, state);
    return;
  }
  if (!isOwn(m, heap, run) || classOf(m, run) !== sizeClass) m.abort(BROKEN_CLASS, state);
  if (runAt(m.words, heap, firstBlock(m, run)) !== run) m.abort(BROKEN_CLASS, state);
  if (at < run + RUN_BITS || at >= run + RUN_BITS_END || (at & 3) !== 0) m.abort(BROKEN_CLASS, state);
  const noted = m.load32(heap + AT_MAYBE_UNUSED) | m.load32(heap + AT_IDLE);
  if (isUnused(m, run) && ((noted >>> sizeClass) & 1) === 0) m.abort(BROKEN_CLASS, state);
  const before = (at - run - RUN_BITS) << 3;
  if (m.load32(state + CLASS_FIRST) !== firstBlock(m, run) + before * blockBytesOf(m, run))
    m.abort(BROKEN_CLASS, state);
}

/** Whether what stands before a listed run, in its class's state or its list, leads to it. */
function isLinked(m: Machine, heap: Base, run: Word): boolean {
  const previous = m.load32(run + RUN_PREVIOUS);
  if (previous === 0) return m.load32(classState(heap, classOf(m, run)) + CLASS_HEAD) === run;
  return isOwn(m, heap, previous) && m.load32(previous + RUN_NEXT) === run;
}

/** How many runs are in a class's list, which is sound. */
function checkList(m: Machine, heap: Base, state: Word, sizeClass: Word): Word {
  let inList: Word = 0;
  let steps = m.load32(heap + AT_RUN_COUNT);
  let previous: Word = 0;
  for (let run = m.load32(state + CLASS_HEAD); run !== 0; run = m.load32(run + RUN_NEXT)) {
    if (steps === 0 || !isOwn(m, heap, run) || classOf(m, run) !== sizeClass) m.abort(BROKEN_LIST, run);
    if ((m.load32(run + RUN_SHAPE) & RUN_LISTED) === 0 || m.load32(run + RUN_PREVIOUS) !== previous)
      m.abort(BROKEN_LIST, run);
    steps -= 1;
    inList += 1;
    previous = run;
  }
  if (m.load32(state + CLASS_TAIL) !== previous) m.abort(BROKEN_LIST, state);
  return inList;
}
