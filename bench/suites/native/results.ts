// Results: what a native run has found.
//
// Owns:  the shape.

import type { LocalityResult } from "./locality.ts";
import type { NativeResult } from "./measure.ts";
import type { NativePeer } from "./peers.ts";

export const PARTS = ["programs", "traces", "locality", "threads"] as const;
export type NativePart = (typeof PARTS)[number];

export interface NativeResults {
  readonly machine: string;
  readonly peers: readonly NativePeer[];
  /** Of the peers. */
  readonly versions: Readonly<Partial<Record<NativePeer, string>>>;
  readonly rounds: number;
  readonly programs: readonly NativeResult[];
  readonly traces: readonly NativeResult[];
  readonly locality: readonly LocalityResult[];
  /** Earlier runs have none. */
  readonly threads?: readonly NativeResult[];
  readonly remarks: readonly string[];
  readonly command: string;
  readonly seconds: number;
}

/** The results of one part alone. */
export function partOf(results: NativeResults, part: NativePart): NativeResults {
  return { ...results, programs: [], traces: [], locality: [], threads: [], [part]: results[part] };
}
