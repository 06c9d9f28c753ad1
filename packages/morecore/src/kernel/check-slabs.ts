// Check, second part: the invariants of slabs, size classes and the map.
//
// Reads:  what check.ts has found walkable. Writes nothing. O(chunks).
// Needs:  all of the kernel's layout. checkChunks has passed: chunks can be walked.

import { asPtr, Base, chunkOf, NO_CHUNK, Word } from "./address.ts";
import { sizeOf } from "./chunk.ts";
import { BROKEN_BITS, BROKEN_CLASS, BROKEN_INTERNAL, BROKEN_LIST, BROKEN_MAP } from "./codes.ts";
import {
  AT_IDLE,
  AT_MAPPED,
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  AT_SLAB_COUNT,
  CLASS_BITS,
  CLASS_COUNT,
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
  SLAB_BITS,
  SLAB_BITS_END,
  SLAB_BYTES,
  SLAB_INVERSE,
  SLAB_LAST,
  SLAB_LISTED,
  SLAB_NEXT,
  SLAB_PREVIOUS,
  SLAB_SHAPE,
  SLAB_UNIT,
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
import { classState } from "./slabs.ts";
import { firstChunk, nextChunk, OVERHEAD, stateOf } from "./walk.ts";

/** S5, S6, P1, S3, S4: each mapped slab is sound, and the heap's own chunks are just these, their descriptors and the map. */
export function checkSlabs(m: Machine, heap: Base): void {
  let own: Word = 0;
  let atMap: boolean = mapOf(m, heap) === 0;
  for (let chunk = firstChunk(m, heap); chunk !== NO_CHUNK; chunk = nextChunk(m, heap, chunk)) {
    if (stateOf(m, heap, chunk) !== OVERHEAD) continue;
    own += 1;
    if (chunk === chunkOf(mapOf(m, heap))) atMap = true;
  }
  if (!atMap) m.abort(BROKEN_MAP, heap);
  let slabs: Word = 0;
  let last: Word = 0;
  const mapped = m.load32(heap + AT_MAPPED);
  for (let offset: Word = 0; offset < mapped; offset += SLAB_UNIT) {
    const slab = slabAt(m.words, heap, heap + offset);
    if (slab === 0 || slab === last) continue;
    checkSlab(m, heap, slab, heap + offset);
    slabs += 1;
    last = slab;
  }
  if (slabs !== m.load32(heap + AT_SLAB_COUNT)) m.abort(BROKEN_MAP, heap + AT_SLAB_COUNT);
  const expected: Word = mapped === 0 ? 0 : slabs + slabs + 1;
  if (own !== expected || (mapped === 0) !== (slabs === 0)) m.abort(BROKEN_INTERNAL, heap);
}

/** A slab whose first mapped unit is that of `address`. */
function checkSlab(m: Machine, heap: Base, slab: Word, address: Word): void {
  if (!isInternal(m, heap, slab) || sizeOf(m, chunkOf(asPtr(slab))) < SLAB_BYTES + HEADER_WORD)
    m.abort(BROKEN_INTERNAL, slab);
  if (!isDescriptor(m, slab)) m.abort(BROKEN_BITS, slab);
  const first = firstBlock(m, slab);
  const extent = extentOf(m, slab);
  if (!isInternal(m, heap, first) || extent > sizeOf(m, chunkOf(first)) - HEADER_WORD)
    m.abort(BROKEN_INTERNAL, first);
  if (
    slabAt(m.words, heap, first) !== slab ||
    (first & ~(SLAB_UNIT - 1)) >>> 0 !== (address & ~(SLAB_UNIT - 1)) >>> 0
  )
    m.abort(BROKEN_MAP, first);
  for (let at: Word = first; at < first + extent; at += GRANULE)
    if (slabAt(m.words, heap, at) !== slab) m.abort(BROKEN_MAP, at);
  const stray = strayBits(m, slab);
  if (stray !== 0) m.abort(BROKEN_BITS, stray);
}

/** Whether a slab's descriptor states a size class and a number of blocks, and nothing that contradicts them. */
export function isDescriptor(m: Machine, slab: Word): boolean {
  const sizeClass = classOf(m, slab);
  const slots = blockCountOf(m, slab);
  if (sizeClass === 0 || sizeClass > CLASS_COUNT || slots === 0 || slots > MAX_BLOCKS) return false;
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
  if (ptr < heap || ptr > m.size() - GRANULE || (ptr & (GRANULE - 1)) !== 0) return false;
  return (m.load32(chunkOf(asPtr(ptr))) & (IN_USE | OWN)) === (IN_USE | OWN);
}

/** S1, S2: each class takes from its current slab, its lists hold the slabs with room, and all others are full. */
export function checkClasses(m: Machine, heap: Base): void {
  let slabs: Word = 0;
  let inLists: Word = 0;
  for (let sizeClass: Word = 1; sizeClass <= CLASS_COUNT; sizeClass++) {
    const state = classState(heap, sizeClass);
    checkCurrent(m, heap, state, sizeClass);
    inLists += checkList(m, heap, state, sizeClass);
    slabs += m.load32(state + CLASS_SLABS);
  }
  if (slabs !== m.load32(heap + AT_SLAB_COUNT)) m.abort(BROKEN_CLASS, heap + AT_SLAB_COUNT);
  let last: Word = 0;
  for (let offset: Word = 0; offset < m.load32(heap + AT_MAPPED); offset += SLAB_UNIT) {
    const slab = slabAt(m.words, heap, heap + offset);
    if (slab === 0 || slab === last) continue;
    last = slab;
    const current: boolean = m.load32(classState(heap, classOf(m, slab)) + CLASS_SLAB) === slab;
    const listed: boolean = (m.load32(slab + SLAB_SHAPE) & SLAB_LISTED) !== 0;
    if (current ? listed : isFull(m, slab) === listed) m.abort(BROKEN_LIST, slab);
    if (!current && isUnused(m, slab)) m.abort(BROKEN_LIST, slab);
    if (listed && (inLists === 0 || !isLinked(m, heap, slab))) m.abort(BROKEN_LIST, slab);
    if (listed) inLists -= 1;
  }
}

function checkCurrent(m: Machine, heap: Base, state: Word, sizeClass: Word): void {
  const slab = m.load32(state + CLASS_SLAB);
  const at = m.load32(state + CLASS_BITS);
  if (m.load32(heap + AT_NO_BITS) !== 0) m.abort(BROKEN_CLASS, state);
  if (slab === 0) {
    if (at !== heap + AT_NO_BITS) m.abort(BROKEN_CLASS, state);
    return;
  }
  if (!isInternal(m, heap, slab) || classOf(m, slab) !== sizeClass) m.abort(BROKEN_CLASS, state);
  if (slabAt(m.words, heap, firstBlock(m, slab)) !== slab) m.abort(BROKEN_CLASS, state);
  if (at < slab + SLAB_BITS || at >= slab + SLAB_BITS_END || (at & 3) !== 0) m.abort(BROKEN_CLASS, state);
  const noted = m.load32(heap + AT_MAYBE_UNUSED) | m.load32(heap + AT_IDLE);
  if (isUnused(m, slab) && ((noted >>> sizeClass) & 1) === 0) m.abort(BROKEN_CLASS, state);
  const before = (at - slab - SLAB_BITS) << 3;
  if (m.load32(state + CLASS_FIRST) !== firstBlock(m, slab) + before * blockBytesOf(m, slab))
    m.abort(BROKEN_CLASS, state);
}

/** Whether what stands before a listed slab, in its class's state or its list, leads to it. */
function isLinked(m: Machine, heap: Base, slab: Word): boolean {
  const previous = m.load32(slab + SLAB_PREVIOUS);
  if (previous === 0) return m.load32(classState(heap, classOf(m, slab)) + CLASS_HEAD) === slab;
  return isInternal(m, heap, previous) && m.load32(previous + SLAB_NEXT) === slab;
}

/** How many slabs are in a class's list, which is sound. */
function checkList(m: Machine, heap: Base, state: Word, sizeClass: Word): Word {
  let inList: Word = 0;
  let steps = m.load32(heap + AT_SLAB_COUNT);
  let previous: Word = 0;
  for (let slab = m.load32(state + CLASS_HEAD); slab !== 0; slab = m.load32(slab + SLAB_NEXT)) {
    if (steps === 0 || !isInternal(m, heap, slab) || classOf(m, slab) !== sizeClass)
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
