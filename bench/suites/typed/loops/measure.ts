// Measure: one variant of one loop, in this process.
//
// Owns:  warming up, samples, and what the JavaScript heap grows by.
// Needs: --expose-gc.

import { clock } from "../../../harness/clock.ts";
import type { LoopAnswer, LoopJob } from "../protocol.ts";
import { GROUPS } from "./all.ts";
import type { Run } from "./loop.ts";

const SAMPLES = 5;
/** Times the target for compiling. */
const WARM_UPS = 4;
/** Few enough for what allocates some words not to make the collector run. */
const HEAP_TRIALS = 5;
const HEAP_COUNT = 1 << 17;
const NS_OF_MS = 1e6;

export function measureLoop({ loop, variant, targetMs }: LoopJob): LoopAnswer {
  const made = GROUPS.flatMap(({ loops }) => loops).find(({ name }) => name === loop)?.variants[variant];
  if (made === undefined) throw new Error(`measureLoop: there is no ${variant} of ${loop}`);
  const run = made();
  let count = 1;
  while (timeOf(run, count) < targetMs) count *= 2;
  for (let i = 0; i < WARM_UPS; i++) run(count);
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES; i++) samples.push((timeOf(run, count) * NS_OF_MS) / count);
  samples.sort((a, b) => a - b);
  return {
    ns: samples[SAMPLES >> 1] ?? Number.NaN,
    heapBytes: heapBytesOf(run, Math.min(count, HEAP_COUNT)),
  };
}

function timeOf(run: Run, count: number): number {
  const start = clock();
  run(count);
  return clock() - start;
}

/** The least growth of some trials, less that of a trial that does nothing: what looking itself takes. */
function heapBytesOf(run: Run, count: number): number {
  const growth = (of: number): number => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < HEAP_TRIALS; i++) {
      globalThis.gc?.();
      const before = process.memoryUsage().heapUsed;
      run(of);
      least = Math.min(least, process.memoryUsage().heapUsed - before);
    }
    return least;
  };
  return Math.max(0, growth(count) - growth(0)) / count;
}
