// Repair, first part: the chunks as their headers tell them. For JavaScript only.
//
// Needs: layout, and the order in which headers are written (chunk.ts: C5).
//
// A call that was cut short leaves headers that lead from the first chunk to top: nothing is guessed. A header that is none,
// or that both its neighbours contradict, was overwritten by somebody else. Then the chain goes on at the first place from
// which sound headers lead to top, and what lies between is lost.

import { sizeIn } from "./chunk.ts";
import { FOOTER, GRANULE, IN_USE, OWN, PREVIOUS_IN_USE, RESERVED_FLAG } from "./layout.ts";
import type { Machine } from "./machine.ts";

/** A chunk, as far as it is believed. */
export interface Link {
  readonly at: number;
  readonly bytes: number;
  inUse: boolean;
  own: boolean;
  /** What lies at its end is no header: its size may be wrong. */
  readonly doubtful: boolean;
  /** It had no header: it is what lies up to the next one. */
  readonly lost: boolean;
}

export interface Chain {
  readonly links: Link[];
  readonly top: number;
}

/**
 * All chunks from the first to top, which is said to be at `stored`. That is the first header that says that it is top's, and ends where the heap does. Where a
 * call was cut short there may be none: then it is the first address at or above the stored top from which the headers do
 * not lead on to the heap's end. So a block that was just being cut from top is part of it again, one that was just growing
 * into it ends before it; and a stored top that somebody has overwritten hides no block.
 */
export function readChain(m: Machine, first: number, stored: number, fence: number): Chain {
  const isTop = stored >= first && stored <= fence && (stored - first) % GRANULE === 0;
  const top = isTop ? stored : fence;
  const ends: Ends = { top, fence, links: new Map([top, fence].map((last) => [last, new Map()])) };
  const links: Link[] = [];
  let at = first;
  let goesOn = false;
  while (at < fence && !isTopHeader(m, at, fence)) {
    const head = m.load32(at);
    const previousInUse = links.at(-1)?.inUse ?? true;
    if (at >= ends.top && !goesOn) {
      goesOn = ((head & PREVIOUS_IN_USE) !== 0) === previousInUse && linksTo(m, at, ends, fence) > 0;
      if (!goesOn) break;
    }
    const bytes = bytesOf(head, fence - at);
    const inUse = (head & IN_USE) !== 0;
    const doubtful = bytes === 0 || !isHeader(m, at + bytes, ends);
    const isLink = !doubtful || (inUse && !hidesChain(m, at, bytes, ends));
    if (bytes !== 0 && isLink && !isContradicted(m, at, bytes, ends, previousInUse)) {
      links.push({ at, bytes, inUse, own: (head & OWN) !== 0, doubtful, lost: false });
      at += bytes;
      continue;
    }
    const next = resume(m, at, ends);
    links.push({ at, bytes: next - at, inUse: true, own: false, doubtful: false, lost: true });
    at = next;
  }
  return { links, top: at };
}

/** Whether a sound chain to top begins inside what a header claims, though none begins where that ends: its size is wrong. */
function hidesChain(m: Machine, at: number, bytes: number, ends: Ends): boolean {
  return at + bytes < ends.top && resume(m, at, ends) < at + bytes;
}

/** Where a chain can end. */
interface Ends {
  /** The stored top, if it can be one. */
  readonly top: number;
  readonly fence: number;
  /** For each of the two: what linksTo has found. */
  readonly links: ReadonlyMap<number, Map<number, number>>;
}

/** Whether the header at an address is that of top: what is from there to the heap's end, not in use. */
function isTopHeader(m: Machine, at: number, fence: number): boolean {
  return m.load32(at) === ((fence - at) | PREVIOUS_IN_USE) >>> 0;
}

/** The size that a header states; 0: it is none. */
function bytesOf(head: number, room: number): number {
  const bytes = sizeIn(head);
  return (head & RESERVED_FLAG) === 0 && bytes <= room ? bytes : 0;
}

/** Whether a header disagrees with the chunk before it and with what lies at its end: a call that stops makes but one such. */
function isContradicted(m: Machine, at: number, bytes: number, ends: Ends, previousInUse: boolean): boolean {
  const head = m.load32(at);
  if (((head & PREVIOUS_IN_USE) !== 0) === previousInUse) return false;
  const inUse = (head & IN_USE) !== 0;
  if (at < ends.top && at + bytes > ends.top) return true;
  if (((m.load32(at + bytes) & PREVIOUS_IN_USE) !== 0) !== inUse) return true;
  return !inUse && m.load32(at + bytes - FOOTER) !== bytes;
}

/** Whether a header lies at an address, as far as it and the next one can tell; or top, or the heap's end. */
function isHeader(m: Machine, at: number, { top, fence }: Ends): boolean {
  const ends = (place: number): boolean => place === top || place === fence || isTopHeader(m, place, fence);
  if (ends(at)) return true;
  const bytes = bytesOf(m.load32(at), fence - at);
  if (bytes === 0) return false;
  // What was just growing into top has nothing behind it yet.
  const grows = at < top && at + bytes > top;
  return grows || ends(at + bytes) || bytesOf(m.load32(at + bytes), fence - at - bytes) !== 0;
}

/**
 * The address above one without a header from which a sound chain leads to top. What a block holds may look like a chain, too, that
 * joins the other further up: of all that do, the one with the most chunks.
 */
function resume(m: Machine, at: number, ends: Ends): number {
  const last = at < ends.top ? ends.top : ends.fence;
  let best = at + GRANULE;
  while (best < last && linksTo(m, best, ends, last) === 0) best += GRANULE;
  if (best >= last || isTopHeader(m, best, ends.fence)) return Math.min(best, last);
  let most = linksTo(m, best, ends, last);
  const end = best + sizeIn(m.load32(best));
  for (let next = best + GRANULE; next < end; next += GRANULE) {
    const links = linksTo(m, next, ends, last);
    if (links <= most) continue;
    most = links;
    best = next;
  }
  return best;
}

/** One more than the chunks of the sound chain from an address up to top, or to `last`; 0: there is none. Each chunk is looked at once. */
function linksTo(m: Machine, start: number, ends: Ends, last: number): number {
  const { fence } = ends;
  const known = ends.links.get(last) ?? new Map<number, number>();
  const seen: number[] = [];
  let previousInUse: boolean | undefined;
  let at = start;
  while (at < last && !isTopHeader(m, at, fence)) {
    const head = m.load32(at);
    const bytes = bytesOf(head, last - at);
    const inUse = (head & IN_USE) !== 0;
    const agrees = previousInUse === undefined || ((head & PREVIOUS_IN_USE) !== 0) === previousInUse;
    const closed = inUse || m.load32(at + bytes - FOOTER) === bytes;
    if (bytes === 0 || !agrees || !closed || known.get(at) === 0) break;
    const links = known.get(at);
    if (links !== undefined) return note(known, seen, links);
    seen.push(at);
    previousInUse = inUse;
    at += bytes;
  }
  const leads = at === last || (at < last && isTopHeader(m, at, fence));
  return note(known, seen, leads ? 1 : 0);
}

/** Notes for chunks one after the other how many links they are from top, the last being `links`; 0: they lead nowhere. */
function note(known: Map<number, number>, chunks: readonly number[], links: number): number {
  let count = links;
  for (let index = chunks.length - 1; index >= 0; index--) {
    if (links !== 0) count += 1;
    known.set(chunks[index] as number, count);
  }
  return count;
}
