// Steps: how many loads and stores each call takes, for every trace at hand. Figures that do not depend on the machine.
//
// Owns:  the tables, the JSON, and the figures that test/replay/steps.test.ts holds the kernel to.
// Needs: morecore/steps, the traces.

import { writeFileSync } from "node:fs";
import path from "node:path";
import { type CountedCall, type KindProfile, profileTrace, type StepProfile, WORKS } from "morecore/steps";
import { readTraceFile } from "morecore/trace";
import { findTraces } from "./inputs.ts";
import { Progress } from "./progress.ts";
import { type TextTable, toTerminal } from "./tables.ts";

export interface StepsOptions {
  readonly json?: true;
  readonly hold?: true;
  readonly only?: string;
  readonly traces?: string;
}

interface TraceSteps extends StepProfile {
  readonly trace: string;
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

const HELD = path.join("test", "replay", "steps.json");

export function runSteps(root: string, options: StepsOptions): void {
  // Only what is in the repository can be held to everywhere, and all of it is.
  const { folder, only = "" } = options.hold
    ? { folder: path.join(root, "traces") }
    : { folder: options.traces, only: options.only };
  const { traces, remarks } = findTraces(root, folder);
  const wanted = traces.filter(({ name }) => name.includes(only));
  const progress = new Progress();
  progress.start(wanted.length);
  const results = wanted.map(({ name, file }): TraceSteps => {
    const profile = profileTrace(readTraceFile(file));
    progress.done(name);
    return { trace: name, ...profile };
  });
  progress.stop();
  if (options.json)
    console.log(JSON.stringify({ format: "morecore-steps-1", traces: results }, undefined, 2));
  else for (const table of [callTable(results), kindTable(results)]) console.log(toTerminal(table));
  for (const remark of remarks) console.error(remark);
  if (options.hold) hold(path.join(root, HELD), results);
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

function callTable(results: readonly TraceSteps[]): TextTable {
  const rows = results.flatMap(({ trace, calls, kinds: [all] }) => {
    if (all === undefined) return [];
    const worsts = WORKS.map((work) => String(all.worst[work]?.steps ?? "–"));
    return [[trace, String(calls), ...spreadCells(all), ...worsts, callText(all.ordinary.worst)]];
  });
  const works = WORKS.map((work) => `worst,\n${work}`);
  return {
    title:
      "Steps (loads and stores) for a call. plain: it served its caller and no more; gave back: it ended a run; refill: it began one; growth: the footprint grew; refused: the memory had no more",
    head: ["trace", "calls", "mean", "p50", "p99", "p99.9", ...works, "the worst, refill and growth aside"],
    rows,
  };
}

function kindTable(results: readonly TraceSteps[]): TextTable {
  const rows = results.flatMap(({ trace, kinds }) =>
    kinds.slice(1).map((profile) => {
      const { kind, every, ordinary } = profile;
      const cells = [String(every.max), String(ordinary.p999), String(ordinary.max)];
      return [
        trace,
        kind,
        String(every.calls),
        ...spreadCells(profile),
        ...cells,
        callText(every.worst),
        callText(ordinary.worst),
      ];
    }),
  );
  return {
    title: "The same, by kind of call; aside: refill and growth aside",
    head: [
      "trace",
      "kind",
      "calls",
      "mean",
      "p50",
      "p99",
      "p99.9",
      "max",
      "p99.9,\naside",
      "max,\naside",
      "the worst",
      "the worst, aside",
    ],
    rows,
  };
}

function spreadCells({ every }: KindProfile): string[] {
  return [every.mean.toFixed(1), String(every.p50), String(every.p99), String(every.p999)];
}

/** "malloc(4800), call 352678, gave back" */
function callText(call: CountedCall | undefined): string {
  if (call === undefined) return "–";
  return `${call.kind}(${call.bytes}), call ${call.call}${call.work === "plain" ? "" : `, ${call.work}`}`;
}
