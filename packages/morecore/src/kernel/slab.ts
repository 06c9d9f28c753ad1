// Slab: one slab's descriptor. Which of its blocks an address is, and which of them are free.
//
// Owns:       the slabs' descriptors, but for their links.
// Needs:      layout.
// Invariants: S3  the bits that stand for no block are clear                                O(slabs)
//             (check.ts: checkSlabs)

import { asPtr, Ptr, Word } from "./address.ts";
import { DOUBLE_FREE, MISALIGNED, NOT_A_BLOCK } from "./codes.ts";
import {
  GRANULE,
  GRANULE_LOG2,
  SHAPE_BLOCKS_SHIFT,
  SHAPE_CLASS,
  SHAPE_CLASS_SHIFT,
  SLAB_BITS,
  SLAB_BITS_END,
  SLAB_FIRST,
  SLAB_INVERSE,
  SLAB_SHAPE,
  TO_REMOTE,
} from "./layout.ts";
import { load32, Machine, multiply, rotate, Words } from "./machine.ts";

/** A word of bits whose 32 blocks are all free. */
export const ALL: Word = 0xffff_ffff;
/** No block has this index. */
export const NO_BLOCK: Word = 0xffff;

/** What SLAB_SHAPE is for an unlisted slab of so many blocks. */
export function shapeOf(m: Machine, sizeClass: Word, blocks: Word): Word {
  const evenLog2 = GRANULE_LOG2 + m.ctz(sizeClass);
  return ((blocks << SHAPE_BLOCKS_SHIFT) | (sizeClass << SHAPE_CLASS_SHIFT) | evenLog2) >>> 0;
}

/** The size class that a word like SLAB_SHAPE names. */
export function classIn(shape: Word): Word {
  return (shape >>> SHAPE_CLASS_SHIFT) & SHAPE_CLASS;
}

/** A slab's size class. */
export function classOf(m: Machine, slab: Word): Word {
  return classIn(m.load32(slab + SLAB_SHAPE));
}

/** How many blocks a slab has. */
export function blockCountOf(m: Machine, slab: Word): Word {
  return m.load32(slab + SLAB_SHAPE) >>> SHAPE_BLOCKS_SHIFT;
}

/** Bytes of each of a slab's blocks. */
export function blockBytesOf(m: Machine, slab: Word): Word {
  return classOf(m, slab) << GRANULE_LOG2;
}

/** The address of a slab's first block. */
export function firstBlock(m: Machine, slab: Word): Ptr {
  return asPtr(m.load32(slab + SLAB_FIRST));
}

/** Bytes of all blocks of a slab. */
export function extentOf(m: Machine, slab: Word): Word {
  return blockCountOf(m, slab) * blockBytesOf(m, slab);
}

/** Whether an address lies in a slab. */
export function isIn(words: Words, slab: Word, address: Word): boolean {
  const shape = load32(words, slab + SLAB_SHAPE);
  const granules = multiply(shape >>> SHAPE_BLOCKS_SHIFT, (shape >>> SHAPE_CLASS_SHIFT) & SHAPE_CLASS);
  return (address - load32(words, slab + SLAB_FIRST)) >>> 0 < granules << GRANULE_LOG2;
}

/** The index in a slab of the block that begins at an address; NO_BLOCK: none does. */
export function indexOf(words: Words, slab: Word, ptr: Ptr): Word {
  const shape = load32(words, slab + SLAB_SHAPE);
  const index = quotient(words, slab, shape, ptr);
  return index < shape >>> SHAPE_BLOCKS_SHIFT ? index : NO_BLOCK;
}

/**
 * An address's distance from a slab's first block, divided by the block size; a number too large for an index
 * if the division leaves a rest. The word is multiplied by the inverse of the divisor's odd part, and rotated
 * by the log2 of its even part. That maps the words one to one, multiples of the divisor to their quotients
 * (Granlund and Montgomery 1994, section 9). So no other word gets below the number of blocks, nor does one
 * that stands for an address before the slab.
 */
export function quotient(words: Words, slab: Word, shape: Word, ptr: Ptr): Word {
  return rotate(multiply(ptr - load32(words, slab + SLAB_FIRST), load32(words, slab + SLAB_INVERSE)), shape);
}

/** The inverse of an odd number below 32, modulo 2^32. Newton's method: each step doubles the bits that are right. */
export function inverseOf(odd: Word): Word {
  let inverse = odd;
  for (let right: Word = 3; right < 32; right += right)
    inverse = multiply(inverse, 2 - multiply(odd, inverse));
  return inverse;
}

/** The index of a live block in its slab. Any other address aborts, with nothing changed. */
export function liveBlock(m: Machine, slab: Word, ptr: Ptr): Word {
  const index = indexOf(m.words, slab, ptr);
  if (index === NO_BLOCK) m.abort((ptr & (GRANULE - 1)) !== 0 ? MISALIGNED : NOT_A_BLOCK, ptr);
  if (isFree(m, slab, index)) m.abort(DOUBLE_FREE, ptr);
  return index;
}

/** Whether a live block begins at an address in a slab. */
export function isLiveBlock(m: Machine, slab: Word, ptr: Ptr): boolean {
  const index = indexOf(m.words, slab, ptr);
  return index === NO_BLOCK ? false : !isFree(m, slab, index);
}

export function isFree(m: Machine, slab: Word, index: Word): boolean {
  const at = slab + SLAB_BITS + ((index >>> 5) << 2);
  // Another thread may have freed it. In this order: its bit goes to the first row before it leaves the second.
  const remote: Word = m.threads ? m.loadShared(at + TO_REMOTE) : 0;
  const free: Word = m.load32(at) | remote;
  return ((free >>> (index & 31)) & 1) !== 0;
}

/** Marks a block of a slab free or live, and does nothing else. */
export function setFree(m: Machine, slab: Word, index: Word, free: boolean): void {
  const at = slab + SLAB_BITS + ((index >>> 5) << 2);
  const bit = 1 << (index & 31);
  m.store32(at, free ? m.load32(at) | bit : (m.load32(at) & ~bit) >>> 0);
}

/** A word of bits as it is when all of a slab's `blocks` blocks are free. */
export function fullWord(blocks: Word, word: Word): Word {
  if (blocks <= word << 5) return 0;
  const left = blocks - (word << 5);
  return left >= 32 ? ALL : ((1 << left) - 1) >>> 0;
}

/** Where the words of a slab's bits end that stand for blocks. */
export function bitsEnd(m: Machine, slab: Word): Word {
  return slab + SLAB_BITS + (((blockCountOf(m, slab) + 31) >>> 5) << 2);
}

/** Whether all blocks of a slab are free. */
export function isUnused(m: Machine, slab: Word): boolean {
  const words = m.words;
  const blocks = blockCountOf(m, slab);
  for (let word: Word = 0; word << 5 < blocks; word++) {
    if (load32(words, slab + SLAB_BITS + (word << 2)) !== fullWord(blocks, word)) return false;
  }
  return true;
}

/** Whether no block of a slab is free. */
export function isFull(m: Machine, slab: Word): boolean {
  for (let at = slab + SLAB_BITS; at < slab + SLAB_BITS_END; at += 4) if (m.load32(at) !== 0) return false;
  return true;
}
