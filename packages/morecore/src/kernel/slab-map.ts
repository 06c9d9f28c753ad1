// Map: from an address to the slab that it lies in.
//
// Owns:       the map, a chunk of the heap's own with a word for each unit of SLAB_UNIT bytes, and where it is.
// Needs:      layout, chunk, own, slab. May grow memory.
// Invariants: S5  an entry is 0 or the descriptor of the slab that covers the unit             O(units)
//             S6  the map covers every slab, and there is one only while there are slabs        O(units)
//             (check.ts: checkSlabs)
//
// Why not a mark in each block: that is the header that slabs save. Why not aligned spans found by masking an address:
// memory comes from something like sbrk, in pieces of any size and place.

import { asPtr, Base, chunkOf, NO_CHUNK, Ptr, ptrOf, Word } from "./address.ts";
import { chunkSizeFor, sizeOf } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import { freeInternal, isInternal, takeInternal } from "./internal.ts";
import { ADDRESS_END, AT_MAP, AT_MAPPED, HEADER_WORD, SLAB_UNIT_LOG2 } from "./layout.ts";
import { load32, Machine } from "./machine.ts";
import { isIn } from "./slab.ts";
import { slabIn, unitAt, unitEntry } from "./units.ts";

/** The map grows by half, and by this many entries. */
const MORE_ENTRIES: Word = 29;

/** The descriptor of the slab in an address's unit of SLAB_UNIT bytes; 0: there is none. O(1). */
export function slabAt(m: Machine, heap: Base, address: Word): Word {
  const words = m.words;
  if (m.threads) return slabIn(unitAt(words, heap, address));
  if ((address - heap) >>> 0 >= load32(words, heap + AT_MAPPED)) return 0;
  return load32(words, unitEntry(words, heap, address));
}

/** The descriptor of the slab that an address lies in; 0: it lies in none. O(1). */
export function slabOf(m: Machine, heap: Base, address: Word): Word {
  const slab = slabAt(m, heap, address);
  return slab !== 0 && isIn(m.words, slab, address) ? slab : 0;
}

/** Writes the words of the units of [from, to), which are mapped: a slab's descriptor, or what says that there is none. */
export function mapUnits(m: Machine, heap: Base, from: Word, to: Word, slab: Word): void {
  const last = unitEntry(m.words, heap, to - 1);
  for (let entry = unitEntry(m.words, heap, from); entry <= last; entry += 4) m.store32(entry, slab);
}

/** Makes the map reach up to an address. False: no memory, and nothing has changed. */
export function reachMap(m: Machine, heap: Base, end: Word): boolean {
  if (end - heap <= m.load32(heap + AT_MAPPED)) return true;
  const origin = heap >>> SLAB_UNIT_LOG2;
  const needed = ((end - 1) >>> SLAB_UNIT_LOG2) + 1 - origin;
  const most = (ADDRESS_END >>> SLAB_UNIT_LOG2) - origin;
  const wanted = needed + (needed >>> 1) + MORE_ENTRIES;
  const old = mapOf(m, heap);
  const oldBytes: Word = old === 0 ? 0 : sizeOf(m, chunkOf(old)) - HEADER_WORD;
  if (old !== 0 && (!isInternal(m, heap, old) || oldBytes > wanted << 2)) m.abort(CORRUPTED, heap + AT_MAP);
  const chunk = takeInternal(m, heap, chunkSizeFor((wanted < most ? wanted : most) << 2));
  if (chunk === NO_CHUNK) return false;
  // What the chunk has room for, it maps.
  const entries = (sizeOf(m, chunk) - HEADER_WORD) >>> 2;
  const map = ptrOf(chunk);
  if (oldBytes !== 0) m.copy(map, old, oldBytes);
  m.zero(map + oldBytes, (entries << 2) - oldBytes);
  m.store32(heap + AT_MAP, (map - (origin << 2)) >>> 0);
  const mappedEnd = origin + (entries < most ? entries : most);
  m.store32(heap + AT_MAPPED, (mappedEnd << SLAB_UNIT_LOG2) - heap);
  if (oldBytes !== 0) freeInternal(m, heap, old);
  return true;
}

/** The map's address; 0: there is none. */
export function mapOf(m: Machine, heap: Base): Ptr {
  if (m.load32(heap + AT_MAPPED) === 0) return asPtr(0);
  return asPtr((m.load32(heap + AT_MAP) + ((heap >>> SLAB_UNIT_LOG2) << 2)) >>> 0);
}

/** Frees the map, which maps nothing any more. */
export function dropMap(m: Machine, heap: Base): void {
  const map = mapOf(m, heap);
  m.store32(heap + AT_MAPPED, 0);
  m.store32(heap + AT_MAP, 0);
  freeInternal(m, heap, map);
}
