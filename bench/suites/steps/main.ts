// Steps: how many loads and stores each call takes, for every trace at hand. Figures that do not depend on the machine.
//
// Owns:  the figures that test/replay/steps.test.ts holds the kernel to.
// Needs: #steps, the traces.

import { writeFileSync } from "node:fs";
import path from "node:path";
import { openTrace, readTraceFile, traceName, whyNoTrace } from "@morecore/inspect";
import { profileTrace } from "#steps";
import { HELD_STEPS, ROOT } from "../../harness/paths.ts";
import { SCALE_LIVE } from "../../harness/patterns.ts";
import { Progress } from "../../harness/progress.ts";
import { toTerminal } from "../../harness/tables.ts";
import { findTraces } from "../traces/find.ts";
import { scaleTrace } from "./scale-trace.ts";
import { stepsJson, stepsTables, type TraceSteps } from "./tables.ts";

/** Of the rows that replace random ones of so many live blocks, once those are there. */
export const SCALE_NAME = "scale";
const SCALE_PAIRS = 500_000;
const NOT_ALL_DONE = 2;

export interface StepsOptions {
  readonly json?: true;
  readonly hold?: true;
  readonly unlimited?: true;
  readonly only?: string;
  readonly traces?: string;
}

/** What test/replay/steps.test.ts reads, by the trace's name. */
export interface HeldSteps {
  readonly calls: number;
  readonly mean: number;
  /** Of any call. */
  readonly worst: number;
  /** Refill and growth aside. */
  readonly worstOrdinary: number;
}

/** Prints; the exit code, which is 2 if a file is no sound trace. */
export function runSteps(files: readonly string[], options: StepsOptions): number {
  const results = files.length > 0 ? countFiles(files, options.unlimited) : countUsual(options);
  const text = options.json ? stepsJson(results) : stepsTables(results).map(toTerminal).join("\n");
  if (results.length > 0 || options.json) console.log(text);
  if (options.hold) hold(HELD_STEPS, results);
  return files.length > results.length ? NOT_ALL_DONE : 0;
}

/** Those that cannot be counted are named on stderr. */
function countFiles(files: readonly string[], unlimited?: true): TraceSteps[] {
  return files.flatMap((file) => {
    try {
      return { trace: traceName(file), ...profileTrace(openTrace(file, unlimited)) };
    } catch (error) {
      console.error(`bench: ${file}: ${whyNoTrace(error)}`);
      return [];
    }
  });
}

/** The traces at hand, and the live sets. */
function countUsual(options: StepsOptions): TraceSteps[] {
  // Only what is in the repository can be held to everywhere, and all of it is.
  const { folder, only = "" } = options.hold
    ? { folder: path.join(ROOT, "traces") }
    : { folder: options.traces, only: options.only };
  const { traces, remarks } = findTraces(folder);
  const wanted = traces.filter(({ name }) => name.includes(only));
  const scales = options.hold || !SCALE_NAME.includes(only) ? [] : SCALE_LIVE;
  const progress = new Progress();
  progress.start(wanted.length + scales.length);
  const results: TraceSteps[] = [];
  const add = (counted: TraceSteps) => {
    results.push(counted);
    progress.done(counted.trace);
  };
  for (const { name, file } of wanted) add(countTrace(name, file));
  for (const live of scales) add(countScale(live));
  progress.stop();
  for (const remark of remarks) console.error(remark);
  return results;
}

export function countTrace(name: string, file: string): TraceSteps {
  return { trace: name, ...profileTrace(readTraceFile(file)) };
}

export function countScale(live: number): TraceSteps {
  const { trace, from } = scaleTrace(live, SCALE_PAIRS);
  return { trace: `${SCALE_NAME} ${live}`, ...profileTrace(trace, from) };
}

function hold(file: string, results: readonly TraceSteps[]): void {
  const held = results.map(({ trace, calls, kinds: [all] }): [string, HeldSteps] => [
    trace,
    {
      calls,
      mean: Number(all?.every.mean.toFixed(2)),
      worst: all?.every.max ?? 0,
      worstOrdinary: all?.ordinary.max ?? 0,
    },
  ]);
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(held), undefined, 2)}\n`);
  console.error(`written: ${file}`);
}
