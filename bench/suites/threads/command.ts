// Command: `npm run bench -- threads`.
//
// Owns:  which patterns are played, and how often.

import { debianVersion } from "../../peers/clang.ts";
import { type Asked, type ModulesOptions, runModules } from "../modules.ts";
import { PATTERN_NAMES as ONE_THREAD_PATTERNS } from "../within/protocol.ts";
import { measureThreads } from "./measure.ts";
import { measureOneThread } from "./one.ts";
import { CALLERS, FROM_JAVASCRIPT, PATTERN_NAMES } from "./protocol.ts";
import type { ThreadsRun } from "./results.ts";

interface Sizes {
  readonly rounds: number;
  /** How long a pattern with threads is played in each round. */
  readonly targetMs: number;
  /** How long one with a thread alone is. */
  readonly oneMs: number;
  readonly warmPlays: number;
}

const SIZES: Sizes = { rounds: 5, targetMs: 300, oneMs: 100, warmPlays: 3 };
const QUICK: Sizes = { rounds: 2, targetMs: 60, oneMs: 30, warmPlays: 2 };

export function runThreads(asked: Asked<ModulesOptions>): Promise<ThreadsRun> {
  const versions = { dlmalloc: `wasi-libc ${debianVersion("wasi-libc")}, with locks` };
  return runModules(asked, { usual: SIZES, quick: QUICK }, versions, async (work) => {
    const { isNamed, traces, sizes, progress } = work;
    const { rounds, targetMs, oneMs, warmPlays } = sizes;
    const patterns = PATTERN_NAMES.filter(isNamed);
    const onePatterns = ONE_THREAD_PATTERNS.filter(isNamed);
    const callers = patterns.flatMap((pattern) => (FROM_JAVASCRIPT.includes(pattern) ? CALLERS : "wasm"));
    progress.start(callers.length + onePatterns.length + traces.length);
    const onStep = (what: string): void => progress.done(what);
    const threads = await measureThreads({ rounds, targetMs, onStep }, patterns);
    const plan = { rounds, targetMs: oneMs, warmPlays, onStep };
    const { remarks, ...one } = await measureOneThread(plan, { patterns: onePatterns, traces });
    return { patterns: threads.patterns, one, remarks: [...threads.remarks, ...remarks] };
  });
}
