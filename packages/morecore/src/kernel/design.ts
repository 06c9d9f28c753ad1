// Design: this kernel as an engine: what heap/ and the packages of the family know it by. For JavaScript only.
//
// Needs: all of the kernel, but for its repair (repair.ts: `repairs`).

import { asPtr, type Base, type Word } from "./address.ts";
import { freeListed } from "./bulk.ts";
import { checkHeap } from "./check.ts";
import { checkCommon } from "./check-common.ts";
import { chunkSizeFor } from "./chunk.ts";
import { closeClassFor, closeState, farClassFor } from "./classes.ts";
import { breach, describeAddress, describeImage, evidence, STATES, walk } from "./describe.ts";
import type { Engine, PieceState, Total } from "./engine.ts";
import { formatHeap } from "./image.ts";
import { footprint, goodSize, maxFootprint, reserved } from "./info.ts";
import {
  AT_COALESCE_COUNT,
  AT_END,
  AT_FLAGS,
  AT_FLUSH_COUNT,
  AT_GROWTH_COUNT,
  AT_LIMIT,
  AT_MAGIC,
  AT_TRIM_COUNT,
  CLASS_COUNT,
  CLASS_SLABS,
  FOOTER,
  GRANULE,
  HEADER_BYTES,
  HEADER_WORD,
  MIN_REGION,
  PREVIOUS,
  SEGMENT_CHUNKS,
  SMALL_MAX,
} from "./layout.ts";
import { load32, type Machine } from "./machine.ts";
import { settings, sharing, threadHeaps } from "./sharing.ts";

/** A list in words of its own begins at the first of them. */
const FROM_FIRST = asPtr(0);

/** The heap that a call is for: where threads share one, the thread's own. */
function own(m: Machine, base: Base): Base {
  return m.threads ? m.thread : base;
}

/** A counter of a heap; where threads share one, the sum of theirs. */
function counted(m: Machine, base: Base, counter: Word): number {
  if (!m.threads) return m.load32(base + counter);
  return threadHeaps(m, base).reduce((sum, heap) => (sum + m.load32(heap + counter)) >>> 0, 0);
}

export const engine: Engine = {
  sharing,
  minRegion: MIN_REGION,
  headerBytes: HEADER_BYTES + SEGMENT_CHUNKS,
  // Behind the first segment's words there is the header of top.
  formattedBytes: HEADER_BYTES + SEGMENT_CHUNKS + HEADER_WORD,
  settings,
  format: (m, base, { limit, untouched, flags }, growthStep) =>
    formatHeap(m, base, limit, untouched, flags, growthStep),
  probe: describeImage,
  erase: (m, base) => m.store32(base + AT_MAGIC, 0),
  limit: (m, base) => m.load32(base + AT_LIMIT),
  setLimit: (m, base, limit) => m.store32(base + AT_LIMIT, limit),
  end: (m, base) => m.load32(base + AT_END),
  flags: (m, base) => m.load32(base + AT_FLAGS),

  footprint,
  maxFootprint,
  reserved: (m, base) => (m.threads ? m.load32(base + AT_LIMIT) - base : reserved(m, base)),
  goodSize: (m, base, bytes) => goodSize(m, own(m, base), bytes),
  // A block of a slab has a whole number of granules, its class's; a chunk a header's word less.
  isExact: (usable, bytes) =>
    usable % GRANULE === 0
      ? usable === (usable > SMALL_MAX ? farClassFor(bytes) : closeClassFor(bytes)) * GRANULE
      : usable === chunkSizeFor(bytes) - HEADER_WORD,
  statistics: (m, base) => ({
    growthCount: counted(m, base, AT_GROWTH_COUNT),
    coalesceCount: counted(m, base, AT_COALESCE_COUNT),
    flushCount: counted(m, base, AT_FLUSH_COUNT),
    trimCount: counted(m, base, AT_TRIM_COUNT),
  }),
  walk,
  totals(m, base) {
    const none = (): { count: number; bytes: number } => ({ count: 0, bytes: 0 });
    const totals = { live: none(), cached: none(), free: none(), top: none(), overhead: none() };
    walk(m, base, ({ state, size }) => {
      totals[state].count += 1;
      totals[state].bytes += size;
    });
    return totals satisfies Record<PieceState, Total>;
  },
  states: STATES,

  freeListed: (m, base, list, count) => freeListed(m, own(m, base), list, FROM_FIRST, count),

  check: (m, base) => (m.threads ? checkCommon(m, base) : checkHeap(m, base)),
  breach,
  evidence,
  describe: describeAddress,

  // The word before a chunk's payload is its header: its size, but for the flags.
  sizeHint: (words, ptr) => (ptr > HEADER_WORD ? load32(words, ptr - HEADER_WORD) : 0),
  idlePart(state, from, to) {
    if (state === "cached") return { from, to };
    if (state === "top") return { from: from + HEADER_WORD, to };
    // Its header and two links lie at a free chunk's beginning, its size in its last word.
    return { from: from + PREVIOUS + HEADER_WORD, to: to - FOOTER };
  },

  classCount: CLASS_COUNT,
  slabsOf: (words, base, sizeClass) => load32(words, closeState(base, sizeClass) + CLASS_SLABS),
  growthsOf: (words, base) => load32(words, base + AT_GROWTH_COUNT),
};
