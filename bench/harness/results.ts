// Results: what a run has found of the peers that JavaScript calls, as --json prints it and as the tables read it.
//
// Owns:  the shape.
// Units: times are net, in nanoseconds for one pair (patterns) or for one call (traces); sizes in bytes.

import type { PeerName } from "../peers/peer.ts";
import type { TraceFacts, TraceInput } from "./inputs.ts";
import type { PatternName } from "./patterns.ts";
import type { Sample } from "./stats.ts";

/** A figure, or why there is none. */
export type Measured<T> = T | { readonly skipped: string };

export type PerPeer<T> = Partial<Record<PeerName, Measured<T>>>;

export const VARIANTS = ["cold untouched", "cold touched", "warm untouched", "warm touched"] as const;
export type Variant = (typeof VARIANTS)[number];

export interface PatternResult {
  readonly pattern: PatternName;
  readonly nsPerPair: PerPeer<Sample>;
}

export interface Space {
  readonly footprintBytes: number;
  readonly reservedBytes: number;
}

export interface TraceResult {
  readonly input: TraceInput;
  readonly facts: TraceFacts;
  readonly nsPerCall: Record<Variant, PerPeer<Sample>>;
  readonly space: PerPeer<Space>;
}

export interface ScaleResult {
  /** Blocks that are live all the time. */
  readonly live: number;
  readonly nsPerPair: PerPeer<Sample>;
}

/** The figures of all peers. */
export interface PeerResults {
  /** Of each peer that took part, and of what runs them. */
  readonly versions: Readonly<Record<string, string>>;
  /** Nanoseconds for each pair of calls, by pattern. */
  readonly patterns: readonly PatternResult[];
  /** Nanoseconds for each call, and bytes, by trace. */
  readonly traces: readonly TraceResult[];
  /** Nanoseconds for each pair of calls, by how many blocks are live. */
  readonly scale: readonly ScaleResult[];
}

export function isSkipped<T extends object>(value: Measured<T>): value is { readonly skipped: string } {
  return "skipped" in value;
}

/** The figure, or undefined when there is none for whatever reason. */
export function figure<T extends object>(value: Measured<T> | undefined): T | undefined {
  return value === undefined || isSkipped(value) ? undefined : value;
}
