// Units: the memory of a heap that threads share, in pieces of SLAB_UNIT bytes, and whose each of them is.
//
// Owns:       the map's words, but for slabs; what common says of memory: its limit, its free units, its footprint.
// Needs:      layout. May grow memory.
// Invariants: U1  a unit is no thread's, or one thread's heap has all of it                    O(units)
//             U2  all that is or was a thread's lies below common's limit                      O(units)
//             U3  what lies between common's fresh mark and its limit is zero                  O(bytes)
//             (check-common.ts)
//
// No thread waits for another. A unit is taken by one exchange of its word; memory that was just got is nobody else's, because the
// words of its units are still 0. So whoever stops, wherever it is, holds up nobody: at worst, units stay its own.

import { asBase, Base, Word } from "./address.ts";
import {
  ADDRESS_END,
  AT_COMMON,
  AT_FLAGS,
  AT_FOOTPRINT,
  AT_FOOTPRINT_LIMIT,
  AT_FREE_UNITS,
  AT_FRESH,
  AT_LIMIT,
  AT_MAP,
  AT_MAPPED,
  AT_MAX_FOOTPRINT,
  CACHE_LINE,
  COMMON_BYTES,
  FIXED_MEMORY,
  FIXED_REGION,
  FREE_UNIT,
  GRANULE,
  MEMORY_UNIT,
  OF_CHUNKS,
  OTHER_HEADER,
  PLACE_BYTES,
  SLAB_OWNER,
  SLAB_UNIT,
  SLAB_UNIT_LOG2,
  UNIT_FLAGS,
} from "./layout.ts";
import { load32, Machine, Words } from "./machine.ts";

/** In place of an address: units that were free are another thread's now. */
const TAKEN: Word = 1;
/** So often are free units looked for again when another thread was faster. */
const TRIES: Word = 3;

/** What the threads of a heap have in common. */
export function commonOf(m: Machine, heap: Base): Base {
  return asBase(m.load32(heap + AT_COMMON));
}

/** Where what is said of a heap as a whole is said: in its own header, or where threads share it, in common's. */
export function wholeOf(m: Machine, heap: Base): Base {
  return m.threads ? commonOf(m, heap) : heap;
}

/** Where the map of a heap that threads share begins, with the word of the unit that common lies in: so that lines of it are one thread's. */
export function mapStart(common: Base): Word {
  const before: Word = (common >>> SLAB_UNIT_LOG2) << 2;
  return (((common + COMMON_BYTES - before + (CACHE_LINE - 1)) & ~(CACHE_LINE - 1)) + before) >>> 0;
}

/** Where the map's word for an address is, which is mapped. */
export function unitEntry(words: Words, heap: Base, address: Word): Word {
  return (load32(words, heap + AT_MAP) + ((address >>> SLAB_UNIT_LOG2) << 2)) >>> 0;
}

/** The same, by common, which says so too. */
function commonEntry(words: Words, common: Base, address: Word): Word {
  return (load32(words, common + AT_MAP) + ((address >>> SLAB_UNIT_LOG2) << 2)) >>> 0;
}

/** The map's word for an address, as it is; 0 where nothing is mapped. O(1). */
export function unitAt(words: Words, heap: Base, address: Word): Word {
  return isMapped(words, heap, address) ? load32(words, unitEntry(words, heap, address)) : 0;
}

/** Whether the map has a word for an address. */
export function isMapped(words: Words, heap: Base, address: Word): boolean {
  return (address - load32(words, heap + AT_COMMON)) >>> 0 < load32(words, heap + AT_MAPPED);
}

/** The descriptor that a word of the map leads to; 0: no slab lies there. */
export function slabIn(entry: Word): Word {
  return (entry & (FREE_UNIT | OF_CHUNKS)) === 0 ? (entry & ~UNIT_FLAGS) >>> 0 : 0;
}

/** The thread's heap whose an address is; 0: no thread's. O(1). */
export function ownerAt(words: Words, heap: Base, address: Word): Base {
  return ownerIn(words, unitAt(words, heap, address));
}

/** The thread's heap that a word of the map speaks of. */
export function ownerIn(words: Words, entry: Word): Base {
  const slab = slabIn(entry);
  if (slab !== 0) return asBase(load32(words, slab + SLAB_OWNER));
  return asBase((entry & OF_CHUNKS) !== 0 ? (entry & ~UNIT_FLAGS) >>> 0 : 0);
}

/** Whether a header is the first of the two that a thread's memory has room for. */
export function isFirstHeader(header: Base): boolean {
  return ((header - PLACE_BYTES) & (SLAB_UNIT - 1)) === 0;
}

