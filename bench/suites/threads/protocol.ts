// Protocol: what a process of threads/ is started with, what it is asked and answers, and what it tells its threads.
//
// Owns:  the messages, and the names of what is compared.

import type { Failed } from "../../harness/job-workers.ts";
import type { ThreadAllocator, ThreadFunction } from "../../programs/threads.ts";
import type { Slices } from "../within/protocol.ts";

export const PATTERN_NAMES = [
  "own-small",
  "own-chunks",
  "larson",
  "xmalloc-64",
  "xmalloc-mixed",
  "mstress",
  "rptest",
  "rptest-exponential",
] as const;
export type PatternName = (typeof PATTERN_NAMES)[number];

/** Where the loop is that calls the allocator. */
export const CALLERS = ["wasm", "javascript"] as const;
export type Caller = (typeof CALLERS)[number];
/** Those that calls.ts has. */
export const FROM_JAVASCRIPT: readonly PatternName[] = ["own-small", "own-chunks", "larson", "xmalloc-64"];

/** How many threads there are; "apart": each has a memory of its own, and all that is shared is the machine. */
export const SHAPES = ["1", "2", "4", "2 apart", "4 apart"] as const;
export type Shape = (typeof SHAPES)[number];
export type PerShape<T> = Partial<Readonly<Record<Shape, T>>>;

export const threadsOf = (shape: Shape): number => Number.parseInt(shape, 10);
export const isApart = (shape: Shape): boolean => shape.endsWith("apart");

/** As C has the pattern. */
export function functionOf(pattern: PatternName): ThreadFunction {
  // A border: the names differ in this only.
  return pattern.replaceAll("-", "_") as ThreadFunction;
}

/** The one argument of a process, as JSON. */
export interface Job {
  readonly kind: ThreadAllocator;
  readonly file: string;
}

export interface Request {
  readonly pattern: PatternName;
  readonly caller: Caller;
  readonly shapes: readonly Shape[];
  /** Blocks are filled and read, and no time is taken. */
  readonly isChecked?: true;
  readonly targetMs: number;
}

export type Answer = { readonly kind: "played"; readonly plays: PerShape<Played> } | Failed;

export interface Played {
  /** Of all threads together, in a slice. */
  readonly blocks: number;
  readonly plays: readonly Slices[];
}

/** What a thread is told: one play. */
export interface Order {
  /** How many play at once. */
  readonly count: number;
  /** Its number among those that share its memory, and how many these are. */
  readonly index: number;
  readonly among: number;
  readonly pattern: PatternName;
  readonly isChecked: boolean;
  readonly memory: WebAssembly.Memory;
  readonly caller: CallerOrder;
  /** Two words, where threads wait for each other: how many have come, and how often all have. */
  readonly gate: Int32Array;
  readonly slices: number;
  readonly steps: number;
}

export type CallerOrder =
  | { readonly kind: "wasm"; readonly module: WebAssembly.Module }
  /** The functions of the module, or the library's on this address; and what the loop keeps. */
  | {
      readonly kind: "javascript";
      readonly from: { readonly module: WebAssembly.Module } | { readonly base: number };
      readonly state: SharedArrayBuffer;
    };

export type ThreadAnswer =
  | {
      readonly kind: "done";
      /** Nanoseconds of a clock that all threads have. */
      readonly begins: readonly number[];
      readonly ends: readonly number[];
      readonly blocks: number;
    }
  | Failed;
