// Run: the graph and the loops, each sample in a process of its own, in turns.
//
// Owns:       rounds, who comes first in each, and that all variants walk the same tree.
// Needs:      worker.js beside this file; node.
// Invariants: M1  within a round every variant runs once; who is first changes from round to round
//             M2  one process runs at a time
//             M3  a variant that fails, or whose sum is not the others', is reported and has no figures

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Sample, summarize } from "../../harness/stats.ts";
import { GROUPS } from "./loops/all.ts";
import type { Loop } from "./loops/loop.ts";
import { GRAPH_NAMES, type GraphAnswer, type GraphName, type Job, type LoopAnswer } from "./protocol.ts";

export interface TypedPlan {
  readonly rounds: number;
  /** How many nodes each graph has. */
  readonly sizes: readonly number[];
  /** Of one sample of a loop. */
  readonly targetMs: number;
  readonly isWanted: (name: string) => boolean;
  /** Told after each graph's and each loop's round. */
  readonly onStep: (what: string) => void;
}

export interface GraphFigures {
  readonly buildMs: Sample;
  readonly walkMs: Sample;
  readonly dropMs: Sample;
  /** Building and dropping one after the other. */
  readonly buildAndDropMs: Sample;
  readonly residentBytes: Sample;
  /** The longest time in which nothing else could have run, in any phase. */
  readonly pauseMs: Sample;
  readonly gcMs: Sample;
}

export interface GraphResult {
  readonly nodes: number;
  readonly figures: Partial<Record<GraphName, GraphFigures>>;
}

export interface LoopFigures {
  readonly ns: Sample;
  readonly heapBytes: number;
}

export interface LoopResult {
  readonly loop: string;
  readonly figures: Readonly<Record<string, LoopFigures>>;
}

export interface GroupResult {
  readonly title: string;
  readonly loops: readonly LoopResult[];
}

export interface TypedFigures {
  readonly graphs: readonly GraphResult[];
  readonly groups: readonly GroupResult[];
  /** Sentences on what could not be measured. */
  readonly remarks: readonly string[];
}

export function measureTyped(plan: TypedPlan): TypedFigures {
  const remarks: string[] = [];
  const graphs = plan.isWanted("graph") ? plan.sizes.map((nodes) => measureGraph(plan, nodes, remarks)) : [];
  const groups = GROUPS.map(({ title, loops }) => ({
    title,
    loops: loops
      .filter(({ name }) => plan.isWanted(`${title} ${name}`))
      .map((loop) => measureLoop(plan, loop, remarks)),
  }));
  return { graphs, groups: groups.filter(({ loops }) => loops.length > 0), remarks };
}

function measureGraph(plan: TypedPlan, nodes: number, remarks: string[]): GraphResult {
  const answers = new Answers<GraphName, GraphAnswer>(GRAPH_NAMES);
  inTurns(plan, `graph of ${nodes}`, answers, (variant) => ({ part: "graph", variant, nodes }));
  const [expected] = answers.of("objects").map(({ sum }) => sum);
  const figures: Partial<Record<GraphName, GraphFigures>> = {};
  for (const name of GRAPH_NAMES) {
    const found = answers.of(name);
    if (found.some(({ sum }) => sum !== expected)) answers.fail(name, "its walk gives another sum");
    else if (found.length > 0) figures[name] = graphFigures(found);
  }
  for (const [name, reason] of answers.failures) remarks.push(`graph of ${nodes}, ${name}: ${reason}`);
  return { nodes, figures };
}

function graphFigures(answers: readonly GraphAnswer[]): GraphFigures {
  const of = (value: (answer: GraphAnswer) => number): Sample => summarize(answers.map(value));
  return {
    buildMs: of(({ build }) => build.ms),
    walkMs: of(({ walk }) => walk.ms),
    dropMs: of(({ drop }) => drop.ms),
    buildAndDropMs: of(({ build, drop }) => build.ms + drop.ms),
    residentBytes: of(({ residentBytes }) => residentBytes),
    pauseMs: of(({ build, walk, drop }) => Math.max(build.longestMs, walk.longestMs, drop.longestMs)),
    gcMs: of(({ longestGcMs }) => longestGcMs),
  };
}

function measureLoop(plan: TypedPlan, loop: Loop, remarks: string[]): LoopResult {
  const answers = new Answers<string, LoopAnswer>(Object.keys(loop.variants));
  const { targetMs } = plan;
  inTurns(plan, loop.name, answers, (variant) => ({ part: "loops", loop: loop.name, variant, targetMs }));
  for (const [variant, reason] of answers.failures) remarks.push(`${loop.name}, ${variant}: ${reason}`);
  const figures: Record<string, LoopFigures> = {};
  for (const variant of Object.keys(loop.variants)) {
    const found = answers.of(variant);
    if (found.length === 0) continue;
    const heapBytes = Math.min(...found.map((answer) => answer.heapBytes));
    figures[variant] = { ns: summarize(found.map(({ ns }) => ns)), heapBytes };
  }
  return { loop: loop.name, figures };
}

/** What has been answered, by variant. One that has failed is not asked again, and has no answers. */
class Answers<N extends string, A> {
  readonly failures = new Map<N, string>();
  readonly #answers: Map<N, A[]>;

  constructor(names: readonly N[]) {
    this.#answers = new Map(names.map((name) => [name, []]));
  }

  get remaining(): N[] {
    return [...this.#answers.keys()].filter((name) => !this.failures.has(name));
  }

  add(name: N, answer: A): void {
    this.#answers.get(name)?.push(answer);
  }

  fail(name: N, reason: string): void {
    this.failures.set(name, reason);
  }

  of(name: N): readonly A[] {
    return this.failures.has(name) ? [] : (this.#answers.get(name) ?? []);
  }
}

function inTurns<N extends string, A>(
  plan: TypedPlan,
  what: string,
  answers: Answers<N, A>,
  jobOf: (name: N) => Job,
): void {
  for (let round = 0; round < plan.rounds; round++) {
    const names = answers.remaining;
    const first = round % Math.max(1, names.length);
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const answer = ask<A>(jobOf(name));
      if (typeof answer === "string") answers.fail(name, answer);
      else answers.add(name, answer.answer);
    }
    plan.onStep(`${what}, round ${round + 1} of ${plan.rounds}`);
  }
}

const WORKER = fileURLToPath(import.meta.url).replace(/run(\.[jt]s)$/, "worker$1");
/** Room for the plain objects; nobody else needs it. */
const OLD_SPACE_MB = 8192;

/** The answer, or why there is none. */
function ask<A>(job: Job): { readonly answer: A } | string {
  const args = ["--expose-gc", `--max-old-space-size=${OLD_SPACE_MB}`, WORKER, JSON.stringify(job)];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) return `its process ended (${signal ?? status}): ${lastLineOf(stderr)}`;
  // A border: the worker prints nothing but the answer to this job.
  return { answer: JSON.parse(stdout) as A };
}

function lastLineOf(text: string): string {
  return text.split("\n").find((line) => line.includes("rror")) ?? text.trim().split("\n").at(-1) ?? "";
}