/** The other header that a thread's memory has room for. */
export function otherHeader(header: Base): Base {
  return asBase(isFirstHeader(header) ? header + OTHER_HEADER : header - OTHER_HEADER);
}

/** Whether two owners are one place: while a heap is taken over, some of its units have the one header, and some the other. */
export function isSamePlace(owner: Base, other: Base): boolean {
  return owner === other || (owner !== 0 && otherHeader(owner) === other);
}

/** Whether memory never grows. */
function isFixed(m: Machine, common: Base): boolean {
  return (m.load32(common + AT_FLAGS) & (FIXED_REGION | FIXED_MEMORY)) !== 0;
}

/** Threads take memory in multiples of this: whole wasm pages, but where there is little. */
export function leastTaken(m: Machine, common: Base): Word {
  return isFixed(m, common) ? SLAB_UNIT : MEMORY_UNIT;
}

/**
 * Takes so many bytes, a multiple of SLAB_UNIT, for a thread's heap, or for one that is to begin there (0): the first that are free from
 * an address on, or new ones. Their address; 0: there are none. O(units) if some are free, else O(bytes).
 */
// @rare
export function takeUnits(m: Machine, common: Base, owner: Base, bytes: Word, from: Word): Word {
  if (m.loadShared(common + AT_FREE_UNITS) >= bytes >>> SLAB_UNIT_LOG2) {
    let found = takeFreeUnits(m, common, owner, bytes, from);
    // Two threads that want the same take back what they have, and look again.
    for (let tries: Word = 0; found === TAKEN && tries < TRIES; tries++)
      found = takeFreeUnits(m, common, owner, bytes, from);
    // Another thread may have got that memory a moment ago.
    if (found > TAKEN && m.reaches(found + bytes)) return found;
  }
  return isFixed(m, common) ? 0 : takeNewUnits(m, common, owner, bytes);
}

/** The first address of free units that have been taken; 0: there are none; TAKEN: another thread was faster somewhere. */
function takeFreeUnits(m: Machine, common: Base, owner: Base, bytes: Word, from: Word): Word {
  const end = m.loadShared(common + AT_LIMIT);
  let start = from;
  let none: Word = 0;
  for (let at = from; at < end; at += SLAB_UNIT) {
    if (m.loadShared(commonEntry(m.words, common, at)) !== FREE_UNIT) start = at + SLAB_UNIT;
    else if (at + SLAB_UNIT - start === bytes) {
      if (claim(m, common, owner, start, bytes)) return start;
      none = TAKEN;
      start = at + SLAB_UNIT;
    }
  }
  return none;
}

/** The word for units from an address on that a thread's heap takes; of 0, one that is to begin there. */
function wordFor(owner: Base, from: Word): Word {
  return (owner === 0 ? from + PLACE_BYTES : owner) | OF_CHUNKS;
}

/** Takes free units one by one. False: another thread was faster, and all is as it was. */
function claim(m: Machine, common: Base, owner: Base, start: Word, bytes: Word): boolean {
  for (let at = start; at < start + bytes; at += SLAB_UNIT) {
    const entry = commonEntry(m.words, common, at);
    if (m.compareExchange(entry, FREE_UNIT, wordFor(owner, start)) === FREE_UNIT) continue;
    markUnits(m, common, start, at, FREE_UNIT);
    return false;
  }
  m.addShared(common + AT_FREE_UNITS, (0 - (bytes >>> SLAB_UNIT_LOG2)) >>> 0);
  return true;
}

/**
 * Gets memory. Free units that end where it begins come with it: so a heap that was the last to get some goes on where it ends, though a
 * memory grows by more than a unit.
 */
function takeNewUnits(m: Machine, common: Base, owner: Base, bytes: Word): Word {
  const limit = m.loadShared(common + AT_LIMIT);
  const start = owner !== 0 && m.size() === limit ? claimBelow(m, common, owner, limit, bytes) : limit;
  const missing = bytes - (limit - start);
  const from = newUnits(m, common, owner, missing);
  if (start === limit) return from;
  if (from === limit) return start;
  // Others have got memory meanwhile, or there is none.
  giveUnits(m, common, start, limit);
  if (from === 0) return 0;
  giveUnits(m, common, from, from + missing);
  return newUnits(m, common, owner, bytes);
}

