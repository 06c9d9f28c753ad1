// Measure: patterns with several threads, each allocator in its own process, in turns.
//
// Owns:       rounds, and that nothing is timed that has not been checked.
// Needs:      clang with wasi-libc's headers; the network or what has been fetched, for the peers.
// Invariants: M1  an allocator that fails a pattern's checked play, or any other, has no figures of it, and a remark says so

import { fileURLToPath } from "node:url";
import { JobWorkers } from "../../harness/job-workers.ts";
import type { Sample } from "../../harness/stats.ts";
import { linkThreads, THREAD_ALLOCATORS, type ThreadAllocator } from "../../programs/threads.ts";
import { playTime } from "../within/results.ts";
import {
  type Answer,
  CALLERS,
  type Caller,
  FROM_JAVASCRIPT,
  isApart,
  type Job,
  type PatternName,
  type PerShape,
  type Played,
  type Request,
  SHAPES,
  type Shape,
} from "./protocol.ts";
import type { PerAllocator, ThreadsPattern } from "./results.ts";

export interface ThreadsPlan {
  readonly rounds: number;
  /** How long a pattern is played over and over with so many threads in each round. */
  readonly targetMs: number;
  /** Told after each pattern. */
  readonly onStep: (what: string) => void;
}

type Workers = JobWorkers<ThreadAllocator, Request, Answer>;
/** Beside this file, as a source or compiled. */
const WORKER = fileURLToPath(import.meta.url).replace(/measure(\.[jt]s)$/, "worker$1");
/** What threads apart tell is of the machine: one allocator tells it. */
const APART: ThreadAllocator = "merged";

/** What cannot be had is left out, and the remarks say so. */
export async function measureThreads(
  plan: ThreadsPlan,
  patterns: readonly PatternName[],
): Promise<{ readonly patterns: readonly ThreadsPattern[]; readonly remarks: readonly string[] }> {
  const remarks: string[] = [];
  const jobs: Job[] = [];
  for (const kind of patterns.length > 0 ? THREAD_ALLOCATORS : []) {
    const file = await linkThreads(kind).catch(messageOf);
    if (typeof file === "string") jobs.push({ kind, file });
    else remarks.push(`${kind} with threads is left out: ${file.failure}`);
  }
  const results: ThreadsPattern[] = [];
  for (const pattern of patterns)
    for (const caller of CALLERS.filter((all) => all === "wasm" || FROM_JAVASCRIPT.includes(pattern))) {
      const nsPerBlock = await measurePattern(jobs, plan, pattern, caller, remarks);
      if (Object.keys(nsPerBlock).length > 0) results.push({ pattern, caller, nsPerBlock });
      plan.onStep(`${pattern} from ${caller}`);
    }
  return { patterns: results, remarks };
}

/** Processes of their own for each pattern: none has seen another's heap. */
async function measurePattern(
  jobs: readonly Job[],
  plan: ThreadsPlan,
  pattern: PatternName,
  caller: Caller,
  remarks: string[],
): Promise<PerAllocator<PerShape<Sample>>> {
  const workers: Workers = new JobWorkers(WORKER, jobs);
  return await workers.use(async () => {
    const collected = new Map<ThreadAllocator, Map<Shape, Played>>();
    const request: Request = { pattern, caller, shapes: SHAPES, targetMs: plan.targetMs };
    const sound = await checked(workers, jobs, request, remarks);
    for (let round = 0; round < plan.rounds; round++)
      for (const kind of turned([...sound], round)) {
        const shapes = SHAPES.filter((shape) => kind === APART || !isApart(shape));
        const answer = await workers.ask(kind, { ...request, shapes });
        if (answer.kind === "played") collect(collected, kind, answer.plays);
        else {
          remarks.push(`${kind}, ${pattern} from ${caller}: ${answer.reason}`);
          sound.delete(kind);
          collected.delete(kind);
        }
      }
    return Object.fromEntries([...collected].map(([kind, shapes]) => [kind, samplesOf(shapes)]));
  });
}

/** Those that have played the pattern with blocks filled and read. From JavaScript the same modules are called. */
async function checked(
  workers: Workers,
  jobs: readonly Job[],
  request: Request,
  remarks: string[],
): Promise<Set<ThreadAllocator>> {
  const sound = new Set(jobs.map(({ kind }) => kind));
  if (request.caller === "javascript") return sound;
  for (const { kind } of jobs) {
    const shapes = SHAPES.filter((shape) => !isApart(shape));
    const answer = await workers.ask(kind, { ...request, shapes, isChecked: true });
    if (answer.kind !== "failed") continue;
    remarks.push(`${kind}, ${request.pattern} checked: ${answer.reason}`);
    sound.delete(kind);
  }
  return sound;
}

/** Whoever is first changes. */
function turned<T>(all: readonly T[], round: number): T[] {
  const first = all.length === 0 ? 0 : round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

function collect(
  all: Map<ThreadAllocator, Map<Shape, Played>>,
  kind: ThreadAllocator,
  played: PerShape<Played>,
): void {
  const shapes = all.get(kind) ?? new Map<Shape, Played>();
  all.set(kind, shapes);
  for (const shape of SHAPES) {
    const one = played[shape];
    if (one === undefined) continue;
    const before = shapes.get(shape)?.plays ?? [];
    shapes.set(shape, { blocks: one.blocks, plays: [...before, ...one.plays] });
  }
}

function samplesOf(shapes: ReadonlyMap<Shape, Played>): PerShape<Sample> {
  return Object.fromEntries(
    [...shapes].map(([shape, { blocks, plays }]) => [shape, playTime(plays, 1e6 / blocks)]),
  );
}

function messageOf(error: unknown): { readonly failure: string } {
  return { failure: error instanceof Error ? error.message : String(error) };
}
