// Repair: a heap that a process died in the middle of a call on, made sound again.
//
// Owns:  nothing; writes all of the heap that can be reckoned anew.
// Needs: the kernel's layout, bins; repair-chain, repair-runs.
//
// What is believed: the chunks' headers (size, in use, the heap's own), the runs' descriptors, the map of runs, where top
// and end are, the options. All else is written anew from these: flags P, footers, links, bins, bitmaps, lists, counters.
// A dead process has stopped between two stores of one call. The kernel writes the header of what is cut off before it
// makes smaller what that is cut from, so the headers lead from the first chunk to top at every such moment (chunk.ts: C5).

import { asBase, asChunk, type Base } from "../kernel/address.ts";
import { putFree } from "../kernel/bins.ts";
import { markFree } from "../kernel/chunk.ts";
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
  SEGMENT_END,
  SEGMENT_NEXT,
} from "../kernel/layout.ts";
import { Machine } from "../kernel/machine.ts";
import { setTop } from "../kernel/top.ts";
import type { Memory } from "../memory/memory.ts";
import { OsError } from "./errors.ts";
import { type Link, readChain } from "./repair-chain.ts";
import { rebuildRuns } from "./repair-runs.ts";

/** What a repair found and did. */
export interface RepairReport {
  /** What was wrong, as check() says it. */
  readonly reason: string;
  /**
   * Stretches whose headers somebody had overwritten; a call that was cut short leaves none. Each is now a live block of its own, at `ptr`, which nobody has: look into
   * it, or free it.
   */
  readonly lost: readonly { readonly ptr: number; readonly bytes: number }[];
  /** Chunks of the heap's own that served nothing yet, or no more, and have been freed. */
  readonly freedOwn: number;
  /** Runs that were in use but not to be read: addresses of their first blocks. All blocks in them are lost. */
  readonly lostRuns: readonly number[];
}

/** Makes a heap of one segment sound. Throws an OsError when too little of it is left. The memory is not left, nor is there a loop without end, whatever it holds. */
export function repairHeap(memory: Memory, address: number, reason: string): RepairReport {
  const base = asBase(address);
  const m: Machine = new Machine(memory, (code, at) => {
    throw new OsError("BEYOND_REPAIR", `beyond repair: code ${code} at ${at}`);
  });
  const end = repairHeader(m, base);
  const fence = end - HEADER_WORD;
  const chain = readChain(m, base, fence);
  const runs = rebuildRuns(m, base, chain.links);
  writeChunks(m, base, chain.links, chain.top, fence);
  raiseUntouched(m, base);
  return { reason, lost: chain.lost, freedOwn: runs.freed, lostRuns: runs.lost };
}

/** Believes or corrects the words that say where the heap lies. Returns its end. */
function repairHeader(m: Machine, base: Base): number {
  const segment = base + HEADER_BYTES;
  const end = m.load32(base + AT_END);
  const faults: readonly (readonly [boolean, string])[] = [
    [m.load32(base + AT_MAGIC) !== MAGIC, "the heap's magic number is gone"],
    [m.load32(base + AT_VERSION) !== FORMAT_VERSION, `the heap is not of version ${FORMAT_VERSION}`],
    [m.load32(base + AT_SELF) !== base, "the heap was made at another base"],
    [m.load32(base + AT_FLAGS) > KNOWN_HEAP_FLAGS, "the heap's flags are none"],
    [m.load32(base + AT_SEGMENT) !== segment, "the heap has more than one segment"],
    [end % GRANULE !== 0 || end < base + MIN_REGION || end > m.size(), "the heap's end is lost"],
  ];
  for (const [holds, fault] of faults)
    if (holds) throw new OsError("BEYOND_REPAIR", `beyond repair: ${fault}`);
  m.store32(segment + SEGMENT_NEXT, 0);
  m.store32(segment + SEGMENT_END, 0);
  // A growth that was not finished: the memory has more than the heap knows of.
  m.store32(base + AT_LIMIT, m.size());
  m.store32(base + AT_FOOTPRINT, end - base);
  if (m.load32(base + AT_MAX_FOOTPRINT) < end - base) m.store32(base + AT_MAX_FOOTPRINT, end - base);
  return end;
}

/** Writes every header anew, merges what is free, and puts it into bins that are emptied before. */
function writeChunks(m: Machine, base: Base, links: readonly Link[], top: number, fence: number): void {
  for (let bin = 0; bin < BIN_COUNT; bin++) m.store32(base + AT_BINS + bin * 4, 0);
  for (let word = 0; word < BIN_MAP_WORDS; word++) m.store32(base + AT_BIN_MAP + word * 4, 0);
  m.store32(base + AT_BIN_SUMMARY, 0);
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
    // markFree clears P in the header behind it, so that has to be there.
    m.store32(at, bytes | IN_USE | PREVIOUS_IN_USE | (own ? OWN : 0));
    settle();
  }
  const begin = free?.at ?? top;
  setTop(m, base, asChunk(begin), fence - begin);
}

/** What lies in top and is not zero has been written. */
function raiseUntouched(m: Machine, base: Base): void {
  const limit = m.load32(base + AT_LIMIT);
  let from = Math.max(m.load32(base + AT_TOP) + HEADER_WORD, m.load32(base + AT_UNTOUCHED));
  for (let at = from; at < limit; at += HEADER_WORD) if (m.load32(at) !== 0) from = at + HEADER_WORD;
  m.store32(base + AT_UNTOUCHED, Math.min(from, limit));
}
