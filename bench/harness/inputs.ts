// Inputs: a trace that is played, and what the report needs to know about it.
//
// Owns:  the facts.
// Needs: trace, floor.

import { readTraceFile } from "@morecore/inspect";
import { floorBytes } from "./floor.ts";

/** A trace to measure with. */
export interface TraceInput {
  /** Its name in the tables. */
  readonly name: string;
  /** Its path. */
  readonly file: string;
  /** The first calls of a longer trace: played by the slow peers too, but left out of the means. */
  readonly isShort: boolean;
}

export interface TraceFacts {
  readonly opCount: number;
  readonly peakLiveBytes: number;
  /** Peak footprint of an allocator that has headers and rounding and no other overhead. */
  readonly floorBytes: number;
}

export function readFacts(file: string): TraceFacts {
  const trace = readTraceFile(file);
  return { opCount: trace.opCount, peakLiveBytes: trace.peakLiveBytes, floorBytes: floorBytes(trace) };
}
