// Repair: a heap that a process died in the middle of a call on, made sound again. For JavaScript only: it uses objects.
//
// Writes: all of the heap that can be reckoned anew.
// Needs:  layout, bins; repair-chain, repair-slabs, file-words.
//
// What is believed: the chunks' headers (size, in use, the heap's own), the slabs' descriptors, the map of slabs, the options. Where
// the heap ends, two of three words must say. All else is written anew from these: flags P, footers, links, bins, bitmaps, lists, counters.
// A dead process has stopped between two stores of one call. The kernel writes the header of what is cut off before it
// makes smaller what that is cut from, so the headers lead from the first chunk to top at every such moment (chunk.ts: C5).
// A repair that dies is such a call, too: each of its stores writes what is to stand there in the end, and the next repair
// reads the same from what is half done (test/kernel/torn-calls.test.ts).

import { asChunk, type Base } from "./address.ts";
import { putFree } from "./bins.ts";
import { markFree, sizeIn } from "./chunk.ts";
import { BeyondRepairError, type HeapSettings, type Repaired, type Repairs } from "./engine.ts";
import { adoptGrowth, faultIn } from "./file-words.ts";
import {
  AT_BIN_MAP,
  AT_BIN_SUMMARY,
  AT_BINS,
  AT_END,
  AT_FLAGS,
  AT_FOOTPRINT,
  AT_LIMIT,
  AT_MAGIC,
  AT_MAX_FOOTPRINT,
  AT_SEGMENT,
  AT_SELF,
  AT_TOP,
  AT_UNTOUCHED,
  AT_VERSION,
  BIN_COUNT,
  BIN_MAP_WORDS,
  FLAGS,
  FORMAT_VERSION,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  IN_USE,
  KNOWN_HEAP_FLAGS,
  MAGIC,
  MIN_REGION,
  OWN,
  PREVIOUS_IN_USE,
  SEGMENT_CHUNKS,
  SEGMENT_END,
  SEGMENT_NEXT,
  ZERO_REALLOC_FREES,
} from "./layout.ts";
import type { Machine } from "./machine.ts";
import { type Link, readChain } from "./repair-chain.ts";
import { rebuildSlabs } from "./repair-slabs.ts";
import { brokenSettings, resetSetting } from "./settings.ts";
import { setTop } from "./top.ts";

/** What this design offers to who keeps heaps in files. */
export const repairs: Repairs = { faultIn, adoptGrowth, repair };

/** Makes a heap of one segment sound. Throws a BeyondRepairError when too little of it is left: it may then have written already. */
export function repair(m: Machine, base: Base, reason: string): Repaired {
  checkIdentity(m, base);
  const end = endOf(m, base);
  const fence = end - HEADER_WORD;
  const first = base + HEADER_BYTES + SEGMENT_CHUNKS;
  const chain = readChain(m, first, m.load32(base + AT_TOP), fence);
  const slabs = rebuildSlabs(m, base, chain.links);
  const settings = repairHeader(m, base, end);
  writeChunks(m, base, chain.links, chain.top, fence);
  raiseUntouched(m, base);
  const lost = chain.links
    .filter((link) => link.lost && !link.own)
    .map(({ at, bytes }) => ({ ptr: at + HEADER_WORD, bytes: bytes - HEADER_WORD }));
  return { reason, lost, freedOwn: slabs.freed, lostSlabs: slabs.lost, settings };
}

/** Throws unless the words that no repair could make up say that this is a heap, and where. */
function checkIdentity(m: Machine, base: Base): void {
  if (base + MIN_REGION > m.size())
    throw new BeyondRepairError("the memory ends before the heap's header does");
  if (m.load32(base + AT_MAGIC) !== MAGIC) throw new BeyondRepairError("the heap's magic number is gone");
  if (m.load32(base + AT_VERSION) !== FORMAT_VERSION)
    throw new BeyondRepairError(`the heap is not of version ${FORMAT_VERSION}`);
  if (m.load32(base + AT_SELF) !== base) throw new BeyondRepairError("the heap was made at another base");
}

/**
 * Where the heap ends: what two of the three words say that know it. Between any two stores of a call, two agree; and
 * who has overwritten one of them has left two.
 */
