// Slab lists: the slab that a class takes from, and the others that have room.
//
// Owns:       the size classes' states, the slabs' links.
// Needs:      classes, slab.
// Invariants: S1  a class takes from a word of its current slab, or from AT_NO_BITS          O(classes)
//             (check.ts: checkSlabs)

import { Base, Word } from "./address.ts";
import { classState, nextClass, noteFor } from "./classes.ts";
import { CORRUPTED } from "./codes.ts";
import {
  AT_MAYBE_UNUSED,
  AT_NO_BITS,
  CLASS_BITS,
  CLASS_FIRST,
  CLASS_HEAD,
  CLASS_SLAB,
  CLASS_TAIL,
  SLAB_BITS,
  SLAB_BITS_END,
  SLAB_LISTED,
  SLAB_NEXT,
  SLAB_PREVIOUS,
  SLAB_SHAPE,
} from "./layout.ts";
import { load32, Machine, store32 } from "./machine.ts";
import { blockBytesOf, classIn, firstBlock } from "./slab.ts";

/** Lets a class take from the first word of a slab that has a free block. False: the slab is full. */
export function useWord(m: Machine, state: Word, slab: Word): boolean {
  const words = m.words;
  for (let at = slab + SLAB_BITS; at < slab + SLAB_BITS_END; at += 4) {
    if (load32(words, at) === 0) continue;
    store32(words, state + CLASS_BITS, at);
    const before = (at - slab - SLAB_BITS) << 3;
    store32(words, state + CLASS_FIRST, firstBlock(m, slab) + before * blockBytesOf(m, slab));
    return true;
  }
  return false;
}

/** Puts a slab with room at the end of its class's list: it gathers more room before it is taken from. */
export function list(m: Machine, state: Word, slab: Word): void {
  const words = m.words;
  const last = load32(words, state + CLASS_TAIL);
  store32(words, slab + SLAB_SHAPE, load32(words, slab + SLAB_SHAPE) | SLAB_LISTED);
  store32(words, slab + SLAB_NEXT, 0);
  store32(words, slab + SLAB_PREVIOUS, last);
  store32(words, last === 0 ? state + CLASS_HEAD : last + SLAB_NEXT, slab);
  store32(words, state + CLASS_TAIL, slab);
}

/** Takes a slab out of its class's list. Aborts, with nothing changed, if its neighbours there do not point back at it. */
export function unlist(m: Machine, state: Word, slab: Word): void {
  const words = m.words;
  const next = load32(words, slab + SLAB_NEXT);
  const previous = load32(words, slab + SLAB_PREVIOUS);
  if (load32(words, previous === 0 ? state + CLASS_HEAD : previous + SLAB_NEXT) !== slab)
    m.abort(CORRUPTED, slab);
  if (load32(words, next === 0 ? state + CLASS_TAIL : next + SLAB_PREVIOUS) !== slab)
    m.abort(CORRUPTED, slab);
  store32(words, previous === 0 ? state + CLASS_HEAD : previous + SLAB_NEXT, next);
  store32(words, next === 0 ? state + CLASS_TAIL : next + SLAB_PREVIOUS, previous);
  store32(words, slab + SLAB_SHAPE, load32(words, slab + SLAB_SHAPE) - SLAB_LISTED);
}

export function isListed(m: Machine, slab: Word): boolean {
  return (m.load32(slab + SLAB_SHAPE) & SLAB_LISTED) !== 0;
}

/** Whether malloc takes from a slab. */
export function isCurrent(m: Machine, heap: Base, slab: Word, shape: Word): boolean {
  return load32(m.words, classState(m, heap, classIn(shape)) + CLASS_SLAB) === slab;
}

export function markMaybeUnused(m: Machine, heap: Base, sizeClass: Word): void {
  const words = m.words;
  store32(words, heap + AT_MAYBE_UNUSED, load32(words, heap + AT_MAYBE_UNUSED) | noteFor(m, sizeClass));
}

/** Lets a class have no current slab. */
export function leaveSlab(m: Machine, heap: Base, state: Word): void {
  m.store32(state + CLASS_SLAB, 0);
  m.store32(state + CLASS_BITS, heap + AT_NO_BITS);
}

/** Writes the states of the classes of a new heap. */
export function formatClasses(m: Machine, heap: Base): void {
  for (let sizeClass: Word = 1; sizeClass !== 0; sizeClass = nextClass(m, sizeClass))
    leaveSlab(m, heap, classState(m, heap, sizeClass));
}
