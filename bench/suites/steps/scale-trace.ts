// Scale trace: replacing random ones of many live blocks, as calls; the pattern of harness/patterns.ts for counting.
//
// Owns:  the calls.
// Needs: a random generator.

import { KIND, type Trace } from "@morecore/inspect";
import { countsFrom } from "../../harness/random.ts";

const SEED = 1;
const LEAST_BYTES = 16;
const MOST_BYTES = 144;

export interface ScaleTrace {
  readonly trace: Trace;
  /** The first call after the live set has been filled. */
  readonly from: number;
}

/** Fills `live` slots, then frees and fills random ones, `pairs` times. */
export function scaleTrace(live: number, pairs: number): ScaleTrace {
  const opCount = live + 2 * pairs;
  const kinds = new Uint8Array(opCount);
  const slots = new Uint32Array(opCount);
  const sizes = new Uint32Array(opCount);
  const below = countsFrom(SEED);
  for (let at = 0; at < opCount; at++) {
    const isFree = at >= live && (at - live) % 2 === 0;
    kinds[at] = isFree ? KIND.free : KIND.malloc;
    if (at < live) slots[at] = at;
    else slots[at] = isFree ? below(live) : (slots[at - 1] as number); // at - 1 is the free
    sizes[at] = isFree ? 0 : LEAST_BYTES + below(MOST_BYTES - LEAST_BYTES + 1);
  }
  const trace: Trace = {
    opCount,
    slotCount: live,
    threadCount: 1,
    peakLiveBytes: 0,
    totalAllocatedBytes: 0,
    kinds,
    threads: new Uint8Array(opCount),
    slots,
    sizes,
    alignments: new Uint32Array(opCount),
  };
  return { trace, from: live };
}
