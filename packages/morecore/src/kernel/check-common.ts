// Check, third part: heaps that threads share, with all threads at rest.
//
// Reads:      common's header, the map, the list of the threads' heaps, what lies before each of them, their mail; then each heap.
// Needs:      all of the kernel's layout. Writes nothing, ends on any bytes, stays within the memory. O(bytes never used + units + chunks).
// Invariants: H1  common's header is sound, and so is the list of the heaps with the header of each       O(heaps)
//             H2  free units and footprint are counted right                                              O(units)
//             U1, U2, U3 (units.ts), R1 to R4 (remote.ts; R1 and R2: check-slabs.ts)
//
// The order matters here, too: the map's words are looked at before anything follows them. A heap that was left behind by its thread
// is sound as any other. So is one that a thread has died in, unless it died in a call.

import { asBase, asPtr, Base, chunkOf, NO_CHUNK, ptrOf, Word } from "./address.ts";
import { checkSound } from "./check.ts";
import { firstInMap, hasStopped, NOT_IN_MAP, nextInMap, ownSlabAt, stateInMap } from "./check-slabs.ts";
import {
  BROKEN_CHUNK_MAIL,
  BROKEN_COMMON,
  BROKEN_FRESH,
  BROKEN_HEADER,
  BROKEN_LIMIT,
  BROKEN_MAIL,
  BROKEN_SEGMENT,
  BROKEN_SUM,
  BROKEN_UNIT,
} from "./codes.ts";
import { firstUnit, firstUnitOf } from "./common.ts";
import {
  BAD_BASE,
  BAD_HEADER,
  BEYOND_MEMORY,
  IS_HEAP,
  NO_MAGIC,
  OTHER_BASE,
  OTHER_VERSION,
} from "./image.ts";
import {
  ADDRESS_END,
  AT_ADVANCE_LOG2,
  AT_COMMON,
  AT_END,
  AT_FIRST_HEAP,
  AT_FLAGS,
  AT_FOOTPRINT,
  AT_FREE_UNITS,
  AT_FRESH,
  AT_GROWTH_STEP,
  AT_LIMIT,
  AT_MAGIC,
  AT_MAP,
  AT_MAPPED,
  AT_MAX_FOOTPRINT,
  AT_SEGMENT,
  AT_SELF,
  AT_TOP,
  AT_VERSION,
  FORMAT_VERSION,
  FREE_UNIT,
  GONE,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  KNOWN_HEAP_FLAGS,
  MAGIC,
  MAIL_CHUNKS,
  MAIL_NEXT,
  MAIL_SLABS,
  MIN_REGION,
  NEXT_HEAP,
  NO_ADVANCE,
  OF_CHUNKS,
  OTHER_HEADER,
  PLACE_BYTES,
  SEGMENT_CHUNKS,
  SEGMENT_NEXT,
  SHARED_SLAB_BYTES,
  SHARED_VERSION,
  SLAB_FULL,
  SLAB_MAIL,
  SLAB_TOLD,
  SLAB_UNIT,
  SLAB_UNIT_LOG2,
  THREAD,
  THREAD_MAGIC,
  UNIT_FLAGS,
} from "./layout.ts";
import { isLive, isMarked, segmentEnd } from "./live.ts";
import { Machine } from "./machine.ts";
import { firstBlock } from "./slab.ts";
import { isFirstHeader, mapBytes, mapStart, ownerAt, ownerIn, unitEntry } from "./units.ts";
import { firstChunk, LIVE, nextChunk, stateOf } from "./walk.ts";

/** Checks every invariant of a heap that threads share, and of each thread's heap in it. */
export function checkCommon(m: Machine, common: Base): void {
  if (probeCommon(m, common) !== IS_HEAP) m.abort(BROKEN_COMMON, common);
  checkHeaps(m, common);
  const taken = checkWords(m, common);
  let owned: Word = 0;
  for (let heap = heapAfter(m, common, asBase(0)); heap !== 0; heap = heapAfter(m, common, heap)) {
    checkThread(m, common, heap);
    owned += checkOwned(m, heap);
    checkMail(m, heap);
    checkChunkMail(m, heap);
  }
  if (owned !== taken) m.abort(BROKEN_UNIT, strayUnit(m, common));
  checkFresh(m, common);
  checkFootprint(m, common);
}

/** As probeHeap, for a heap that threads share. Reads common's header only. O(1). */
export function probeCommon(m: Machine, common: Base): Word {
  if (common === 0 || (common & (GRANULE - 1)) !== 0) return BAD_BASE;
  if (common > ADDRESS_END - MIN_REGION || common + MIN_REGION > m.size()) return BEYOND_MEMORY;
  if (m.load32(common + AT_MAGIC) !== MAGIC) return NO_MAGIC;
  if (m.load32(common + AT_VERSION) !== SHARED_VERSION) return OTHER_VERSION;
  if (m.load32(common + AT_SELF) !== common) return OTHER_BASE;
  return isCommonSound(m, common) ? IS_HEAP : BAD_HEADER;
}

