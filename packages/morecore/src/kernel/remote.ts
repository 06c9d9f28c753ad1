// Remote: blocks that are freed by a thread that is not their heap's, and how its owner comes to know of it.
//
// Owns:       the second row of a slab's bits, the flags FULL and TOLD, a heap's mail, the payloads of chunks in it.
// Needs:      units, slab, live, release.
// Invariants: R1  a bit of the second row is set only for a block whose bit in the first row is not      O(slabs)
//             R2  a slab that is neither current nor listed is FULL, or TOLD                              O(slabs)
//             R3  a slab is in its owner's mail <=> it is TOLD                                            O(slabs)
//             R4  what is in a heap's mail of chunks is a live chunk of the heap's, with both marks       O(mail)
//             (check-common.ts; the steps of all threads in any order: test/threads/orders.test.ts)
//
// States of a block (free, remote): (0,0) live -> (0,1) freed by another -> (1,1) being taken back -> (1,0) free.
//
// Only the owner writes the first row, lists and chunks, and it does so without a lock or an exchange. Another thread sets one bit, and
// does nothing else if the owner will come by: if the slab is current or listed. From a full slab the owner has gone away. It
// says so in the map (FULL), and then looks once more; who frees there sets the bit, and then looks at the map. So one of the two sees
// the other. The first to free there turns FULL into TOLD and puts the slab into the owner's mail.
//
// Why the flag lies in the map: when the bit is set, the block is free, and the owner may end the slab and use its descriptor for
// something else. The map stays, and an exchange that finds descriptor and FULL there has found a slab that lives; TOLD keeps it alive.

import { asPtr, Base, chunkOf, NO_PTR, Ptr, Word } from "./address.ts";
import { CORRUPTED, DOUBLE_FREE } from "./codes.ts";
import {
  CLOSED,
  IN_USE,
  MAIL_CHUNKS,
  MAIL_MARK,
  MAIL_MARK_2,
  MAIL_NEXT,
  MAIL_SLABS,
  SLAB_BITS,
  SLAB_FULL,
  SLAB_MAIL,
  SLAB_OWNER,
  SLAB_REMOTE,
  SLAB_TOLD,
  TO_REMOTE,
} from "./layout.ts";
import { isLive, isMark, isMarked, MARK_2, markFor } from "./live.ts";
import { Machine } from "./machine.ts";
import { release } from "./release.ts";
import { bitsEnd, firstBlock, liveBlock } from "./slab.ts";
import { ownerAt, unitEntry } from "./units.ts";

/** Frees a block of a slab that is not this thread's. What is no live block aborts, with nothing changed. O(1). */
export function freeOthersBlock(m: Machine, heap: Base, slab: Word, ptr: Ptr): void {
  const index = liveBlock(m, slab, ptr);
  const entry = unitEntry(m.words, heap, firstBlock(m, slab));
  const bit: Word = (1 << (index & 31)) >>> 0;
  const before = m.orShared(slab + SLAB_REMOTE + ((index >>> 5) << 2), bit);
  // Two threads at once.
  if ((before & bit) !== 0) m.abort(DOUBLE_FREE, ptr);
  // From here on the slab may be gone.
  if (m.loadShared(entry) === (slab | SLAB_FULL)) tell(m, entry, slab);
}

/** Puts a full slab into its owner's mail, unless somebody else does. */
function tell(m: Machine, entry: Word, slab: Word): void {
  const full = slab | SLAB_FULL;
  const told = slab | SLAB_TOLD;
  while (m.compareExchange(entry, full, told) === full) {
    const owner = m.loadShared(slab + SLAB_OWNER);
    if (post(m, owner - MAIL_SLABS, slab, slab + SLAB_MAIL)) return;
    // The heap is being taken over: its slabs will be looked through, unless that has been done with this one.
    m.compareExchange(entry, told, full);
    if (m.loadShared(slab + SLAB_OWNER) === owner) return;
  }
}

/** Puts something first in a list that others put things into, and its owner takes whole. False: the list is closed. */
function post(m: Machine, list: Word, what: Word, link: Word): boolean {
  let first = m.loadShared(list);
  while (first !== CLOSED) {
    m.store32(link, first);
    const found = m.compareExchange(list, first, what);
    if (found === first) return true;
    first = found;
  }
  return false;
}

