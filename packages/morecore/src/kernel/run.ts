// Run: one run's descriptor. Which of its blocks an address is, and which of them are free.
//
// Owns:       the runs' descriptors, but for their links.
// Needs:      layout.
// Invariants: R3  the bits that stand for no block are clear                                O(runs)
//             (check.ts: checkRuns)

import { asPtr, Ptr, Word } from "./address.ts";
import { DOUBLE_FREE, MISALIGNED, NOT_A_BLOCK } from "./codes.ts";
import {
  GRANULE,
  GRANULE_LOG2,
  RUN_BITS,
  RUN_BITS_END,
  RUN_FIRST,
  RUN_INVERSE,
  RUN_SHAPE,
  SHAPE_CLASS,
  SHAPE_CLASS_SHIFT,
  SHAPE_SLOTS_SHIFT,
} from "./layout.ts";
import { load32, Machine, multiply, rotate, Words } from "./machine.ts";

/** A word of bits whose 32 blocks are all free. */
export const ALL: Word = 0xffff_ffff;
/** No block has this index. */
export const NO_BLOCK: Word = 0xffff;

/** What RUN_SHAPE is for an unlisted run of so many blocks. */
export function shapeOf(m: Machine, sizeClass: Word, slots: Word): Word {
  const evenLog2 = GRANULE_LOG2 + m.ctz(sizeClass);
  return ((slots << SHAPE_SLOTS_SHIFT) | (sizeClass << SHAPE_CLASS_SHIFT) | evenLog2) >>> 0;
}

/** The size class that a word like RUN_SHAPE names. */
export function classIn(shape: Word): Word {
  return (shape >>> SHAPE_CLASS_SHIFT) & SHAPE_CLASS;
}

/** A run's size class. */
export function classOf(m: Machine, run: Word): Word {
  return classIn(m.load32(run + RUN_SHAPE));
}

/** How many blocks a run has. */
export function slotsOf(m: Machine, run: Word): Word {
  return m.load32(run + RUN_SHAPE) >>> SHAPE_SLOTS_SHIFT;
}

/** Bytes of each of a run's blocks. */
export function blockBytesOf(m: Machine, run: Word): Word {
  return classOf(m, run) << GRANULE_LOG2;
}

/** The address of a run's first block. */
export function firstBlock(m: Machine, run: Word): Ptr {
  return asPtr(m.load32(run + RUN_FIRST));
}

/** Bytes of all blocks of a run. */
export function extentOf(m: Machine, run: Word): Word {
  return slotsOf(m, run) * blockBytesOf(m, run);
}

/** Whether an address lies in a run. */
export function isIn(words: Words, run: Word, address: Word): boolean {
  const shape = load32(words, run + RUN_SHAPE);
  const granules = multiply(shape >>> SHAPE_SLOTS_SHIFT, (shape >>> SHAPE_CLASS_SHIFT) & SHAPE_CLASS);
  return (address - load32(words, run + RUN_FIRST)) >>> 0 < granules << GRANULE_LOG2;
}

/** The index in a run of the block that begins at an address; NO_BLOCK: none does. */
export function indexOf(words: Words, run: Word, ptr: Ptr): Word {
  const shape = load32(words, run + RUN_SHAPE);
  const index = quotient(words, run, shape, ptr);
  return index < shape >>> SHAPE_SLOTS_SHIFT ? index : NO_BLOCK;
}

/**
 * An address's distance from a run's first block, divided by the block size; a number too large for an index if the
 * division leaves a rest. To multiply by the inverse of a divisor's odd part and rotate by its even part's log2 maps the
 * words one to one, multiples of the divisor to their quotients (Granlund and Montgomery 1994, section 9): so no other
 * word gets below the number of blocks, nor does one that stands for an address before the run.
 */
export function quotient(words: Words, run: Word, shape: Word, ptr: Ptr): Word {
  return rotate(multiply(ptr - load32(words, run + RUN_FIRST), load32(words, run + RUN_INVERSE)), shape);
}

/** The inverse of an odd number below 32, modulo 2^32. Newton's method: each step doubles the bits that are right. */
export function inverseOf(odd: Word): Word {
  let inverse = odd;
  for (let right: Word = 3; right < 32; right += right)
    inverse = multiply(inverse, 2 - multiply(odd, inverse));
  return inverse;
}

/** The index of a live block in its run. Any other address aborts, with nothing changed. */
export function liveBlock(m: Machine, run: Word, ptr: Ptr): Word {
  const index = indexOf(m.words, run, ptr);
  if (index === NO_BLOCK) m.abort((ptr & (GRANULE - 1)) !== 0 ? MISALIGNED : NOT_A_BLOCK, ptr);
  if (isFree(m, run, index)) m.abort(DOUBLE_FREE, ptr);
  return index;
}

/** Whether a live block begins at an address in a run. */
export function isLiveBlock(m: Machine, run: Word, ptr: Ptr): boolean {
  const index = indexOf(m.words, run, ptr);
  return index === NO_BLOCK ? false : !isFree(m, run, index);
}

export function isFree(m: Machine, run: Word, index: Word): boolean {
  return ((m.load32(run + RUN_BITS + ((index >>> 5) << 2)) >>> (index & 31)) & 1) !== 0;
}

/** Marks a block of a run free or live, and does nothing else. */
export function setFree(m: Machine, run: Word, index: Word, free: boolean): void {
  const at = run + RUN_BITS + ((index >>> 5) << 2);
  const bit = 1 << (index & 31);
  m.store32(at, free ? m.load32(at) | bit : (m.load32(at) & ~bit) >>> 0);
}

/** A word of bits as it is when all of a run's `slots` blocks are free. */
export function fullWord(slots: Word, word: Word): Word {
  if (slots <= word << 5) return 0;
  const left = slots - (word << 5);
  return left >= 32 ? ALL : ((1 << left) - 1) >>> 0;
}

/** Whether all blocks of a run are free. */
export function isUnused(m: Machine, run: Word): boolean {
  const words = m.words;
  const slots = slotsOf(m, run);
  for (let word: Word = 0; word << 5 < slots; word++) {
    if (load32(words, run + RUN_BITS + (word << 2)) !== fullWord(slots, word)) return false;
  }
  return true;
}

/** Whether no block of a run is free. */
export function isFull(m: Machine, run: Word): boolean {
  for (let at = run + RUN_BITS; at < run + RUN_BITS_END; at += 4) if (m.load32(at) !== 0) return false;
  return true;
}
