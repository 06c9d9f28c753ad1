// Idle slabs: those without a live block, kept for the next request, and given back when their memory is wanted.
//
// Needs:      slab-life.
//
// Each class keeps the slab that it takes from, used or not, so that one block in turn costs nothing. A note of those that may be unused
// makes them quick to find.

import { Base, Word } from "./address.ts";
import { count } from "./chunk.ts";
import { classState, nextClass } from "./classes.ts";
import {
  AT_COALESCE_COUNT,
  AT_FLUSH_COUNT,
  AT_IDLE,
  AT_MAYBE_UNUSED,
  AT_MERGES_PAID,
  CLASS_SLAB,
  FIRST_FAR,
  LAST_FAR,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { collect, leaveFull } from "./remote.ts";
import { isFull } from "./slab.ts";
import { endSlab, mayEnd } from "./slab-life.ts";
import { leaveSlab, list } from "./slab-lists.ts";

/** How many slabs one call gives back at most, unless it trims, frees in bulk, or finds no memory. */
const MOST_AT_ONCE: Word = 2;
/** How many merges an idle slab that is given back takes, and how many are saved at most. */
const MERGES_EACH: Word = 8;
const MERGES_SAVED: Word = 128;

/** Gives back all current slabs that have no live block. False: there were none. O(classes), mostly O(1). */
// @rare
export function flushSlabs(m: Machine, heap: Base): boolean {
  return flushNoted(m, heap, LAST_FAR);
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
    const sizeClass = m.ctz(left);
    if (m.threads && sizeClass === 0) {
      ended += endFar(m, heap, most - ended);
      // There may be more: their bit stays.
      if (ended === most) break;
    } else if (endIfUnused(m, heap, sizeClass)) ended++;
  }
  m.store32(heap + AT_IDLE, m.load32(heap + AT_IDLE) | left);
  if (ended !== 0) count(m, heap + AT_FLUSH_COUNT);
  return ended;
}

/** As endUnused, of the far classes. */
function endFar(m: Machine, heap: Base, most: Word): Word {
  let ended: Word = 0;
  for (let sizeClass = FIRST_FAR; sizeClass !== 0 && ended < most; sizeClass = nextClass(m, sizeClass))
    if (endIfUnused(m, heap, sizeClass)) ended++;
  return ended;
}

/** Gives the current slab of a class back, if it has no live block. */
function endIfUnused(m: Machine, heap: Base, sizeClass: Word): boolean {
  const state = classState(m, heap, sizeClass);
  const slab = m.load32(state + CLASS_SLAB);
  if (slab === 0) return false;
  if (m.threads) collect(m, slab);
  if (!mayEnd(m, heap, slab)) return false;
  leaveSlab(m, heap, state);
  endSlab(m, heap, slab);
  return true;
}

/** Lets the classes from one on take from no slab, so that malloc serves their requests by chunks. */
export function leaveClasses(m: Machine, heap: Base, from: Word): void {
  for (let sizeClass: Word = 1; sizeClass !== 0; sizeClass = nextClass(m, sizeClass)) {
    if (sizeClass < from) continue;
    const state = classState(m, heap, sizeClass);
    const slab = m.load32(state + CLASS_SLAB);
    if (slab === 0) continue;
    leaveSlab(m, heap, state);
    if (mayEnd(m, heap, slab)) endSlab(m, heap, slab);
    else if (!isFull(m, slab) || (m.threads && !leaveFull(m, heap, slab))) list(m, state, slab);
  }
}
