// Repair, first part: the chunks as their headers tell them.
//
// Owns:  nothing; changes nothing.
// Needs: the kernel's layout, and the order in which the kernel writes headers (chunk.ts: C5).
//
// A call that was cut short leaves headers that lead from the first chunk to top: nothing is guessed. A header that is
// none, or that both its neighbours contradict, was overwritten by somebody else. Then the chain goes on at the first place from which sound headers lead to top, and
// what lies between is lost.

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
  let at = first;
  while (at < top) {
    const head = m.load32(at);
    const bytes = bytesOf(head, fence - at);
    if (bytes !== 0 && !isContradicted(m, at, bytes, top, links.at(-1)?.inUse ?? true)) {
      links.push({ at, bytes, inUse: (head & IN_USE) !== 0, own: (head & OWN) !== 0 });
      at += bytes;
      continue;
    }
    const next = resume(m, at, top, broken);
    links.push({ at, bytes: next - at, inUse: true, own: false });
    lost.push({ ptr: at + HEADER_WORD, bytes: next - at - HEADER_WORD });
    at = next;
  }
  return { links, top: at, lost };
}

/** The size that a header states; 0: it is none. */
function bytesOf(head: number, room: number): number {
  const bytes = sizeIn(head);
  return (head & RESERVED_FLAG) === 0 && bytes <= room ? bytes : 0;
}

/** Whether a header disagrees with the chunk before it and with what lies at its end: a call that stops makes but one such. */
function isContradicted(m: Machine, at: number, bytes: number, top: number, previousInUse: boolean): boolean {
  const head = m.load32(at);
  if (((head & PREVIOUS_IN_USE) !== 0) === previousInUse) return false;
  const inUse = (head & IN_USE) !== 0;
  if (at + bytes > top || ((m.load32(at + bytes) & PREVIOUS_IN_USE) !== 0) !== inUse) return true;
  return !inUse && m.load32(at + bytes - FOOTER) !== bytes;
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
