// Measure: programs in WebAssembly, each way of linking in its own process, in turns.
//
// Owns:       rounds, warming up, and the comparison of what was printed.
// Needs:      what `npm run programs` has made.
// Invariants: M1  a program that prints something else with another allocator, or fails, is reported and has no figures

import { fileURLToPath } from "node:url";
import { JobWorkers } from "../../harness/job-workers.ts";
import { type Sample, summarize } from "../../harness/stats.ts";
import { type MadeProgram, readMade } from "../../programs/cache.ts";
import { programJobs } from "./jobs.ts";
import type { Answer, Job, Linking, PerLinking, Request } from "./protocol.ts";

type ProgramWorkers = JobWorkers<Linking, Request, Answer>;
/** Beside this file, as a source or compiled. */
const WORKER = fileURLToPath(import.meta.url).replace(/measure(\.[jt]s)$/, "worker$1");

export interface ProgramPlan {
  readonly rounds: number;
  /** Told after each program. */
  readonly onStep: (what: string) => void;
}

export interface ProgramResult {
  readonly program: string;
  readonly ms: PerLinking<Sample>;
  readonly heapBytes: PerLinking<number>;
}

export interface ProgramResults {
  readonly programs: readonly ProgramResult[];
  /** Sentences on what could not be measured. */
  readonly remarks: readonly string[];
}

/** Of all that `npm run programs` has made and is wanted; if it has made nothing, a remark says what to do. */
export async function measureMade(
  plan: ProgramPlan,
  isWanted: (name: string) => boolean,
): Promise<ProgramResults> {
  const made = readMade();
  if (typeof made === "string") return { programs: [], remarks: [`Programs in wasm are left out: ${made}`] };
  const mimalloc = made.mimalloc?.object;
  const programs: ProgramResult[] = [];
  const remarks: string[] = [];
  for (const program of made.programs.filter(({ name }) => isWanted(name))) {
    const result = await measureProgram(program, plan, mimalloc);
    plan.onStep(program.name);
    if (typeof result === "string") remarks.push(`${program.name}: ${result}`);
    else programs.push(result);
  }
  return { programs, remarks };
}

/** How often onStep will be called. */
export function stepsOfMade(isWanted: (name: string) => boolean): number {
  const made = readMade();
  if (typeof made === "string") return 0;
  return made.programs.filter(({ name }) => isWanted(name)).length;
}

/** The result, or why there is none. */
async function measureProgram(
  program: MadeProgram,
  plan: ProgramPlan,
  mimalloc: string | undefined,
): Promise<ProgramResult | string> {
  const jobs = await programJobs(program, mimalloc).catch(messageOf);
  if (typeof jobs === "string") return jobs;
  const started: ProgramWorkers = new JobWorkers(WORKER, jobs);
  return await started.use(async (workers) => {
    const runs = new Samples();
    const failure = await workers.inTurns(plan.rounds + 1, { job: "run" }, (way, round, answer) => {
      if (answer.kind !== "run") return;
      runs.output(way, answer.output);
      runs.heapBytes.set(way, answer.heapBytes);
      // The first compiles.
      if (round > 0) runs.add(way, answer.ms);
    });
    if (failure !== undefined) return failure;
    const differing = runs.differing();
    if (differing !== undefined) return `it prints something else when ${differing} than with dlmalloc`;
    const ms = perLinking(jobs, (kind) => runs.of(kind));
    return {
      program: program.name,
      ms,
      heapBytes: perLinking(jobs, (kind) => runs.heapBytes.get(kind) ?? 0),
    };
  });
}

class Samples {
  readonly heapBytes = new Map<Linking, number>();
  readonly #values = new Map<Linking, number[]>();
  readonly #outputs = new Map<Linking, string>();

  add(kind: Linking, value: number): void {
    this.#values.set(kind, [...(this.#values.get(kind) ?? []), value]);
  }

  output(kind: Linking, text: string): void {
    this.#outputs.set(kind, text);
  }

  of(kind: Linking): Sample {
    return summarize(this.#values.get(kind) ?? []);
  }

  /** The first kind whose output is not dlmalloc's. */
  differing(): Linking | undefined {
    const expected = this.#outputs.get("dlmalloc");
    return [...this.#outputs].find(([, text]) => text !== expected)?.[0];
  }
}

/** With mimalloc if it has a job. */
function perLinking<T>(jobs: readonly Job[], of: (kind: Linking) => T): PerLinking<T> {
  const isThere = jobs.some(({ kind }) => kind === "mimalloc");
  return {
    dlmalloc: of("dlmalloc"),
    ...(isThere ? { mimalloc: of("mimalloc") } : {}),
    tlsf: of("tlsf"),
    merged: of("merged"),
    beside: of("beside"),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
