// Measure: patterns and traces whose caller is in WebAssembly, each allocator in its own process, in turns.
//
// Owns:       rounds, and what the samples of each kind are.
// Needs:      clang with wasi-libc; for mimalloc what `npm run programs` has made.
// Invariants: M1  a trace of which an allocator reads something else than the first one, or fails, is reported and has no figures

import { fileURLToPath } from "node:url";
import type { TraceInput } from "../../harness/inputs.ts";
import { JobWorkers } from "../../harness/job-workers.ts";
import type { Variant } from "../../harness/results.ts";
import type { Sample } from "../../harness/stats.ts";
import { readMade } from "../../programs/cache.ts";
import { type Others, patternJobs, replayJobs } from "./jobs.ts";
import { PLAY_PAIRS } from "./loop.ts";
import type { Answer, Job, Kind, PatternName, PerKind, Request, Slices } from "./protocol.ts";
import { netTimes, playTime, type WithinPattern, type WithinResults, type WithinTrace } from "./results.ts";

export interface WithinPlan {
  readonly rounds: number;
  /** How long a pattern is played over and over in each round. */
  readonly targetMs: number;
  /** How often a trace is played on a heap after the first time. */
  readonly warmPlays: number;
  /** Told after each pattern and each trace. */
  readonly onStep: (what: string) => void;
}

export interface WithinWork {
  readonly patterns: readonly PatternName[];
  readonly traces: readonly TraceInput[];
  /** A folder as build/programs/merged is one, of an earlier build. */
  readonly before?: string;
}

type Workers = JobWorkers<Kind, Request, Answer>;
/** Beside this file, as a source or compiled. */
const WORKER = fileURLToPath(import.meta.url).replace(/measure(\.[jt]s)$/, "worker$1");

/** What cannot be had is left out, and the remarks say so. */
export async function measureWithin(plan: WithinPlan, work: WithinWork): Promise<WithinResults> {
  const remarks: string[] = [];
  const patterns: WithinPattern[] = [];
  const traces: WithinTrace[] = [];
  const take = <T>(what: string, result: T | string, results: T[]): void => {
    plan.onStep(`${what} within wasm`);
    if (typeof result === "string") remarks.push(`${what} within wasm: ${result}`);
    else results.push(result);
  };
  const made = readMade();
  if (typeof made === "string") remarks.push(`mimalloc within wasm is left out: ${made}`);
  const mimalloc = typeof made === "string" ? undefined : made.mimalloc?.object;
  const others: Others = { mimalloc, before: work.before };
  const patternsJobs = work.patterns.length > 0 ? await patternJobs(others).catch(messageOf) : [];
  if (typeof patternsJobs === "string") remarks.push(`patterns within wasm are left out: ${patternsJobs}`);
  else
    for (const pattern of work.patterns)
      take(pattern, await measurePattern(patternsJobs, plan, pattern), patterns);
  const tracesJobs = work.traces.length > 0 ? await replayJobs(others).catch(messageOf) : [];
  if (typeof tracesJobs === "string") remarks.push(`traces within wasm are left out: ${tracesJobs}`);
  else for (const input of work.traces) take(input.name, await measureTrace(tracesJobs, plan, input), traces);
  return { patterns, traces, remarks };
}

/** Or why there are no figures. */
export async function measurePattern(
  jobs: readonly Job[],
  plan: WithinPlan,
  pattern: PatternName,
): Promise<WithinPattern | string> {
  const plays = new Map<Kind, Slices[]>();
  const request: Request = { job: "pattern", pattern, targetMs: plan.targetMs };
  const failure = await workersFor(jobs).use((workers) =>
    workers.inTurns(plan.rounds, request, (kind, _round, answer) => {
      if (answer.kind === "pattern") plays.set(kind, [...(plays.get(kind) ?? []), ...answer.plays]);
    }),
  );
  return failure ?? { pattern, nsPerPair: timesOf(plays, PLAY_PAIRS) };
}

export async function measureTrace(
  jobs: readonly Job[],
  plan: WithinPlan,
  input: TraceInput,
): Promise<WithinTrace | string> {
  return await workersFor(jobs).use(async (workers) => {
    const opCount = await loadedOps(workers, input.file);
    if (typeof opCount === "string") return opCount;
    const untouched = await measureReplays(workers, plan, opCount, false);
    if (typeof untouched === "string") return untouched;
    const touched = await measureReplays(workers, plan, opCount, true);
    if (typeof touched === "string") return touched;
    const nsPerCall: Record<Variant, PerKind<Sample>> = {
      "cold untouched": untouched.cold,
      "cold touched": touched.cold,
      "warm untouched": untouched.warm,
      "warm touched": touched.warm,
    };
    return { input, opCount, nsPerCall };
  });
}

/** How many calls the trace has; or who cannot play it. */
async function loadedOps(workers: Workers, file: string): Promise<number | string> {
  const checksums = new Map<Kind, number>();
  let opCount = 0;
  const failure = await workers.inTurns(1, { job: "load", file }, (kind, _round, answer) => {
    if (answer.kind !== "loaded") return;
    opCount = answer.opCount;
    if (answer.checksum !== undefined) checksums.set(kind, answer.checksum);
  });
  if (failure !== undefined) return failure;
  const [[first, expected] = ["nothing", 0]] = checksums;
  const differing = [...checksums].find(([, checksum]) => checksum !== expected)?.[0];
  return differing === undefined
    ? opCount
    : `${differing} reads something else from its blocks than ${first}`;
}

async function measureReplays(
  workers: Workers,
  plan: WithinPlan,
  opCount: number,
  touched: boolean,
): Promise<{ readonly cold: PerKind<Sample>; readonly warm: PerKind<Sample> } | string> {
  const cold = new Map<Kind, Slices[]>();
  const warm = new Map<Kind, Slices[]>();
  const request: Request = { job: "replay", touched, warmPlays: plan.warmPlays };
  const failure = await workers.inTurns(plan.rounds, request, (kind, _round, answer) => {
    if (answer.kind !== "replay") return;
    cold.set(kind, [...(cold.get(kind) ?? []), answer.cold]);
    warm.set(kind, [...(warm.get(kind) ?? []), ...answer.warm]);
  });
  return failure ?? { cold: timesOf(cold, opCount), warm: timesOf(warm, opCount) };
}

/** Net nanoseconds, of plays of so many calls. */
function timesOf(plays: ReadonlyMap<Kind, readonly Slices[]>, calls: number): PerKind<Sample> {
  const gross = [...plays].map(([kind, of]) => [kind, playTime(of, 1e6 / calls)] as const);
  return netTimes(Object.fromEntries(gross));
}

/** Processes of their own for each pattern and each trace: none has seen another's heap. */
function workersFor(jobs: readonly Job[]): Workers {
  return new JobWorkers(WORKER, jobs);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
