// Slab life: how a slab begins, and how it ends.
//
// Owns:       the heap's own chunks that slabs and their descriptors lie in.
// Needs:      slab-lists, slab-map, slab-room, internal. May grow memory.
// Invariants: S4  the heap's own chunks are the slabs, their descriptors and the map         O(chunks)
//             (check.ts: checkSlabs)

import { asPtr, Base, chunkOf, NO_CHUNK, ptrOf, Word } from "./address.ts";
import { chunkSizeFor, sizeOf } from "./chunk.ts";
import { classState } from "./classes.ts";
import { CORRUPTED } from "./codes.ts";
import { freeInternal, isInternal, takeInternal } from "./internal.ts";
import {
  AT_SLAB_COUNT,
  CLASS_HEAD,
  CLASS_SLAB,
  CLASS_SLABS,
  GRANULE_LOG2,
  HEADER_WORD,
  OF_CHUNKS,
  SHARED_SLAB_BYTES,
  SLAB_BITS,
  SLAB_BITS_END,
  SLAB_BYTES,
  SLAB_FIRST,
  SLAB_INVERSE,
  SLAB_LAST,
  SLAB_OWNER,
  SLAB_REMOTE,
  SLAB_SHAPE,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { isTold } from "./remote.ts";
import {
  blockBytesOf,
  classOf,
  extentOf,
  firstBlock,
  fullWord,
  inverseOf,
  isUnused,
  shapeOf,
} from "./slab.ts";
import { dropMap, mapUnits, reachMap } from "./slab-map.ts";
import { blocksIn, hasRoom, takeRoom } from "./slab-room.ts";

/** Whether a class has a slab to take from, or may be given one if there is memory. */
export function hasSlabs(m: Machine, heap: Base, sizeClass: Word): boolean {
  const state = classState(m, heap, sizeClass);
  if ((m.load32(state + CLASS_SLAB) | m.load32(state + CLASS_HEAD)) !== 0) return true;
  return hasRoom(m, heap, sizeClass);
}

/** A new slab, all of it free and in no list. 0: no memory, or too little ever; the heap serves as before. */
// @rare
export function beginSlab(m: Machine, heap: Base, sizeClass: Word): Word {
  if (!hasRoom(m, heap, sizeClass)) return 0;
  const state = classState(m, heap, sizeClass);
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
export function mayEnd(m: Machine, heap: Base, slab: Word): boolean {
  return isUnused(m, slab) && !(m.threads && isTold(m, heap, slab));
}

/** Gives a slab that has no live block and is in no list back to the chunks. Aborts if its descriptor leads out of its chunk. */
// @rare
export function endSlab(m: Machine, heap: Base, slab: Word): void {
  const first = firstBlock(m, slab);
  const bytes = blockBytesOf(m, slab);
  const extent = extentOf(m, slab);
  const end = first + extent;
  if (!isInternal(m, heap, first) || !isInternal(m, heap, asPtr(slab))) m.abort(CORRUPTED, slab);
  if (bytes === 0 || extent > sizeOf(m, chunkOf(first)) - HEADER_WORD) m.abort(CORRUPTED, slab);
  const state = classState(m, heap, classOf(m, slab));
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
