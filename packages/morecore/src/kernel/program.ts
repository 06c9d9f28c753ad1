// Program: the heap of a program in WebAssembly, begun by the kernel alone, without JavaScript.
//
// Owns:  the options that such a heap has.
// Needs: image, options.
//
// heap/options.ts has the options of heaps that are made from JavaScript. Two differ here. `memory.grow` costs no view
// anew in wasm, so nothing is asked for in advance; and the memory cannot shrink, so top is never trimmed.

import { asBase, Base, Word } from "./address.ts";
import { firstUnit, formatCommon, openCommon, takePlace } from "./common.ts";
import { formatHeap } from "./image.ts";
import {
  AT_ADVANCE_LOG2,
  AT_MAGIC,
  AT_SMALL_LIMIT,
  COMMON_BYTES,
  FAR_MAX,
  GRANULE,
  MEMORY_UNIT,
  MIN_REGION,
  NO_ADVANCE,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { setAdvanceLog2, setSmallLimit } from "./options.ts";

const GROWTH_STEP: Word = 4096;
/** In place of the magic number while a shared heap is being begun. */
const BEGINNING: Word = 1;

/** Where a heap can begin, if memory is zero from `from` to its end; 0 asks for memory. The address; 0: no memory. */
export function placeFor(m: Machine, from: Word): Base {
  if (from === 0) return asBase(m.grow(MEMORY_UNIT));
  const base: Word = (from + (GRANULE - 1)) & ~(GRANULE - 1);
  const size = m.size();
  // Of a memory that ends too soon, what is got must follow it.
  if (size < base + MIN_REGION && m.grow(MEMORY_UNIT) !== size) return asBase(0);
  return asBase(base);
}

/** Begins an empty heap at an address that placeFor gave. `from` is what that was given. */
export function beginHeap(m: Machine, heap: Base, from: Word): void {
  const limit: Word = from === 0 ? heap + MEMORY_UNIT : m.size();
  formatHeap(m, heap, limit, heap, 0, GROWTH_STEP);
  setAdvanceLog2(m, heap, NO_ADVANCE);
  setSmallLimit(m, heap, FAR_MAX);
}

/**
 * A place for this thread's heap in the one that threads share at an address, which is begun if nobody has; settleIn comes next. Memory
 * is zero from there to its end, and may grow up to `most`. 0: no memory.
 */
export function placeToShare(m: Machine, start: Word, most: Word): Base {
  const common = asBase(((start + (GRANULE - 1)) & ~(GRANULE - 1)) >>> 0);
  if (!reachTo(m, common + COMMON_BYTES)) return asBase(0);
  if (m.compareExchange(common + AT_MAGIC, 0, BEGINNING) === 0 && !beginShared(m, common, most)) {
    m.storeShared(common + AT_MAGIC, 0);
    return asBase(0);
  }
  // A program starts its threads when it has been started itself: mostly nobody waits here.
  while (m.loadShared(common + AT_MAGIC) === BEGINNING);
  return takePlace(m, common);
}

/** Sees to it that memory has an address, whoever makes it grow. */
function reachTo(m: Machine, end: Word): boolean {
  const size = m.size();
  if (size < end) m.grow(((end - size + (MEMORY_UNIT - 1)) & ~(MEMORY_UNIT - 1)) >>> 0);
  return m.size() >= end;
}

/** Begins a heap for threads where nobody else looks; memory is zero from there to its end, and may grow up to `most`. False: no memory. */
export function beginShared(m: Machine, common: Base, most: Word): boolean {
  if (!reachTo(m, firstUnit(common, most) + MEMORY_UNIT)) return false;
  formatCommon(m, common, m.size(), most, common, 0, GROWTH_STEP);
  m.store32(common + AT_ADVANCE_LOG2, NO_ADVANCE);
  m.store32(common + AT_SMALL_LIMIT, FAR_MAX);
  openCommon(m, common);
  return true;
}
