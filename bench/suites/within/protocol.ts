// Protocol: what a worker of within/ is started with, what it is asked, and what it answers.
//
// Owns:  the messages, and the names of what is compared.

import type { Failed } from "../../harness/job-workers.ts";

/**
 * How the callers are linked, in the order of the tables. "loop": there are no calls; "nothing": they do nothing; "before":
 * merged by an earlier build, on demand; "shared": merged with the kernel for threads, for suites/threads.
 */
export const KINDS = [
  "loop",
  "nothing",
  "dlmalloc",
  "mimalloc",
  "tlsf",
  "before",
  "merged",
  "beside",
  "shared",
] as const;
export type Kind = (typeof KINDS)[number];
export type PerKind<T> = Partial<Readonly<Record<Kind, T>>>;

/** As functions of programs/c/patterns.c, which have _ for -. */
export const PATTERN_NAMES = [
  "pair",
  "churn",
  "fifo",
  "stack256",
  "large-stack",
  "strings",
  "alternate",
  "cycle",
] as const;
export type PatternName = (typeof PATTERN_NAMES)[number];

/** The one argument of a worker, as JSON. */
export interface Job {
  readonly kind: Kind;
  readonly file: string;
  /** Of a module that has the kernel beside it: what bench/programs/link.ts says of it. */
  readonly beside?: { readonly pages: number; readonly heapBase: number };
  /** Of one whose memory threads can share: what it must be. */
  readonly sharedMemory?: { readonly pages: number; readonly maximum: number };
}

export type Request =
  | { readonly job: "pattern"; readonly pattern: PatternName; readonly targetMs: number }
  | { readonly job: "load"; readonly file: string }
  | { readonly job: "replay"; readonly touched: boolean; readonly warmPlays: number };

export type Answer =
  | { readonly kind: "pattern"; readonly plays: readonly Slices[] }
  /** The sum of what a checked play has read; none where there is no allocator. */
  | { readonly kind: "loaded"; readonly opCount: number; readonly checksum?: number }
  | { readonly kind: "replay"; readonly cold: Slices; readonly warm: readonly Slices[] }
  | Failed;

/** Milliseconds of each slice of a play. */
export type Slices = readonly number[];
