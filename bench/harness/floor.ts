// Floor: the least footprint that a 4-byte header and 16-byte rounding leave possible.
//
// Owns:  the sum over the live blocks, at its peak.
// Needs: a decoded trace.
// Note:  with every block packed against the next; no allocator that cannot move blocks reaches it on all traces.

import type { Trace } from "@morecore/inspect";

const HEADER_BYTES = 4;
const GRANULE_BYTES = 16;

export function floorBytes(trace: Trace): number {
  const chunkBytes = new Float64Array(trace.slotCount);
  let live = 0;
  let peak = 0;
  for (let i = 0; i < trace.opCount; i++) {
    const slot = trace.slots[i] as number; // in bounds: the decoder has checked every slot
    live -= chunkBytes[slot] as number;
    const bytes = trace.kinds[i] === 3 ? 0 : roundUp((trace.sizes[i] as number) + HEADER_BYTES);
    chunkBytes[slot] = bytes;
    live += bytes;
    if (live > peak) peak = live;
  }
  return peak;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / GRANULE_BYTES) * GRANULE_BYTES;
}
