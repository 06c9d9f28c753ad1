// Measure: programs and patterns in WebAssembly, each way of linking in its own process, in turns.
//
// Owns:       rounds, warming up, the subtraction of the patterns' empty loop, and the comparison of what was printed.
// Needs:      what `npm run programs` has made.
// Invariants: M1  within a round every way runs once; who is first changes from round to round
//             M2  a program that prints something else with another allocator, or fails, is reported and has no figures

import { net, type Sample, summarize } from "../../harness/stats.ts";
import { type MadePatterns, type MadeProgram, readMade } from "../../programs/cache.ts";
import { patternJobs, programJobs } from "./jobs.ts";
import {
  type Answer,
  type Job,
  type Kind,
  type Linking,
  PATTERN_NAMES,
  type PatternName,
  type PerLinking,
  type Request,
} from "./protocol.ts";
import { ProgramWorkers } from "./workers.ts";

export interface ProgramPlan {
  readonly rounds: number;
  /** Of one sample of a pattern. */
  readonly targetMs: number;
  /** Told after each program and each pattern. */
  readonly onStep: (what: string) => void;
}

export interface ProgramResult {
  readonly program: string;
  readonly ms: PerLinking<Sample>;
  readonly heapBytes: PerLinking<number>;
}

export interface WasmPatternResult {
  readonly pattern: PatternName;
  readonly nsPerPair: PerLinking<Sample>;
}

export interface ProgramResults {
  readonly programs: readonly ProgramResult[];
  readonly patterns: readonly WasmPatternResult[];
  /** Sentences on what could not be measured. */
  readonly remarks: readonly string[];
}

/** Of all that `npm run programs` has made and is wanted; if it has made nothing, a remark says what to do. */
export async function measureMade(
  plan: ProgramPlan,
  isWanted: (name: string) => boolean,
): Promise<ProgramResults> {
  const made = readMade();
  if (typeof made === "string")
    return { programs: [], patterns: [], remarks: [`Programs and callers in wasm are left out: ${made}`] };
  const mimalloc = made.mimalloc?.object;
  const programs: ProgramResult[] = [];
  const remarks: string[] = [];
  for (const program of made.programs.filter(({ name }) => isWanted(name))) {
    const result = await measureProgram(program, plan, mimalloc);
    plan.onStep(program.name);
    if (typeof result === "string") remarks.push(`${program.name}: ${result}`);
    else programs.push(result);
  }
  const patterns = await measurePatterns(made.patterns, PATTERN_NAMES.filter(isWanted), plan, mimalloc);
  if (typeof patterns !== "string") return { programs, patterns, remarks };
  return { programs, patterns: [], remarks: [...remarks, `patterns in wasm: ${patterns}`] };
}

/** How often onStep will be called. */
export function stepsOfMade(isWanted: (name: string) => boolean): number {
  const made = readMade();
  if (typeof made === "string") return 0;
  return [...made.programs.map(({ name }) => name), ...PATTERN_NAMES].filter(isWanted).length;
}

/** The result, or why there is none. */
async function measureProgram(
  program: MadeProgram,
  plan: ProgramPlan,
  mimalloc: string | undefined,
): Promise<ProgramResult | string> {
  const jobs = await programJobs(program, mimalloc).catch(messageOf);
  if (typeof jobs === "string") return jobs;
  return await withWorkers(jobs, async (workers) => {
    const runs = new Samples();
    const failure = await inTurns(workers, jobs, plan.rounds + 1, { job: "run" }, (way, round, answer) => {
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

async function measurePatterns(
  patterns: MadePatterns,
  names: readonly PatternName[],
  plan: ProgramPlan,
  mimalloc: string | undefined,
): Promise<WasmPatternResult[] | string> {
  if (names.length === 0) return [];
  const jobs = await patternJobs(patterns, mimalloc).catch(messageOf);
  if (typeof jobs === "string") return jobs;
  return await withWorkers(jobs, async (workers) => {
    const results: WasmPatternResult[] = [];
    for (const pattern of names) {
      const samples = new Samples();
      const request: Request = { job: "pattern", pattern, targetMs: plan.targetMs };
      const failure = await inTurns(workers, jobs, plan.rounds + 1, request, (kind, round, answer) => {
        if (answer.kind === "pattern" && round > 0) samples.add(kind, answer.nsPerPair);
      });
      if (failure !== undefined) return failure;
      plan.onStep(`${pattern} in wasm`);
      const nsPerPair = perLinking(jobs, (kind) => net(samples.of(kind), samples.of("nothing")));
      results.push({ pattern, nsPerPair });
    }
    return results;
  });
}

class Samples {
  readonly heapBytes = new Map<Kind, number>();
  readonly #values = new Map<Kind, number[]>();
  readonly #outputs = new Map<Kind, string>();

  add(kind: Kind, value: number): void {
    this.#values.set(kind, [...(this.#values.get(kind) ?? []), value]);
  }

  output(kind: Kind, text: string): void {
    this.#outputs.set(kind, text);
  }

  of(kind: Kind): Sample {
    return summarize(this.#values.get(kind) ?? []);
  }

  /** The first kind whose output is not dlmalloc's. */
  differing(): Kind | undefined {
    const expected = this.#outputs.get("dlmalloc");
    return [...this.#outputs].find(([, text]) => text !== expected)?.[0];
  }
}

/** A failure's reason, if there is one. */
async function inTurns(
  workers: ProgramWorkers,
  jobs: readonly Job[],
  rounds: number,
  request: Request,
  take: (kind: Kind, round: number, answer: Answer) => void,
): Promise<string | undefined> {
  const kinds = jobs.map(({ kind }) => kind);
  for (let round = 0; round < rounds; round++) {
    const first = round % kinds.length;
    for (const kind of [...kinds.slice(first), ...kinds.slice(0, first)]) {
      const answer = await workers.ask(kind, request);
      if (answer.kind === "failed") return `${kind}: ${answer.reason}`;
      take(kind, round, answer);
    }
  }
  return undefined;
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

async function withWorkers<T>(
  jobs: readonly Job[],
  work: (workers: ProgramWorkers) => Promise<T>,
): Promise<T> {
  const workers = new ProgramWorkers(jobs);
  try {
    return await work(workers);
  } finally {
    workers.stop();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
