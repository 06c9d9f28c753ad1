// Results: what has been measured of patterns and traces whose caller is in WebAssembly.
//
// Owns:  the shape, and the arithmetic of slices. The `min` of a sample is the sum of its slices' least times.
// Units: net nanoseconds for a pair (patterns) or a call (traces); of "loop" and "nothing" what they take.

import type { TraceInput } from "../../harness/inputs.ts";
import type { Variant } from "../../harness/results.ts";
import { net, type Sample, scale, summarize } from "../../harness/stats.ts";
import type { PatternName, PerKind, Slices } from "./protocol.ts";

export interface WithinPattern {
  readonly pattern: PatternName;
  readonly nsPerPair: PerKind<Sample>;
}

export interface WithinTrace {
  readonly input: TraceInput;
  readonly opCount: number;
  readonly nsPerCall: Readonly<Record<Variant, PerKind<Sample>>>;
}

export interface WithinResults {
  readonly patterns: readonly WithinPattern[];
  readonly traces: readonly WithinTrace[];
  /** Sentences on what could not be measured. */
  readonly remarks: readonly string[];
}

/**
 * Of plays, each of the same slices. The least is the sum of the least time of each slice: much steadier than the least of
 * whole plays, as in one play or another each slice was left alone. `factor` is for units.
 */
export function playTime(plays: readonly Slices[], factor: number): Sample {
  const totals = plays.map((slices) => slices.reduce((sum, ms) => sum + ms, 0));
  const leasts = plays[0]?.map((_, slice) => Math.min(...plays.map((slices) => slices[slice] ?? Number.NaN)));
  const least = leasts?.reduce((sum, ms) => sum + ms, 0) ?? Number.NaN;
  return scale({ ...summarize(totals), min: least }, factor);
}

/** Each without the loop and its calls, at their least: what they took beyond that was not their own. */
export function netTimes(gross: PerKind<Sample>): PerKind<Sample> {
  const nothing = summarize([gross.nothing?.min ?? 0]);
  const netOf = ([kind, time]: [string, Sample]) =>
    [kind, kind === "loop" || kind === "nothing" ? time : net(time, nothing)] as const;
  return Object.fromEntries(Object.entries(gross).map(netOf));
}
