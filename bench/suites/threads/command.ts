// Command: `npm run bench -- threads`.
//
// Owns:  which patterns and traces are played, and how often.

import { Progress } from "../../harness/progress.ts";
import { machineText } from "../../harness/run.ts";
import { debianVersion } from "../../peers/clang.ts";
import { readMade } from "../../programs/cache.ts";
import { findTraces, QUICK_TRACES } from "../traces/find.ts";
import { PATTERN_NAMES as ONE_THREAD_PATTERNS } from "../within/protocol.ts";
import { measureThreads } from "./measure.ts";
import { measureOneThread } from "./one.ts";
import { CALLERS, FROM_JAVASCRIPT, PATTERN_NAMES } from "./protocol.ts";
import type { ThreadsRun } from "./results.ts";

export interface ThreadsOptions {
  readonly quick?: true;
  readonly traces?: string;
  readonly rounds?: number;
}

const SIZES = { rounds: 5, targetMs: 300, oneMs: 100, warmPlays: 3 } as const;
const QUICK = { rounds: 2, targetMs: 60, oneMs: 30, warmPlays: 2 } as const;

/** `command` is what was typed. */
export async function runThreads(
  name: string,
  options: ThreadsOptions,
  command: string,
): Promise<ThreadsRun> {
  const started = performance.now();
  const found = findTraces(options.traces);
  const isNamed = (each: string): boolean => each.includes(name);
  const patterns = PATTERN_NAMES.filter(isNamed);
  const work = {
    patterns: ONE_THREAD_PATTERNS.filter(isNamed),
    traces: found.traces.filter((trace) =>
      name === "" && options.quick ? QUICK_TRACES.test(trace.name) : isNamed(trace.name),
    ),
  };
  const sizes = options.quick ? QUICK : SIZES;
  const { rounds = sizes.rounds } = options;
  const progress = new Progress();
  const onStep = (what: string): void => progress.done(what);
  const callers = patterns.flatMap((pattern) => (FROM_JAVASCRIPT.includes(pattern) ? CALLERS : "wasm"));
  progress.start(callers.length + work.patterns.length + work.traces.length);
  const threads = await measureThreads({ rounds, targetMs: sizes.targetMs, onStep }, patterns);
  const plan = { rounds, targetMs: sizes.oneMs, warmPlays: sizes.warmPlays, onStep };
  const { patterns: onePatterns, traces, remarks } = await measureOneThread(plan, work);
  progress.stop();
  return {
    machine: machineText(),
    command,
    versions: versions(),
    rounds,
    seconds: Math.round((performance.now() - started) / 1000),
    patterns: threads.patterns,
    one: { patterns: onePatterns, traces },
    remarks: [...found.remarks, ...threads.remarks, ...remarks],
  };
}

function versions(): Record<string, string> {
  const made = readMade();
  const mimalloc = typeof made === "string" ? undefined : made.mimalloc?.version;
  return {
    node: process.versions.node,
    dlmalloc: `wasi-libc ${debianVersion("wasi-libc")}, with locks`,
    ...(mimalloc === undefined ? {} : { mimalloc: `Debian ${mimalloc}` }),
  };
}
