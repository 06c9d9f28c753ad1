// Slabs: small blocks side by side, of one size class, without a header each. How a block is taken, and how it is freed.
//
// Needs:      slab-lists, slab-life, slab-mail. May grow memory.
// Invariants: S2  a slab is current, listed, or full; a listed slab has a free and a live block   O(slabs)
//             (check.ts: checkSlabs)
//
// A free block is a bit in a descriptor that lies elsewhere. It needs no link in the block, so neither malloc
// nor free touches the block's memory. A write after free harms nothing of the heap's. Within a slab, blocks
// are handed out in the order of their addresses. Lists of freed blocks over the whole heap, which this
// replaces, came back in random order when they grew long.

import { asPtr, Base, NO_PTR, Ptr, Word } from "./address.ts";
import { classState } from "./classes.ts";
import {
  CLASS_BITS,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_SLAB,
  GRANULE_LOG2,
  SHAPE_BLOCKS_SHIFT,
  SLAB_BITS,
  SLAB_LAST,
  SLAB_LISTED,
  SLAB_SHAPE,
  TO_REMOTE,
} from "./layout.ts";
import { load32, Machine, multiply, store32 } from "./machine.ts";
import { collect, leaveOpen } from "./remote.ts";
import { ALL, classIn, classOf, liveBlock, quotient, setFree } from "./slab.ts";
import { beginSlab, endSlab, mayEnd } from "./slab-life.ts";
import { isCurrent, isListed, list, markMaybeUnused, unlist, useWord } from "./slab-lists.ts";
import { takeBack } from "./slab-mail.ts";

/** Takes a block from the word that its class, whose state this is, takes from. NO_PTR: that is empty, takeBlock will do. O(1). */
export function popBlock(m: Machine, state: Word, sizeClass: Word): Ptr {
  const words = m.words;
  const at = load32(words, state + CLASS_BITS);
  const free = load32(words, at);
  if (free === 0) return NO_PTR;
  store32(words, at, free & (free - 1));
  const distance = multiply(m.ctz(free), sizeClass << GRANULE_LOG2);
  return asPtr((load32(words, state + CLASS_FIRST) + distance) >>> 0);
}

/**
 * Frees the live block at an address in a slab, if there is nothing else to do. False: no live block begins there, or the
 * slab is now to be listed or given back; nothing has changed. O(1).
 */
export function pushBlock(m: Machine, heap: Base, slab: Word, ptr: Ptr): boolean {
  const words = m.words;
  const shape = load32(words, slab + SLAB_SHAPE);
  const index = quotient(words, slab, shape, ptr);
  if (index >= shape >>> SHAPE_BLOCKS_SHIFT) return false;
  const at = slab + SLAB_BITS + ((index >>> 5) << 2);
  const free = load32(words, at);
  const bit = 1 << (index & 31);
  const now = (free | bit) >>> 0;
  if (m.threads) {
    if (((free | load32(words, at + TO_REMOTE)) & bit) !== 0) return false;
  } else if (now === free) return false;
  const filled: boolean = now === ALL || now === load32(words, slab + SLAB_LAST);
  // A word that was empty may be a full slab's, one that is full now an unused slab's; but the current slab stays as it is.
  if (free === 0) {
    const listed: boolean = (shape & SLAB_LISTED) !== 0;
    if (listed ? filled : !isCurrent(m, heap, slab, shape)) return false;
  } else if (filled) {
    if ((shape & SLAB_LISTED) !== 0) return false;
  }
  store32(words, at, now);
  if (filled) markMaybeUnused(m, heap, classIn(shape));
  return true;
}

/** Takes a block from the current slab, from another one with room, or from a new one. NO_PTR: no memory. */
// @hot
export function takeBlock(m: Machine, heap: Base, sizeClass: Word): Ptr {
  const state = classState(m, heap, sizeClass);
  let slab = m.load32(state + CLASS_SLAB);
  if (slab === 0 || !useWord(m, state, slab)) {
    if (m.threads && takeBack(m, heap, state, slab)) return popBlock(m, state, sizeClass);
    slab = m.load32(state + CLASS_HEAD);
    if (slab === 0) slab = beginSlab(m, heap, sizeClass);
    else unlist(m, state, slab);
    if (slab === 0) return NO_PTR;
    m.store32(state + CLASS_SLAB, slab);
    // What others have freed while it was listed.
    if (m.threads) collect(m, slab);
    useWord(m, state, slab);
  }
  return popBlock(m, state, sizeClass);
}

/** Frees a block of a slab, by the slow way. What is no live block aborts, with nothing changed. */
// @hot
export function freeBlock(m: Machine, heap: Base, slab: Word, ptr: Ptr): void {
  setFree(m, slab, liveBlock(m, slab, ptr), true);
  const sizeClass = classOf(m, slab);
  const state = classState(m, heap, sizeClass);
  if (m.load32(state + CLASS_SLAB) === slab) markMaybeUnused(m, heap, sizeClass);
  else if (!isListed(m, slab)) {
    // Others need not tell of it any more.
    if (m.threads) leaveOpen(m, heap, slab);
    list(m, state, slab);
  } else if (mayEnd(m, heap, slab)) {
    unlist(m, state, slab);
    endSlab(m, heap, slab);
  }
}
