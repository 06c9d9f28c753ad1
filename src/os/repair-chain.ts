// Repair, first part: the chunks as their headers tell them, over a gap if there is one.
//
// Owns:  nothing; changes nothing.
// Needs: the kernel's layout.

import type { Base } from "../kernel/address.ts";
import { sizeIn } from "../kernel/chunk.ts";
import {
  AT_TOP,
  FOOTER,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  IN_USE,
  OWN,
  PREVIOUS_IN_USE,
  RESERVED_FLAG,
  SEGMENT_CHUNKS,
} from "../kernel/layout.ts";
import type { Machine } from "../kernel/machine.ts";

/** A chunk, as far as it is believed. */
export interface Link {
  readonly at: number;
  readonly bytes: number;
  inUse: boolean;
  readonly own: boolean;
}

export interface Chain {
  readonly links: Link[];
  readonly top: number;
  readonly lost: { ptr: number; bytes: number }[];
}

/**
 * All chunks from the first to top. The first address at or above the stored top is top: a block that was just being cut
 * from it is part of it again, one that was just growing into it ends before it, and a free chunk that was just becoming top
 * is the last of the chain.
 */
export function readChain(m: Machine, base: Base, fence: number): Chain {
  const first = base + HEADER_BYTES + SEGMENT_CHUNKS;
  const stored = m.load32(base + AT_TOP);
  const isTop = stored >= first && stored <= fence && (stored - first) % GRANULE === 0;
  const top = isTop ? stored : fence;
  const links: Link[] = [];
  const lost: { ptr: number; bytes: number }[] = [];
  const broken = new Set<number>();
  const starts = new Set<number>();
  let at = first;
  while (at < top) {
    const head = m.load32(at);
    const bytes = bytesOf(head, fence - at);
    if (bytes !== 0 && !isStale(m, at, bytes, top, links)) {
      starts.add(at);
      links.push({ at, bytes, inUse: (head & IN_USE) !== 0, own: (head & OWN) !== 0 });
      at += bytes;
      continue;
    }
    const next = resume(m, at, top, broken);
    const inUse = !wasFree(m, starts, next);
    links.push({ at, bytes: next - at, inUse, own: false });
    if (inUse) lost.push({ ptr: at + HEADER_WORD, bytes: next - at - HEADER_WORD });
    at = next;
  }
  return { links, top: at, lost };
}

/** The size that a header states; 0: it is none. */
function bytesOf(head: number, room: number): number {
  const bytes = sizeIn(head);
  return (head & RESERVED_FLAG) === 0 && bytes <= room ? bytes : 0;
}

/**
 * Whether what stands as a header is none, but what the allocator left there before: it contradicts the chunk before it
 * and what lies at its end; or only the latter, and inside it ends a free chunk that one of the last two chunks was cut from. A
 * header that a call was about to change, or whose neighbour was, contradicts one of them.
 */
function isStale(m: Machine, at: number, bytes: number, top: number, links: readonly Link[]): boolean {
  const head = m.load32(at);
  if (endsWell(m, at, bytes, top)) return false;
  if (((head & PREVIOUS_IN_USE) !== 0) !== (links.at(-1)?.inUse ?? true)) return true;
  const starts = links.slice(-2).map((link) => link.at);
  for (let next = at + GRANULE; next < Math.min(at + bytes, top); next += GRANULE)
    if (starts.includes(next - m.load32(next - FOOTER))) return true;
  return false;
}

/** Whether the header behind a chunk, and if it is free its footer, agree with its header. */
function endsWell(m: Machine, at: number, bytes: number, top: number): boolean {
  const inUse = (m.load32(at) & IN_USE) !== 0;
  if (at + bytes > top || ((m.load32(at + bytes) & PREVIOUS_IN_USE) !== 0) !== inUse) return false;
  return inUse || m.load32(at + bytes - FOOTER) === bytes;
}

/** The first address above one without a header from which a sound chain leads to top. */
function resume(m: Machine, at: number, top: number, broken: Set<number>): number {
  let next = at + GRANULE;
  while (next < top && !leadsTo(m, next, top, broken)) next += GRANULE;
  return next;
}

/** Whether the headers from an address on are a sound chain up to top. What it found broken it need not try again. */
function leadsTo(m: Machine, start: number, top: number, broken: Set<number>): boolean {
  const seen: number[] = [];
  let previousInUse: boolean | undefined;
  let at = start;
  while (at < top && !broken.has(at)) {
    const head = m.load32(at);
    const bytes = bytesOf(head, top - at);
    const inUse = (head & IN_USE) !== 0;
    const agrees = previousInUse === undefined || ((head & PREVIOUS_IN_USE) !== 0) === previousInUse;
    const closed = inUse || m.load32(at + bytes - FOOTER) === bytes;
    if (bytes === 0 || !agrees || !closed) break;
    seen.push(at);
    previousInUse = inUse;
    at += bytes;
  }
  if (at === top) return true;
  for (const place of seen) broken.add(place);
  return false;
}

/** Whether the bytes before a chunk were free together with chunks from one of `starts` on: its size stands before its end. */
function wasFree(m: Machine, starts: ReadonlySet<number>, next: number): boolean {
  if ((m.load32(next) & PREVIOUS_IN_USE) !== 0) return false;
  return starts.has(next - m.load32(next - FOOTER));
}
