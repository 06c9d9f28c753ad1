// Time: how fast a trace's calls are, with nothing but the calls.
//
// Owns:  how often a trace is played for that.
// Needs: play; Heap.

import { Heap } from "morecore";
import type { Trace } from "../trace/format.ts";
import { playCalls } from "./play.ts";

const MOST_RUNS = 7;
const ENOUGH_SECONDS = 0.2;

/**
 * Calls per second, each time on a fresh heap. The fastest of a few runs for a short trace, as the first are spent
 * compiling. Undefined for a trace without calls.
 *
 * @example
 *
 * ```ts
 * const trace = decodeTrace(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 10 }]));
 * console.log((timeCalls(trace) ?? 0) > 0); // true
 * ```
 */
export function timeCalls(trace: Trace): number | undefined {
  let best = Number.POSITIVE_INFINITY;
  let spent = 0;
  for (let run = 0; run < MOST_RUNS && spent < ENOUGH_SECONDS; run++) {
    const heap = Heap.create();
    const pointers = new Uint32Array(trace.slotCount);
    const start = performance.now();
    playCalls(trace, heap, pointers);
    const seconds = (performance.now() - start) / 1000;
    best = Math.min(best, seconds);
    spent += seconds;
  }
  return trace.opCount > 0 && best > 0 ? trace.opCount / best : undefined;
}