/** Whether what common's header says can be: enough to read the map, and where the first thread's heap is, without leaving the memory. */
function isCommonSound(m: Machine, common: Base): boolean {
  if (m.load32(common + AT_FLAGS) > KNOWN_HEAP_FLAGS || !areStepsSound(m, common)) return false;
  if (m.load32(common + AT_COMMON) !== common) return false;
  const mapped = m.load32(common + AT_MAPPED);
  if (mapped < MIN_REGION || mapped > ADDRESS_END - common) return false;
  const map = mapStart(common) - ((common >>> SLAB_UNIT_LOG2) << 2);
  if (m.load32(common + AT_MAP) !== map) return false;
  const first = firstPlace(m, common);
  const limit = m.load32(common + AT_LIMIT);
  if ((limit & (SLAB_UNIT - 1)) !== 0 || limit < first || !m.reaches(limit)) return false;
  if (limit > common + mapped || m.load32(common + AT_FRESH) < first) return false;
  const heap = m.load32(common + AT_FIRST_HEAP);
  return heap === 0 || isPlace(m, common, heap);
}

function areStepsSound(m: Machine, heap: Base): boolean {
  const step = m.load32(heap + AT_GROWTH_STEP);
  return step !== 0 && (step & (step - 1)) === 0 && m.load32(heap + AT_ADVANCE_LOG2) <= NO_ADVANCE;
}

/** Where the first unit is that a thread may have: what is common ends there. */
export function firstPlace(m: Machine, common: Base): Word {
  return firstUnit(common, common + m.load32(common + AT_MAPPED)) >>> 0;
}

/** Whether a thread's heap can begin at an address. */
export function isPlace(m: Machine, common: Base, heap: Word): boolean {
  if (heap < PLACE_BYTES + OTHER_HEADER) return false;
  const unit: Word = (isFirstHeader(asBase(heap)) ? heap : heap - OTHER_HEADER) - PLACE_BYTES;
  if ((unit & (SLAB_UNIT - 1)) !== 0) return false;
  return unit >= firstPlace(m, common) && unit < m.load32(common + AT_LIMIT);
}

/** The heap after a thread's in the list that checkHeaps has found sound, or the first one, after 0. 0: there is none. */
function heapAfter(m: Machine, common: Base, heap: Base): Base {
  let next = m.load32(heap === 0 ? common + AT_FIRST_HEAP : heap - NEXT_HEAP);
  // A header that serves no thread has no heap.
  while (next !== 0 && m.load32(next - THREAD) === GONE) next = m.load32(next - NEXT_HEAP);
  return asBase(next);
}

/** H1: the list of heaps leads from one place of a heap to another, and it ends. */
function checkHeaps(m: Machine, common: Base): void {
  let left = m.load32(common + AT_MAPPED) >>> SLAB_UNIT_LOG2;
  let at: Word = common + AT_FIRST_HEAP;
  for (let heap = m.load32(at); heap !== 0; heap = m.load32(at)) {
    if (!isPlace(m, common, heap)) m.abort(BROKEN_COMMON, at);
    // It runs in a circle.
    if (left === 0) m.abort(BROKEN_COMMON, common + AT_FIRST_HEAP);
    const serves: boolean = m.load32(heap - THREAD) !== GONE;
    if (serves && !isThreadSound(m, common, asBase(heap))) m.abort(BROKEN_HEADER, heap);
    left -= 1;
    at = heap - NEXT_HEAP;
  }
}

/** Whether the header of a thread's heap can be: enough to walk its last segment without leaving the memory, and to find the map. */
function isThreadSound(m: Machine, common: Base, heap: Base): boolean {
  if (m.load32(heap + AT_MAGIC) !== THREAD_MAGIC || m.load32(heap + AT_VERSION) !== FORMAT_VERSION)
    return false;
  if (m.load32(heap + AT_SELF) !== heap || m.load32(heap + AT_COMMON) !== common) return false;
  if (m.load32(heap + AT_MAP) !== m.load32(common + AT_MAP)) return false;
  if (m.load32(heap + AT_MAPPED) !== m.load32(common + AT_MAPPED)) return false;
  if (m.load32(heap + AT_FLAGS) > KNOWN_HEAP_FLAGS || !areStepsSound(m, heap)) return false;
  const segment = m.load32(heap + AT_SEGMENT);
  const top = m.load32(heap + AT_TOP);
  const end = m.load32(heap + AT_END);
  const limit = m.load32(heap + AT_LIMIT);
  if (((top + HEADER_WORD) & (GRANULE - 1)) !== 0 || ((segment | end) & (GRANULE - 1)) !== 0) return false;
  if (segment < heap + HEADER_BYTES || top < segment + SEGMENT_CHUNKS || top > end - HEADER_WORD)
    return false;
  return end <= limit && (limit & (SLAB_UNIT - 1)) === 0 && limit <= m.load32(common + AT_LIMIT);
}

