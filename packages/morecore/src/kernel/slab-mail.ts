// Slab mail: the owner of a heap takes back what other threads have freed in it.
//
// Needs:      slab-life, remote.
//
// It does so when its own blocks are used up: in the current slab first, then in those that it has been told of. Where memory would have to
// grow, it looks through all that it would come by later.

import { Base, Word } from "./address.ts";
import { classState, nextClass } from "./classes.ts";
import { CORRUPTED, TAKEN_BACK } from "./codes.ts";
import {
  BEAT,
  CALLED,
  CLASS_HEAD,
  CLASS_SLAB,
  CLOSED,
  MAIL_SLABS,
  SLAB_MAIL,
  SLAB_NEXT,
  SLAB_OWNER,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { collect, hasMail, leaveFull, openAgain, readChunkMail } from "./remote.ts";
import { classOf, isFull, isUnused } from "./slab.ts";
import { endSlab, mayEnd } from "./slab-life.ts";
import { isListed, leaveSlab, list, markMaybeUnused, unlist, useWord } from "./slab-lists.ts";

/**
 * When the current slab of a class has no free block left: looks what others have freed, in it first. False: nothing there, and the class
 * has no current slab any more.
 */
// @rare
export function takeBack(m: Machine, heap: Base, state: Word, slab: Word): boolean {
  if (slab !== 0) {
    if (collect(m, slab)) return useWord(m, state, slab);
    leaveSlab(m, heap, state);
    if (!leaveFull(m, heap, slab)) list(m, state, slab);
  }
  if (hasMail(m, heap)) readMail(m, heap);
  return false;
}

/** Takes back what others have freed and have told of, but for what lies in slabs that malloc will come to anyway. */
// @rare
export function readMail(m: Machine, heap: Base): void {
  if (m.loadShared(heap - MAIL_SLABS) === CLOSED) refuseGone(m, heap);
  let slab = m.exchange(heap - MAIL_SLABS, 0);
  while (slab !== 0) {
    const next = m.load32(slab + SLAB_MAIL);
    if (m.load32(slab + SLAB_OWNER) !== heap) m.abort(CORRUPTED, slab);
    openAgain(m, heap, slab);
    collect(m, slab);
    settleSlab(m, heap, slab);
    slab = next;
  }
  readChunkMail(m, heap);
}

/** Ends a call of a thread whose heap others have taken over, and lets it be known that there was one. */
function refuseGone(m: Machine, heap: Base): void {
  m.store32(heap - BEAT, CALLED);
  m.abort(TAKEN_BACK, heap);
}

/** Puts a slab where it belongs that has got room, or has become unused. */
function settleSlab(m: Machine, heap: Base, slab: Word): void {
  const sizeClass = classOf(m, slab);
  const state = classState(m, heap, sizeClass);
  if (m.load32(state + CLASS_SLAB) === slab) markMaybeUnused(m, heap, sizeClass);
  else if (isUnused(m, slab)) {
    if (isListed(m, slab)) unlist(m, state, slab);
    endSlab(m, heap, slab);
  } else if (!isListed(m, slab)) {
    // It may have been used up again since somebody told of it.
    if (!isFull(m, slab) || !leaveFull(m, heap, slab)) list(m, state, slab);
  }
}

/** Looks through all slabs that have room for what others have freed, and gives back those that are unused. O(slabs). */
// @rare
export function collectListed(m: Machine, heap: Base): void {
  for (let sizeClass: Word = 1; sizeClass !== 0; sizeClass = nextClass(m, sizeClass)) {
    const state = classState(m, heap, sizeClass);
    let slab = m.load32(state + CLASS_HEAD);
    while (slab !== 0) {
      const next = m.load32(slab + SLAB_NEXT);
      if (collect(m, slab) && mayEnd(m, heap, slab)) {
        unlist(m, state, slab);
        endSlab(m, heap, slab);
      }
      slab = next;
    }
    const current = m.load32(state + CLASS_SLAB);
    if (current !== 0 && collect(m, current)) markMaybeUnused(m, heap, sizeClass);
  }
}