function endOf(m: Machine, base: Base): number {
  const top = m.load32(base + AT_TOP);
  const head = top % HEADER_WORD === 0 && top < m.size() ? m.load32(top) : 0;
  const isTop = (head & FLAGS) === PREVIOUS_IN_USE;
  const said = [
    m.load32(base + AT_END),
    base + m.load32(base + AT_FOOTPRINT),
    ...(isTop ? [top + sizeIn(head) + HEADER_WORD] : []),
  ];
  for (const end of said) {
    const agree = said.filter((other) => other === end).length;
    if (agree > 1 && end % GRANULE === 0 && end >= base + MIN_REGION && end <= m.size()) return end;
  }
  throw new BeyondRepairError("the heap's end is lost");
}

/** Writes the header's words that say where the heap lies, and what it was told. Gives the settings that had to be set anew. */
function repairHeader(m: Machine, base: Base, end: number): (keyof HeapSettings)[] {
  const segment = base + HEADER_BYTES;
  m.store32(segment + SEGMENT_NEXT, 0);
  m.store32(segment + SEGMENT_END, 0);
  m.store32(base + AT_SEGMENT, segment);
  m.store32(base + AT_END, end);
  m.store32(base + AT_FOOTPRINT, end - base);
  if (m.load32(base + AT_MAX_FOOTPRINT) < end - base) m.store32(base + AT_MAX_FOOTPRINT, end - base);
  // A growth that was not finished: the memory has more than the heap knows of.
  m.store32(base + AT_LIMIT, m.size());
  const settings = brokenSettings(m, base);
  for (const name of settings) resetSetting(m, base, name);
  if (m.load32(base + AT_FLAGS) > KNOWN_HEAP_FLAGS) {
    m.store32(base + AT_FLAGS, 0);
    settings.push("zeroSizeRealloc");
  }
  // A heap that is repaired lies in memory that grows.
  m.store32(base + AT_FLAGS, m.load32(base + AT_FLAGS) & ZERO_REALLOC_FREES);
  return settings;
}

/** Writes every header anew, merges what is free, and puts it into bins that are emptied before. */
function writeChunks(m: Machine, base: Base, links: readonly Link[], top: number, fence: number): void {
  emptyBins(m, base);
  const free = writeLinks(m, base, links);
  const begin = free?.at ?? top;
  setTop(m, base, asChunk(begin), fence - begin);
}

/** Empties all bins, whatever they hold. */
export function emptyBins(m: Machine, base: Base): void {
  for (let bin = 0; bin < BIN_COUNT; bin++) m.store32(base + AT_BINS + bin * 4, 0);
  for (let word = 0; word < BIN_MAP_WORDS; word++) m.store32(base + AT_BIN_MAP + word * 4, 0);
  m.store32(base + AT_BIN_SUMMARY, 0);
}

/** Writes the headers of chunks that lie one behind the other, and puts the free ones into bins. What is free at their end is left to the caller. */
export function writeLinks(
  m: Machine,
  base: Base,
  links: readonly Link[],
): { readonly at: number; readonly bytes: number } | undefined {
  let free: { at: number; bytes: number } | undefined;
  const settle = (): void => {
    if (free === undefined) return;
    markFree(m, asChunk(free.at), free.bytes);
    putFree(m, base, asChunk(free.at), free.bytes);
    free = undefined;
  };
  for (const { at, bytes, inUse, own } of links) {
    if (!inUse) {
      if (free === undefined) free = { at, bytes };
      else free.bytes += bytes;
      continue;
    }
    // markFree clears P in the header behind it, so that has to be there: without P, or it would be wrong for a moment.
    const previous = free === undefined ? PREVIOUS_IN_USE : 0;
    m.store32(at, (bytes | IN_USE | previous | (own ? OWN : 0)) >>> 0);
    settle();
  }
  return free;
}

/** What lies in top and is not zero has been written. */
export function raiseUntouched(m: Machine, base: Base): void {
  const limit = m.load32(base + AT_LIMIT);
  const stored = Math.min(m.load32(base + AT_UNTOUCHED), limit);
  let from = Math.max(m.load32(base + AT_TOP) + HEADER_WORD, stored - (stored % HEADER_WORD));
  for (let at = from; at < limit; at += HEADER_WORD) if (m.load32(at) !== 0) from = at + HEADER_WORD;
  m.store32(base + AT_UNTOUCHED, Math.min(from, limit));
}