/** All that checkHeap checks, of a thread's heap; the map and the list of heaps have been found sound. */
export function checkThread(m: Machine, common: Base, heap: Base): void {
  if (!isThreadSound(m, common, heap)) m.abort(BROKEN_HEADER, heap);
  checkSound(m, heap);
}

/** U1, U2, H2: each word of the map is 0, a free unit's, or leads to a heap in the list. How many units are heaps'. */
function checkWords(m: Machine, common: Base): Word {
  const end: Word = common + m.load32(common + AT_MAPPED);
  const first = firstPlace(m, common);
  const limit = m.load32(common + AT_LIMIT);
  let free: Word = 0;
  let taken: Word = 0;
  let known: Word = 0;
  for (let at: Word = (common & ~(SLAB_UNIT - 1)) >>> 0; at < end; at += SLAB_UNIT) {
    const word = m.load32(unitEntry(m.words, common, at));
    if (word === 0) continue;
    if (at < first || at >= limit) m.abort(BROKEN_LIMIT, at);
    if (word === FREE_UNIT) {
      free += 1;
      continue;
    }
    if (!isWord(word, first, limit)) m.abort(BROKEN_UNIT, at);
    const owner: Word = ownerIn(m.words, word);
    if (owner !== known && !isListed(m, common, owner)) m.abort(BROKEN_UNIT, at);
    known = owner;
    taken += 1;
  }
  const counted = m.load32(common + AT_FREE_UNITS);
  if (free > counted || (free !== counted && !hasStopped(m, common)))
    m.abort(BROKEN_SUM, common + AT_FREE_UNITS);
  return taken;
}

/** Whether a word of the map that is a heap's can be: a heap's own, or a descriptor's that lies inside the memory. */
function isWord(word: Word, first: Word, limit: Word): boolean {
  const flags = word & UNIT_FLAGS;
  const address = (word & ~UNIT_FLAGS) >>> 0;
  if (address < first || address > limit - SHARED_SLAB_BYTES) return false;
  if (flags === OF_CHUNKS) return true;
  return flags === 0 || flags === SLAB_FULL || flags === SLAB_TOLD;
}

function isListed(m: Machine, common: Base, owner: Word): boolean {
  for (let heap = heapAfter(m, common, asBase(0)); heap !== 0; heap = heapAfter(m, common, heap))
    if (heap === owner) return true;
  return false;
}

/** U1: all units of a heap's segments, up to its limit, are its own. How many they are. */
function checkOwned(m: Machine, heap: Base): Word {
  const last = m.load32(heap + AT_SEGMENT);
  let owned: Word = 0;
  let segment: Word = heap + HEADER_BYTES;
  while (segment !== last) {
    owned += checkSegmentUnits(m, heap, segment);
    segment = m.load32(segment + SEGMENT_NEXT);
  }
  return owned + checkSegmentUnits(m, heap, last);
}

function checkSegmentUnits(m: Machine, heap: Base, segment: Word): Word {
  const from = unitsBegin(heap, segment);
  const to = unitsEnd(m, heap, segment);
  if ((from & (SLAB_UNIT - 1)) !== 0) m.abort(BROKEN_SEGMENT, segment);
  for (let at = from; at < to; at += SLAB_UNIT)
    if (ownerAt(m.words, heap, at) !== heap) m.abort(BROKEN_UNIT, at);
  return (to - from) >>> SLAB_UNIT_LOG2;
}

/** Where the units of a segment begin: those of the first one, where the heap has its place. */
function unitsBegin(heap: Base, segment: Word): Word {
  if (segment !== heap + HEADER_BYTES) return segment;
  return firstUnitOf(heap);
}

/** Where the units of a segment end: of the last one, at the heap's limit. */
function unitsEnd(m: Machine, heap: Base, segment: Word): Word {
  if (segment === m.load32(heap + AT_SEGMENT)) return m.load32(heap + AT_LIMIT);
  return ((segmentEnd(m, heap, segment) + (SLAB_UNIT - 1)) & ~(SLAB_UNIT - 1)) >>> 0;
}