/** Takes what is free below an address, but for one unit of `bytes` at most. Where that begins. */
function claimBelow(m: Machine, common: Base, owner: Base, end: Word, bytes: Word): Word {
  const least = end - (bytes - SLAB_UNIT);
  const word = wordFor(owner, end);
  let start = end;
  while (
    start !== least &&
    m.compareExchange(commonEntry(m.words, common, start - SLAB_UNIT), FREE_UNIT, word) === FREE_UNIT
  )
    start -= SLAB_UNIT;
  if (start !== end) m.addShared(common + AT_FREE_UNITS, (0 - ((end - start) >>> SLAB_UNIT_LOG2)) >>> 0);
  return start;
}

/** Units of new memory. What others get meanwhile lies elsewhere, and nobody looks at units that nobody has marked. */
function newUnits(m: Machine, common: Base, owner: Base, bytes: Word): Word {
  const end = common + m.load32(common + AT_MAPPED);
  const asked = ((bytes + (MEMORY_UNIT - 1)) & ~(MEMORY_UNIT - 1)) >>> 0;
  const size = m.size();
  if (size >= ADDRESS_END || size > end || asked > end - size) return 0;
  const from = m.grow(asked);
  if (from === 0 || from + asked > end) return 0;
  markUnits(m, common, from, from + bytes, wordFor(owner, from));
  const before = raise(m, common + AT_LIMIT, from + asked);
  // The words of the map that are in use from now on.
  if (before < from + asked) {
    const more = mapBytes(from + asked - common) - mapBytes(before - common);
    addUnbounded(m, common, more);
  }
  if (asked !== bytes) giveUnits(m, common, from + bytes, from + asked);
  return from;
}

/** Gives units back: any thread may take them now. */
// @rare
export function giveUnits(m: Machine, common: Base, from: Word, to: Word): void {
  // Counted first: who stops in between leaves too many counted, which costs a look, and not too few, which would cost the units.
  m.addShared(common + AT_FREE_UNITS, (to - from) >>> SLAB_UNIT_LOG2);
  markUnits(m, common, from, to, FREE_UNIT);
}

/** Writes the words of the units of [from, to). */
export function markUnits(m: Machine, common: Base, from: Word, to: Word, word: Word): void {
  for (let at = from; at < to; at += SLAB_UNIT) m.storeShared(commonEntry(m.words, common, at), word);
}

/**
 * From which address on what a thread has just taken was never written. The mark rises before the thread writes there, so whoever
 * takes the units after it finds it risen.
 */
export function freshFrom(m: Machine, common: Base, from: Word, to: Word): Word {
  const fresh = raise(m, common + AT_FRESH, to);
  if (fresh <= from) return from;
  return fresh < to ? fresh : to;
}

/** Bytes of the map's words for so many bytes of memory, in whole granules: what of it counts as used. */
export function mapBytes(bytes: Word): Word {
  return (((bytes >>> (SLAB_UNIT_LOG2 - 2)) + (GRANULE - 1)) & ~(GRANULE - 1)) >>> 0;
}

/** Raises a word to at least a value; what it was before. */
function raise(m: Machine, address: Word, value: Word): Word {
  let before = m.loadShared(address);
  while (before < value) {
    const found = m.compareExchange(address, before, value);
    if (found === before) return before;
    before = found;
  }
  return before;
}

/** Bytes that the footprint of all threads may still grow by. */
export function commonAllowance(m: Machine, common: Base): Word {
  const limit = m.loadShared(common + AT_FOOTPRINT_LIMIT);
  const footprint = m.loadShared(common + AT_FOOTPRINT);
  return limit > footprint ? limit - footprint : 0;
}

/** Adds to the footprint of all threads, whatever its limit. */
export function addUnbounded(m: Machine, common: Base, bytes: Word): void {
  raise(m, common + AT_MAX_FOOTPRINT, m.addShared(common + AT_FOOTPRINT, bytes) + bytes);
}

/** Adds to the footprint of all threads, `least` at least and `most` at most. What was added; 0: the limit forbids it. */
export function addCommonFootprint(m: Machine, common: Base, least: Word, most: Word): Word {
  for (;;) {
    const footprint = m.loadShared(common + AT_FOOTPRINT);
    const allowed = (commonAllowance(m, common) & ~(GRANULE - 1)) >>> 0;
    if (allowed < least || allowed === 0) return 0;
    const more = allowed < most ? allowed : most;
    if (m.compareExchange(common + AT_FOOTPRINT, footprint, footprint + more) !== footprint) continue;
    // Who lowers the limit looks at the footprint afterwards: it sees this growth, or this growth sees the lower limit.
    if (m.loadShared(common + AT_FOOTPRINT_LIMIT) < footprint + more) {
      m.addShared(common + AT_FOOTPRINT, (0 - more) >>> 0);
      continue;
    }
    raise(m, common + AT_MAX_FOOTPRINT, footprint + more);
    return more;
  }
}
