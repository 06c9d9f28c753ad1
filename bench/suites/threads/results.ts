// Results: what has been measured of several threads on one heap.
//
// Owns:  the shape.
// Units: nanoseconds of all threads' time on the wall for a block that any of them takes, which some thread frees. The `min` of
//        a sample is the sum of its slices' least times.

import type { Sample } from "../../harness/stats.ts";
import type { ThreadAllocator } from "../../programs/threads.ts";
import type { ModulesRun } from "../modules.ts";
import type { WithinPattern, WithinTrace } from "../within/results.ts";
import type { Caller, PatternName, PerShape } from "./protocol.ts";

export type PerAllocator<T> = Partial<Readonly<Record<ThreadAllocator, T>>>;

export interface ThreadsPattern {
  readonly pattern: PatternName;
  readonly caller: Caller;
  readonly nsPerBlock: PerAllocator<PerShape<Sample>>;
}

/** One thread alone on a heap that could be shared, beside one on a heap that could not. */
export interface OneThread {
  readonly patterns: readonly WithinPattern[];
  readonly traces: readonly WithinTrace[];
}

export interface ThreadsResults {
  readonly patterns: readonly ThreadsPattern[];
  readonly one: OneThread;
  /** Sentences on what could not be measured. */
  readonly remarks: readonly string[];
}

export type ThreadsRun = ThreadsResults & ModulesRun;