/** The first unit whose word leads to a heap that has it in none of its segments. O(units * segments). */
function strayUnit(m: Machine, common: Base): Word {
  const limit = m.load32(common + AT_LIMIT);
  let at: Word = (common & ~(SLAB_UNIT - 1)) >>> 0;
  for (; at < limit; at += SLAB_UNIT) {
    const owner = ownerAt(m.words, common, at);
    if (owner !== 0 && !hasUnit(m, owner, at)) return at;
  }
  return at;
}

function hasUnit(m: Machine, heap: Base, unit: Word): boolean {
  const last = m.load32(heap + AT_SEGMENT);
  let segment: Word = heap + HEADER_BYTES;
  while (segment !== last && unit >= unitsEnd(m, heap, segment)) segment = m.load32(segment + SEGMENT_NEXT);
  return unit >= unitsBegin(heap, segment) && unit < unitsEnd(m, heap, segment);
}

/** R3: a heap's mail ends, and holds just the slabs of the heap that are TOLD, each once. */
function checkMail(m: Machine, heap: Base): void {
  let told: Word = 0;
  for (let at = firstInMap(m, heap); at !== NOT_IN_MAP; at = nextInMap(m, heap, at))
    if (stateInMap(m, heap, ownSlabAt(m, heap, at)) === SLAB_TOLD) told += 1;
  // No list of so many steps can hold one of them twice: it would run in a circle.
  let at: Word = heap - MAIL_SLABS;
  for (let slab = m.load32(at); slab !== 0; slab = m.load32(at)) {
    if (told === 0 || !isSlabTold(m, heap, slab)) m.abort(BROKEN_MAIL, at);
    told -= 1;
    at = slab + SLAB_MAIL;
  }
  if (told !== 0 && !hasStopped(m, heap)) m.abort(BROKEN_MAIL, at);
}

/** Whether an address is the descriptor of a slab of the heap's that is TOLD. */
function isSlabTold(m: Machine, heap: Base, slab: Word): boolean {
  if ((slab & UNIT_FLAGS) !== 0 || ownerAt(m.words, heap, slab) !== heap) return false;
  if (slab > m.load32(heap + AT_LIMIT) - SHARED_SLAB_BYTES) return false;
  return ownSlabAt(m, heap, firstBlock(m, slab)) === slab && stateInMap(m, heap, slab) === SLAB_TOLD;
}

/** R4: a heap's mail of chunks ends, and holds just the live chunks of the heap that are marked, each once. */
function checkChunkMail(m: Machine, heap: Base): void {
  let marked: Word = 0;
  for (let chunk = firstChunk(m, heap); chunk !== NO_CHUNK; chunk = nextChunk(m, heap, chunk))
    if (stateOf(m, heap, chunk) === LIVE && isMarked(m, ptrOf(chunk))) marked += 1;
  let at: Word = heap - MAIL_CHUNKS;
  for (let ptr = m.load32(at); ptr !== 0; ptr = m.load32(at)) {
    if (marked === 0 || !isChunkMarked(m, heap, ptr)) m.abort(BROKEN_CHUNK_MAIL, at);
    marked -= 1;
    at = ptr + MAIL_NEXT;
  }
  if (marked !== 0 && !hasStopped(m, heap)) m.abort(BROKEN_CHUNK_MAIL, at);
}

function isChunkMarked(m: Machine, heap: Base, ptr: Word): boolean {
  if ((ptr & (GRANULE - 1)) !== 0 || ownerAt(m.words, heap, ptr) !== heap) return false;
  return isLive(m, heap, chunkOf(asPtr(ptr))) && isMarked(m, asPtr(ptr));
}

/** U3: memory that no thread has ever had is zero. */
function checkFresh(m: Machine, common: Base): void {
  const limit = m.load32(common + AT_LIMIT);
  const fresh = (m.load32(common + AT_FRESH) + (HEADER_WORD - 1)) & ~(HEADER_WORD - 1);
  for (let at: Word = fresh >>> 0; at < limit; at += HEADER_WORD)
    if (m.load32(at) !== 0) m.abort(BROKEN_FRESH, at);
}

/** H2: the footprint is what is common, with the words of the map up to the limit, and the heaps' footprints; it is at most its peak. */
function checkFootprint(m: Machine, common: Base): void {
  let bytes: Word = mapStart(common) - common + mapBytes(m.load32(common + AT_LIMIT) - common);
  for (let heap = heapAfter(m, common, asBase(0)); heap !== 0; heap = heapAfter(m, common, heap))
    bytes += m.load32(heap + AT_FOOTPRINT);
  const footprint = m.load32(common + AT_FOOTPRINT);
  if (bytes > footprint || (bytes !== footprint && !hasStopped(m, common)))
    m.abort(BROKEN_SUM, common + AT_FOOTPRINT);
  if (footprint > m.load32(common + AT_MAX_FOOTPRINT)) m.abort(BROKEN_SUM, common + AT_MAX_FOOTPRINT);
}
