// Design: this kernel as an engine: what heap/ and the packages of the family know it by. For JavaScript only.
//
// Needs: all of the kernel, but for its repair (repair.ts: `repairs`).

import { asPtr } from "./address.ts";
import { freeListed } from "./bulk.ts";
import { checkHeap } from "./check.ts";
import { chunkSizeFor } from "./chunk.ts";
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
} from "./layout.ts";
import { load32 } from "./machine.ts";
import { settings } from "./settings.ts";
import { classState } from "./slabs.ts";

/** A list in words of its own begins at the first of them. */
const FROM_FIRST = asPtr(0);

export const engine: Engine = {
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
  reserved,
  goodSize,
  // A block of a slab has a whole number of granules, a chunk a header's word less.
  isExact: (usable, bytes) =>
    usable % GRANULE === 0
      ? usable === Math.ceil(Math.max(bytes, 1) / GRANULE) * GRANULE
      : usable === chunkSizeFor(bytes) - HEADER_WORD,
  statistics: (m, base) => ({
    growthCount: m.load32(base + AT_GROWTH_COUNT),
    coalesceCount: m.load32(base + AT_COALESCE_COUNT),
    flushCount: m.load32(base + AT_FLUSH_COUNT),
    trimCount: m.load32(base + AT_TRIM_COUNT),
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

  freeListed: (m, base, list, count) => freeListed(m, base, list, FROM_FIRST, count),

  check: checkHeap,
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
  slabsOf: (words, base, sizeClass) => load32(words, classState(base, sizeClass) + CLASS_SLABS),
  growthsOf: (words, base) => load32(words, base + AT_GROWTH_COUNT),
};