/** Frees a live chunk of another thread, which is not marked yet. O(1). */
export function freeOthersChunk(m: Machine, heap: Base, known: Base, ptr: Ptr): void {
  let owner = known;
  m.store32(ptr + MAIL_MARK_2, (ptr ^ MARK_2) >>> 0);
  const before = m.exchange(ptr + MAIL_MARK, markFor(owner, ptr));
  // Two threads at once: the second to come finds the first one's mark.
  if (isMark(ptr, before)) {
    m.storeShared(ptr + MAIL_MARK, before);
    m.abort(DOUBLE_FREE, ptr);
  }
  while (!post(m, owner - MAIL_CHUNKS, ptr, ptr + MAIL_NEXT)) {
    // The heap is being taken over: its chunks will be looked through …
    const now = ownerAt(m.words, heap, ptr);
    if (now === owner) return;
    // … or have been. Then this one was found, and has lost its mark; or it was passed, and is posted to the new header.
    const mark = markFor(owner, ptr);
    if (m.compareExchange(ptr + MAIL_MARK, mark, markFor(now, ptr)) !== mark) return;
    owner = now;
  }
}

/**
 * Takes back, for who takes a heap over, a chunk that was freed for a header's mail, which is closed. False: it is none; it may be one for
 * the other header's, which will have it.
 */
export function takeMarked(m: Machine, gone: Base, ptr: Ptr): boolean {
  const mark = markFor(gone, ptr);
  if (m.load32(ptr + MAIL_MARK_2) !== (ptr ^ MARK_2) >>> 0) return false;
  return m.compareExchange(ptr + MAIL_MARK, mark, 0) === mark;
}

/** Whether others have told the owner of something that they have freed. */
export function hasMail(m: Machine, heap: Base): boolean {
  return (m.load32(heap - MAIL_SLABS) | m.load32(heap - MAIL_CHUNKS)) !== 0;
}

/** Takes back the chunks that others have freed. */
export function readChunkMail(m: Machine, heap: Base): void {
  let ptr = asPtr(m.exchange(heap - MAIL_CHUNKS, 0));
  while (ptr !== NO_PTR) {
    if (ownerAt(m.words, heap, ptr) !== heap) m.abort(CORRUPTED, ptr);
    const next = asPtr(m.load32(ptr + MAIL_NEXT));
    const chunk = chunkOf(ptr);
    if (!isLive(m, heap, chunk) || !isMarked(m, ptr)) m.abort(CORRUPTED, ptr);
    // In this order: who frees it a second time sees that it is marked, or that it is not live.
    m.store32(chunk, (m.load32(chunk) & ~IN_USE) >>> 0);
    m.storeShared(ptr + MAIL_MARK, 0);
    release(m, heap, chunk);
    ptr = next;
  }
}

/** Takes back what others have freed in a slab. False: nothing. */
export function collect(m: Machine, slab: Word): boolean {
  let any = false;
  const end = bitsEnd(m, slab);
  for (let at = slab + SLAB_BITS; at < end; at += 4) {
    const freed = m.loadShared(at + TO_REMOTE);
    if (freed === 0) continue;
    // In this order: who frees one of them a second time sees one bit or the other.
    m.store32(at, (m.load32(at) | freed) >>> 0);
    m.andShared(at + TO_REMOTE, ~freed >>> 0);
    any = true;
  }
  return any;
}

/**
 * The owner goes away from a slab that has no free block: from now on, who frees there tells. False: somebody has freed meanwhile, so it is
 * to be listed.
 */
export function leaveFull(m: Machine, heap: Base, slab: Word): boolean {
  const entry = unitEntry(m.words, heap, firstBlock(m, slab));
  // In the mail still, since it was full before: it will be looked at when that is read.
  if (m.compareExchange(entry, slab, slab | SLAB_FULL) !== slab) return true;
  if (!collect(m, slab)) return true;
  return m.compareExchange(entry, slab | SLAB_FULL, slab) !== (slab | SLAB_FULL);
}

/** The owner will come to a slab that was full: nobody needs to tell. If somebody has, it stays in the mail. */
export function leaveOpen(m: Machine, heap: Base, slab: Word): void {
  m.compareExchange(unitEntry(m.words, heap, firstBlock(m, slab)), slab | SLAB_FULL, slab);
}

/** A slab has been taken out of the mail, and the owner will come to it. */
export function openAgain(m: Machine, heap: Base, slab: Word): void {
  m.storeShared(unitEntry(m.words, heap, firstBlock(m, slab)), slab);
}

/** Whether a slab stands in the mail, so that it cannot end. */
export function isTold(m: Machine, heap: Base, slab: Word): boolean {
  return m.loadShared(unitEntry(m.words, heap, firstBlock(m, slab))) === (slab | SLAB_TOLD);
}
