// Map: from an address to the run that it lies in.
//
// Owns:       the map, a chunk of the heap's own with a word for each unit of RUN_UNIT bytes, and where it is.
// Needs:      layout, chunk, own, run. May grow memory.
// Invariants: M1  an entry is 0 or the descriptor of the run that covers the unit             O(units)
//             M2  the map covers every run, and there is one only while there are runs        O(units)
//             (check.ts: checkRuns)
//
// Why not a mark in each block: that is the header that runs save. Why not aligned spans found by masking an address:
// memory comes from something like sbrk, in pieces of any size and place.

import { asPtr, Base, chunkOf, NO_CHUNK, Ptr, ptrOf, Word } from "./address.ts";
import { chunkSizeFor, sizeOf } from "./chunk.ts";
import { CORRUPTED } from "./codes.ts";
import { ADDRESS_END, AT_MAP, AT_MAPPED, HEADER_WORD, RUN_UNIT_LOG2 } from "./layout.ts";
import { load32, Machine, Words } from "./machine.ts";
import { disown, isOwn, takeOwn } from "./own.ts";
import { isIn } from "./run.ts";

/** The map grows by half, and by this many entries. */
const MORE_ENTRIES: Word = 29;

/** The descriptor of the run in an address's unit of RUN_UNIT bytes; 0: there is none. O(1). */
export function runAt(words: Words, heap: Base, address: Word): Word {
  if ((address - heap) >>> 0 >= load32(words, heap + AT_MAPPED)) return 0;
  return load32(words, entryOf(words, heap, address));
}

/** The descriptor of the run that an address lies in; 0: it lies in none. O(1). */
export function runOf(words: Words, heap: Base, address: Word): Word {
  const run = runAt(words, heap, address);
  return run !== 0 && isIn(words, run, address) ? run : 0;
}

function entryOf(words: Words, heap: Base, address: Word): Word {
  return (load32(words, heap + AT_MAP) + ((address >>> RUN_UNIT_LOG2) << 2)) >>> 0;
}

/** Says that the units of [from, to) belong to a run, or, with 0, to none. They are mapped. */
export function mapUnits(m: Machine, heap: Base, from: Word, to: Word, run: Word): void {
  const last = entryOf(m.words, heap, to - 1);
  for (let entry = entryOf(m.words, heap, from); entry <= last; entry += 4) m.store32(entry, run);
}

/** Makes the map reach up to an address. False: no memory, and nothing has changed. */
export function reachMap(m: Machine, heap: Base, end: Word): boolean {
  if (end - heap <= m.load32(heap + AT_MAPPED)) return true;
  const origin = heap >>> RUN_UNIT_LOG2;
  const needed = ((end - 1) >>> RUN_UNIT_LOG2) + 1 - origin;
  const most = (ADDRESS_END >>> RUN_UNIT_LOG2) - origin;
  const wanted = needed + (needed >>> 1) + MORE_ENTRIES;
  const old = mapOf(m, heap);
  const oldBytes: Word = old === 0 ? 0 : sizeOf(m, chunkOf(old)) - HEADER_WORD;
  if (old !== 0 && (!isOwn(m, heap, old) || oldBytes > wanted << 2)) m.abort(CORRUPTED, heap + AT_MAP);
  const chunk = takeOwn(m, heap, chunkSizeFor((wanted < most ? wanted : most) << 2));
  if (chunk === NO_CHUNK) return false;
  // What the chunk has room for, it maps.
  const entries = (sizeOf(m, chunk) - HEADER_WORD) >>> 2;
  const map = ptrOf(chunk);
  if (oldBytes !== 0) m.copy(map, old, oldBytes);
  m.zero(map + oldBytes, (entries << 2) - oldBytes);
  m.store32(heap + AT_MAP, (map - (origin << 2)) >>> 0);
  const mappedEnd = origin + (entries < most ? entries : most);
  m.store32(heap + AT_MAPPED, (mappedEnd << RUN_UNIT_LOG2) - heap);
  if (oldBytes !== 0) disown(m, heap, old);
  return true;
}

/** The map's address; 0: there is none. */
export function mapOf(m: Machine, heap: Base): Ptr {
  if (m.load32(heap + AT_MAPPED) === 0) return asPtr(0);
  return asPtr((m.load32(heap + AT_MAP) + ((heap >>> RUN_UNIT_LOG2) << 2)) >>> 0);
}

/** Frees the map, which maps nothing any more. */
export function dropMap(m: Machine, heap: Base): void {
  const map = mapOf(m, heap);
  m.store32(heap + AT_MAPPED, 0);
  m.store32(heap + AT_MAP, 0);
  disown(m, heap, map);
}
