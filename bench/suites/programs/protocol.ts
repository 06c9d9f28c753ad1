// Protocol: what a worker of programs/ is started with, what it is asked, and what it answers.
//
// Owns:  the messages.

import type { Failed } from "../../harness/job-workers.ts";
import type { Way } from "../../programs/link.ts";

/** How a program is linked; with mimalloc only where its sources are at hand. */
export type Linking = Way | "mimalloc";
export type PerLinking<T> = Readonly<Record<Way, T>> & { readonly mimalloc?: T };

/** The one argument of a worker, as JSON. */
export interface Job {
  readonly kind: Linking;
  readonly file: string;
  /** Of a module that has the kernel beside it: what bench/programs/link.ts says of it. */
  readonly beside: { readonly pages: number; readonly heapBase: number };
  /** The file to run the program on. */
  readonly workload: string;
}

export interface Request {
  readonly job: "run";
}

export type Answer =
  | { readonly kind: "run"; readonly ms: number; readonly heapBytes: number; readonly output: string }
  | Failed;
