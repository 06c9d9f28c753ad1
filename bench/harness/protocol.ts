// Protocol: what the main process asks of a worker, and what it gets back.
//
// Owns:  the messages.
// Note:  one request is under way at a time, so they carry no number.

import type { PatternName } from "./patterns.ts";

export type Request =
  | { readonly job: "warm-up"; readonly file: string }
  | { readonly job: "load"; readonly file: string }
  | { readonly job: "pattern"; readonly pattern: PatternName; readonly targetMs: number }
  | { readonly job: "scale"; readonly live: number; readonly targetMs: number }
  | { readonly job: "replay"; readonly file: string; readonly touched: boolean; readonly warmPlays: number }
  | { readonly job: "space"; readonly file: string };

export type Answer =
  | { readonly kind: "done" }
  | { readonly kind: "pattern"; readonly nsPerPair: number }
  | { readonly kind: "replay"; readonly coldMs: number; readonly warmMs: readonly number[] }
  | { readonly kind: "space"; readonly footprintBytes: number; readonly reservedBytes: number }
  /** The peer could not do it; the reason is for the reader of the table. */
  | { readonly kind: "skipped"; readonly reason: string };

/** No single play of a trace, nor sample of a pattern, may take longer. */
export const TIME_LIMIT_MS = 5000;
