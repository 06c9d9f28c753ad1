// Command: the typed suite as `npm run bench:typed` asks for it.
//
// Owns:  sizes, rounds, and what is wanted.
// Needs: dist/ as it is.

import { Progress } from "../../harness/progress.ts";
import { machineText } from "../../harness/run.ts";
import { GROUPS } from "./loops/all.ts";
import { measureTyped, type TypedFigures, type TypedPlan } from "./run.ts";

const MILLION = 1e6;
const TARGET_MS = 50;
const QUICK = { rounds: 1, sizes: [1], targetMs: 20 } as const;

export interface TypedOptions {
  readonly rounds: number;
  readonly only: string;
  /** Of the graphs, in millions of nodes. */
  readonly sizes: readonly number[];
  readonly quick?: true;
}

export interface TypedResults extends TypedFigures {
  readonly command: string;
  readonly machine: string;
  readonly node: string;
  readonly rounds: number;
  readonly seconds: number;
}

/** `command` is what was typed. */
export function runTyped(options: TypedOptions, command: string): TypedResults {
  const started = performance.now();
  const progress = new Progress();
  const { rounds, sizes, targetMs } = options.quick ? QUICK : { ...options, targetMs: TARGET_MS };
  const isWanted = (name: string): boolean => name.toLowerCase().includes(options.only.toLowerCase());
  const plan: TypedPlan = {
    rounds,
    sizes: sizes.map((size) => Math.round(size * MILLION)),
    targetMs,
    isWanted,
    onStep: (what) => progress.done(what),
  };
  const loops = GROUPS.flatMap(({ title, loops }) => loops.map(({ name }) => `${title} ${name}`));
  const steps = (isWanted("graph") ? sizes.length : 0) + loops.filter(isWanted).length;
  progress.start(steps * rounds);
  const figures = measureTyped(plan);
  progress.stop();
  const nothing = steps === 0 ? [`Nothing has "${options.only}" in its name.`] : [];
  return {
    command,
    machine: machineText(),
    node: process.versions.node,
    rounds,
    seconds: Math.round((performance.now() - started) / 1000),
    ...figures,
    remarks: [...figures.remarks, ...nothing],
  };
}
