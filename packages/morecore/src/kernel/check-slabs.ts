// Check, second part: the invariants of slabs, size classes and the map.
//
// Reads:  what check.ts has found walkable. Writes nothing. O(chunks).
// Needs:  all of the kernel's layout. checkChunks has passed: chunks can be walked. Of a thread's heap, check-common.ts has
//         looked at the map: each word of it leads to a heap, or to a descriptor that names one.
//
// The slabs of a thread's heap are those in the map that name it. It has no map of its own. Its slabs may wait for their
// thread: one that is TOLD in the map stays as it is, whatever others have freed in it, until the mail is read.

import { asPtr, Base, chunkAfter, chunkOf, NO_CHUNK, ptrOf, Word } from "./address.ts";
import { sizeOf } from "./chunk.ts";
import { classState, isClass, nextClass, noteFor } from "./classes.ts";
import {
  BROKEN_BITS,
  BROKEN_CLASS,
  BROKEN_FULL,
  BROKEN_INTERNAL,
  BROKEN_LIST,
  BROKEN_MAP,
  BROKEN_REMOTE,
  BROKEN_UNIT,
} from "./codes.ts";
import {
  AT_IDLE,
  AT_LIMIT,
  AT_MAPPED,
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  AT_SLAB_COUNT,
  AT_TAKEN_OVER,
  CLASS_BITS,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_SLAB,
  CLASS_SLABS,
  CLASS_TAIL,
  GRANULE,
  HEADER_WORD,
  IN_USE,
  MAX_BLOCKS,
  OWN,
  SHARED_SLAB_BYTES,
  SLAB_BITS,
  SLAB_BITS_END,
  SLAB_BYTES,
  SLAB_FULL,
  SLAB_INVERSE,
  SLAB_LAST,
  SLAB_LISTED,
  SLAB_NEXT,
  SLAB_OWNER,
  SLAB_PREVIOUS,
  SLAB_SHAPE,
  SLAB_TOLD,
  SLAB_UNIT,
  TO_REMOTE,
  UNIT_FLAGS,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import {
  blockBytesOf,
  blockCountOf,
  classOf,
  extentOf,
  firstBlock,
  fullWord,
  inverseOf,
  isFull,
  isUnused,
  shapeOf,
} from "./slab.ts";
import { mapOf, slabAt } from "./slab-map.ts";
import { commonOf, isFirstHeader, unitAt } from "./units.ts";
import { firstChunk, nextChunk, OVERHEAD, stateOf } from "./walk.ts";

/** In place of an address: no slab of the heap's is left in the map. */
export const NOT_IN_MAP: Word = 0;

/** S5, S6, P1, P2, S3, S4: each mapped slab is sound, and the heap's own chunks are just these, their descriptors and the map. */
export function checkSlabs(m: Machine, heap: Base): void {
  let own: Word = 0;
  // Of a thread's heap, the map is no chunk.
  let atMap: boolean = m.threads || mapOf(m, heap) === 0;
  for (let chunk = firstChunk(m, heap); chunk !== NO_CHUNK; chunk = nextChunk(m, heap, chunk)) {
    if (stateOf(m, heap, chunk) !== OVERHEAD) continue;
    own += 1;
    if (!m.threads && chunk === chunkOf(mapOf(m, heap))) atMap = true;
  }
  if (!atMap) m.abort(BROKEN_MAP, heap);
  let slabs: Word = 0;
  for (let at = firstInMap(m, heap); at !== NOT_IN_MAP; at = nextInMap(m, heap, at)) {
    checkSlab(m, heap, ownSlabAt(m, heap, at), at);
    slabs += 1;
  }
  if (slabs !== m.load32(heap + AT_SLAB_COUNT)) m.abort(BROKEN_MAP, heap + AT_SLAB_COUNT);
  if (m.threads) {
    // The first header's heap keeps the room for the other one.
    const spare: Word = isFirstHeader(heap) ? 1 : 0;
    if (own !== slabs + slabs + spare) m.abort(BROKEN_INTERNAL, heap);
    return;
  }
  const mapped = bytesMapped(m, heap);
  const expected: Word = mapped === 0 ? 0 : slabs + slabs + 1;
  if (own !== expected || (mapped === 0) !== (slabs === 0)) m.abort(BROKEN_INTERNAL, heap);
}

/** From the heap's base on, so many bytes may have slabs of its own. */
function bytesMapped(m: Machine, heap: Base): Word {
  return m.threads ? m.load32(heap + AT_LIMIT) - heap : m.load32(heap + AT_MAPPED);
}

/**
 * Where the heap's first slab by the map begins: an address in the first unit that leads to it, since of the slab itself nothing may be
 * known yet. NOT_IN_MAP: the heap has none. O(units).
 */
export function firstInMap(m: Machine, heap: Base): Word {
  return ownSlabAt(m, heap, heap) !== 0 ? heap : nextInMap(m, heap, heap);
}

/** The same of the slab after the one at such an address. O(units of that, and of others). */
export function nextInMap(m: Machine, heap: Base, address: Word): Word {
  const last = ownSlabAt(m, heap, address);
  const mapped = bytesMapped(m, heap);
  for (let offset: Word = address - heap + SLAB_UNIT; offset < mapped; offset += SLAB_UNIT) {
    const slab = ownSlabAt(m, heap, heap + offset);
    if (slab !== 0 && slab !== last) return heap + offset;
  }
  return NOT_IN_MAP;
}

/** The slab in an address's unit, if it is the heap's; else 0. */
export function ownSlabAt(m: Machine, heap: Base, address: Word): Word {
  const slab = slabAt(m, heap, address);
  return slab !== 0 && (!m.threads || m.load32(slab + SLAB_OWNER) === heap) ? slab : 0;
}

/** A slab whose first mapped unit is that of `address`. */
function checkSlab(m: Machine, heap: Base, slab: Word, address: Word): void {
  const least: Word = m.threads ? SHARED_SLAB_BYTES : SLAB_BYTES;
  if (!isInternal(m, heap, slab) || sizeOf(m, chunkOf(asPtr(slab))) < least + HEADER_WORD)
    m.abort(BROKEN_INTERNAL, slab);
  if (!isDescriptor(m, slab)) m.abort(BROKEN_BITS, slab);
  const first = firstBlock(m, slab);
  const extent = extentOf(m, slab);
  if (!isInternal(m, heap, first) || extent > sizeOf(m, chunkOf(first)) - HEADER_WORD)
    m.abort(BROKEN_INTERNAL, first);
  if (
    slabAt(m, heap, first) !== slab ||
    (first & ~(SLAB_UNIT - 1)) >>> 0 !== (address & ~(SLAB_UNIT - 1)) >>> 0
  )
    m.abort(BROKEN_MAP, first);
  for (let at: Word = first; at < first + extent; at += GRANULE)
    if (slabAt(m, heap, at) !== slab) m.abort(BROKEN_MAP, at);
  const stray = strayBits(m, slab);
  if (stray !== 0) m.abort(BROKEN_BITS, stray);
  if (!m.threads) return;
  // P2: the payload behind it begins a unit, too.
  const room = chunkOf(first);
  const past = ptrOf(chunkAfter(room, sizeOf(m, room)));
  if (((first | past) & (SLAB_UNIT - 1)) !== 0) m.abort(BROKEN_INTERNAL, first);
  checkUnits(m, heap, slab, first, first + extent);
  checkRemote(m, slab);
}

/** U1: only the word of a slab's first unit has flags, and no unit behind its last leads to it. */
function checkUnits(m: Machine, heap: Base, slab: Word, from: Word, to: Word): void {
  let at: Word = ((from & ~(SLAB_UNIT - 1)) >>> 0) + SLAB_UNIT;
  for (; at < to; at += SLAB_UNIT) if (unitAt(m.words, heap, at) !== slab) m.abort(BROKEN_UNIT, at);
  if (slabAt(m, heap, at) === slab) m.abort(BROKEN_UNIT, at);
}

/** R1: what others have freed was a live block before. */
function checkRemote(m: Machine, slab: Word): void {
  const slots = blockCountOf(m, slab);
  for (let at = slab + SLAB_BITS, word: Word = 0; at < slab + SLAB_BITS_END; at += 4, word++) {
    const live: Word = fullWord(slots, word) & ~m.load32(at);
    if ((m.load32(at + TO_REMOTE) & ~live) !== 0) m.abort(BROKEN_REMOTE, at + TO_REMOTE);
  }
}

/** Whether others have freed something in a slab that its thread has not looked at. */
function hasRemote(m: Machine, slab: Word): boolean {
  for (let at = slab + SLAB_BITS; at < slab + SLAB_BITS_END; at += 4)
    if (m.load32(at + TO_REMOTE) !== 0) return true;
  return false;
}

/** Whether a slab's descriptor states a size class and a number of blocks, and nothing that contradicts them. */
export function isDescriptor(m: Machine, slab: Word): boolean {
  const sizeClass = classOf(m, slab);
  const slots = blockCountOf(m, slab);
  if (!isClass(m, sizeClass) || slots === 0 || slots > MAX_BLOCKS) return false;
  const shape = (m.load32(slab + SLAB_SHAPE) & ~SLAB_LISTED) >>> 0;
  if (shape !== shapeOf(m, sizeClass, slots)) return false;
  if (m.load32(slab + SLAB_INVERSE) !== inverseOf(sizeClass >>> m.ctz(sizeClass))) return false;
  return m.load32(slab + SLAB_LAST) === fullWord(slots, (slots - 1) >>> 5);
}

/** The first word of a slab's bits that has one which stands for no block; 0: none has. */
export function strayBits(m: Machine, slab: Word): Word {
  const slots = blockCountOf(m, slab);
  for (let at = slab + SLAB_BITS, word: Word = 0; at < slab + SLAB_BITS_END; at += 4, word++)
    if ((m.load32(at) & ~fullWord(slots, word)) !== 0) return at;
  return 0;
}

/** Whether a chunk of the heap's own has its payload at an address. */
function isInternal(m: Machine, heap: Base, ptr: Word): boolean {
  const least: Word = m.threads ? SHARED_SLAB_BYTES : GRANULE;
  if (ptr < heap || ptr > m.size() - least || (ptr & (GRANULE - 1)) !== 0) return false;
  return (m.load32(chunkOf(asPtr(ptr))) & (IN_USE | OWN)) === (IN_USE | OWN);
}

/** Whether a class of the heap's may have a slab at an address, as far as the chunk there shows. */
function isOwnSlab(m: Machine, heap: Base, slab: Word): boolean {
  return isInternal(m, heap, slab) && (!m.threads || m.load32(slab + SLAB_OWNER) === heap);
}

/** S1, S2: each class takes from its current slab, its lists hold the slabs with room, and all others are full. */
export function checkClasses(m: Machine, heap: Base): void {
  let slabs: Word = 0;
  let inLists: Word = 0;
  for (let sizeClass: Word = 1; sizeClass !== 0; sizeClass = nextClass(m, sizeClass)) {
    const state = classState(m, heap, sizeClass);
    checkCurrent(m, heap, state, sizeClass);
    inLists += checkList(m, heap, state, sizeClass);
    slabs += m.load32(state + CLASS_SLABS);
  }
  if (slabs !== m.load32(heap + AT_SLAB_COUNT)) m.abort(BROKEN_CLASS, heap + AT_SLAB_COUNT);
  for (let at = firstInMap(m, heap); at !== NOT_IN_MAP; at = nextInMap(m, heap, at)) {
    const slab = ownSlabAt(m, heap, at);
    const current: boolean = m.load32(classState(m, heap, classOf(m, slab)) + CLASS_SLAB) === slab;
    const listed: boolean = (m.load32(slab + SLAB_SHAPE) & SLAB_LISTED) !== 0;
    if (m.threads) checkPlace(m, heap, slab, current, listed);
    else {
      if (current ? listed : isFull(m, slab) === listed) m.abort(BROKEN_LIST, slab);
      if (!current && isUnused(m, slab)) m.abort(BROKEN_LIST, slab);
    }
    if (listed && (inLists === 0 || !isLinked(m, heap, slab))) m.abort(BROKEN_LIST, slab);
    if (listed) inLists -= 1;
  }
}

/**
 * S2 and R2 of a thread's slab: it is current, or listed with room, or its thread is gone from it and the map says so. FULL: nobody has
 * freed there since. TOLD: it waits in the mail, with room, unused, or neither; it may be current or listed as well.
 */
function checkPlace(m: Machine, heap: Base, slab: Word, current: boolean, listed: boolean): void {
  const flags = stateInMap(m, heap, slab);
  if (current && listed) m.abort(BROKEN_LIST, slab);
  if (listed && isFull(m, slab)) m.abort(BROKEN_LIST, slab);
  if (flags === SLAB_TOLD) return;
  if (!current && isUnused(m, slab)) m.abort(BROKEN_LIST, slab);
  const gone: boolean = !current && !listed;
  if (gone && !isFull(m, slab)) m.abort(BROKEN_LIST, slab);
  if (gone !== (flags === SLAB_FULL)) m.abort(BROKEN_FULL, slab);
  // Who frees in a full slab tells.
  if (gone && hasRemote(m, slab) && !hasStopped(m, heap)) m.abort(BROKEN_FULL, slab);
}

/**
 * Whether a thread may have stopped in the middle of a call. Then a block that it was about to free may be marked and nothing more, and
 * more be counted than there is; nobody else's block is lost by that.
 */
export function hasStopped(m: Machine, heap: Base): boolean {
  return m.load32(commonOf(m, heap) + AT_TAKEN_OVER) !== 0;
}

/** FULL, TOLD or 0: what the map says of a thread's slab. */
export function stateInMap(m: Machine, heap: Base, slab: Word): Word {
  return unitAt(m.words, heap, firstBlock(m, slab)) & UNIT_FLAGS;
}

function checkCurrent(m: Machine, heap: Base, state: Word, sizeClass: Word): void {
  const slab = m.load32(state + CLASS_SLAB);
  const at = m.load32(state + CLASS_BITS);
  if (m.load32(heap + AT_NO_BITS) !== 0) m.abort(BROKEN_CLASS, state);
  if (slab === 0) {
    if (at !== heap + AT_NO_BITS) m.abort(BROKEN_CLASS, state);
    return;
  }
  if (!isOwnSlab(m, heap, slab) || classOf(m, slab) !== sizeClass) m.abort(BROKEN_CLASS, state);
  if (slabAt(m, heap, firstBlock(m, slab)) !== slab) m.abort(BROKEN_CLASS, state);
  if (at < slab + SLAB_BITS || at >= slab + SLAB_BITS_END || (at & 3) !== 0) m.abort(BROKEN_CLASS, state);
  const noted = m.load32(heap + AT_MAYBE_UNUSED) | m.load32(heap + AT_IDLE);
  // One that waits in the mail is noted when that is read.
  const waits: boolean = m.threads && stateInMap(m, heap, slab) === SLAB_TOLD;
  if (isUnused(m, slab) && !waits && (noted & noteFor(m, sizeClass)) === 0) m.abort(BROKEN_CLASS, state);
  const before = (at - slab - SLAB_BITS) << 3;
  if (m.load32(state + CLASS_FIRST) !== firstBlock(m, slab) + before * blockBytesOf(m, slab))
    m.abort(BROKEN_CLASS, state);
}

/** Whether what stands before a listed slab, in its class's state or its list, leads to it. */
function isLinked(m: Machine, heap: Base, slab: Word): boolean {
  const previous = m.load32(slab + SLAB_PREVIOUS);
  if (previous === 0) return m.load32(classState(m, heap, classOf(m, slab)) + CLASS_HEAD) === slab;
  return isOwnSlab(m, heap, previous) && m.load32(previous + SLAB_NEXT) === slab;
}

/** How many slabs are in a class's list, which is sound. */
function checkList(m: Machine, heap: Base, state: Word, sizeClass: Word): Word {
  let inList: Word = 0;
  let steps = m.load32(heap + AT_SLAB_COUNT);
  let previous: Word = 0;
  for (let slab = m.load32(state + CLASS_HEAD); slab !== 0; slab = m.load32(slab + SLAB_NEXT)) {
    if (steps === 0 || !isOwnSlab(m, heap, slab) || classOf(m, slab) !== sizeClass)
      m.abort(BROKEN_LIST, slab);
    if ((m.load32(slab + SLAB_SHAPE) & SLAB_LISTED) === 0 || m.load32(slab + SLAB_PREVIOUS) !== previous)
      m.abort(BROKEN_LIST, slab);
    steps -= 1;
    inList += 1;
    previous = slab;
  }
  if (m.load32(state + CLASS_TAIL) !== previous) m.abort(BROKEN_LIST, state);
  return inList;
}
