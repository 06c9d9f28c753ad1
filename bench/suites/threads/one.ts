// One: a thread alone, on a heap that others could share, beside the same on one that they could not.
//
// Owns:  how the callers of suites/within are linked for it.
// Needs: clang with wasi-libc's headers. What loops and calls take is not counted, as in suites/within.

import type { TraceInput } from "../../harness/inputs.ts";
import { CALLERS, type Caller } from "../../programs/parts.ts";
import { linkOneThread, THREAD_PAGES } from "../../programs/threads.ts";
import { emptyJobs } from "../within/jobs.ts";
import { measurePattern, measureTrace, type WithinPlan } from "../within/measure.ts";
import type { Job, PatternName } from "../within/protocol.ts";
import type { WithinPattern, WithinTrace } from "../within/results.ts";
import type { OneThread } from "./results.ts";

export interface OneThreadWork {
  readonly patterns: readonly PatternName[];
  readonly traces: readonly TraceInput[];
}

/** More than a caller's own data and stack. */
const FIRST_PAGES = 320;

/** What cannot be had is left out, and the remarks say so. */
export async function measureOneThread(
  plan: WithinPlan,
  work: OneThreadWork,
): Promise<OneThread & { readonly remarks: readonly string[] }> {
  const remarks: string[] = [];
  const patterns: WithinPattern[] = [];
  const traces: WithinTrace[] = [];
  const take = <T>(what: string, result: T | string, results: T[]): void => {
    plan.onStep(`${what} with one thread`);
    if (typeof result === "string") remarks.push(`${what} with one thread: ${result}`);
    else results.push(result);
  };
  const jobsFor = async (caller: Caller, things: readonly unknown[]): Promise<readonly Job[]> =>
    things.length === 0 ? [] : await oneThreadJobs(caller).catch((error) => left(caller, error, remarks));
  const patternJobs = await jobsFor("patterns", work.patterns);
  if (patternJobs.length > 0)
    for (const pattern of work.patterns)
      take(pattern, await measurePattern(patternJobs, plan, pattern), patterns);
  const traceJobs = await jobsFor("replay", work.traces);
  if (traceJobs.length > 0)
    for (const input of work.traces) take(input.name, await measureTrace(traceJobs, plan, input), traces);
  return { patterns, traces, remarks };
}

/** Throws with the words of what could not be linked. */
async function oneThreadJobs(caller: Caller): Promise<Job[]> {
  const exports = CALLERS[caller];
  const sharedMemory = { pages: FIRST_PAGES, maximum: THREAD_PAGES };
  return [
    ...emptyJobs(caller),
    { kind: "merged", file: await linkOneThread(caller, exports, false) },
    { kind: "shared", file: await linkOneThread(caller, exports, true), sharedMemory },
  ];
}

function left(caller: Caller, error: unknown, remarks: string[]): readonly Job[] {
  const reason = error instanceof Error ? error.message : String(error);
  remarks.push(`${caller} with one thread are left out: ${reason}`);
  return [];
}
