// Command: `npm run bench -- within`.
//
// Owns:  which patterns and traces are played, and how often.

import { Progress } from "../../harness/progress.ts";
import { machineText } from "../../harness/run.ts";
import { readMade } from "../../programs/cache.ts";
import { findTraces, QUICK_TRACES } from "../traces/find.ts";
import { measureWithin } from "./measure.ts";
import { PATTERN_NAMES } from "./protocol.ts";
import type { WithinResults } from "./results.ts";

export interface WithinOptions {
  readonly quick?: true;
  readonly traces?: string;
  readonly rounds?: number;
  /** A folder as build/programs/merged is one. */
  readonly before?: string;
}

export interface WithinRun extends WithinResults {
  readonly machine: string;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
}

export const SIZES = { rounds: 5, targetMs: 100, warmPlays: 3 } as const;
export const QUICK = { rounds: 2, targetMs: 30, warmPlays: 2 } as const;

/** `command` is what was typed. */
export async function runWithin(name: string, options: WithinOptions, command: string): Promise<WithinRun> {
  const started = performance.now();
  const found = findTraces(options.traces);
  const work = {
    patterns: PATTERN_NAMES.filter((pattern) => pattern.includes(name)),
    traces: found.traces.filter((trace) =>
      name === "" && options.quick ? QUICK_TRACES.test(trace.name) : trace.name.includes(name),
    ),
    ...(options.before === undefined ? {} : { before: options.before }),
  };
  const progress = new Progress();
  progress.start(work.patterns.length + work.traces.length);
  const sizes = options.quick ? QUICK : SIZES;
  const { rounds = sizes.rounds } = options;
  const results = await measureWithin({ ...sizes, rounds, onStep: (what) => progress.done(what) }, work);
  progress.stop();
  return {
    machine: machineText(),
    command,
    versions: versions(),
    rounds,
    seconds: Math.round((performance.now() - started) / 1000),
    ...results,
    remarks: [...found.remarks, ...results.remarks],
  };
}

function versions(): Record<string, string> {
  const made = readMade();
  const mimalloc = typeof made === "string" ? undefined : made.mimalloc?.version;
  return {
    node: process.versions.node,
    ...(mimalloc === undefined ? {} : { mimalloc: `Debian ${mimalloc}` }),
  };
}
