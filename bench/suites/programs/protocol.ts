// Protocol: what a worker of programs/ is started with, what it is asked, and what it answers.
//
// Owns:  the messages.

import type { Way } from "../../programs/link.ts";

/** How a program is linked; with mimalloc only where its sources are at hand. */
export type Linking = Way | "mimalloc";
/** The patterns' loops without an allocator, too. */
export type Kind = Linking | "nothing";
export type PerLinking<T> = Readonly<Record<Way, T>> & { readonly mimalloc?: T };

export const PATTERN_NAMES = ["pair", "churn", "fifo"] as const;
export type PatternName = (typeof PATTERN_NAMES)[number];

/** The one argument of a worker, as JSON. */
export interface Job {
  readonly kind: Kind;
  readonly file: string;
  /** Of a module that has the kernel beside it: what bench/programs/link.ts says of it. */
  readonly beside: { readonly pages: number; readonly heapBase: number };
  /** The file to run a program on; "" for the patterns. */
  readonly workload: string;
}

export type Request =
  | { readonly job: "run" }
  | { readonly job: "pattern"; readonly pattern: PatternName; readonly targetMs: number };

export type Answer =
  | { readonly kind: "run"; readonly ms: number; readonly heapBytes: number; readonly output: string }
  | { readonly kind: "pattern"; readonly nsPerPair: number }
  | { readonly kind: "failed"; readonly reason: string };
