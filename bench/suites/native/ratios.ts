// Ratios: morecore's figures over its peers'.
//
// Owns:  what can be told of a native run, and that medians are compared.

import type { Sample } from "../../harness/stats.ts";
import type { NativeResult, Taken } from "./measure.ts";
import type { NativePeer } from "./peers.ts";

export interface Column {
  readonly what: string;
  readonly of: (taken: Taken) => Sample;
  readonly digits: number;
  readonly unit: number;
}

export const MS: Column = { what: "processor time, ms", of: ({ time }) => time, digits: 0, unit: 1 };
export const WALL: Column = { what: "time on the wall, ms", of: ({ time }) => time, digits: 0, unit: 1 };
export const NS: Column = { what: "ns for a call", of: ({ time }) => time, digits: 1, unit: 1 };
export const PEAK: Column = {
  what: "peak resident, MB",
  of: ({ peakBytes }) => peakBytes,
  digits: 2,
  unit: 1e6,
};

/** Of those that both have run. */
export function ratiosOf(results: readonly NativeResult[], peer: NativePeer, { of }: Column): number[] {
  return results.flatMap(({ taken }) => {
    const [own, others] = [taken.morecore, taken[peer]];
    return own === undefined || others === undefined ? [] : [of(own).median / of(others).median];
  });
}
