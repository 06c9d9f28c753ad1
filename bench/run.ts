// Run: prints the figures of the goals T1 to T5, S1, S2 and A1 that this machine can measure.
//
// Owns:  which peers and inputs take part, and the files that --save writes.
// Needs: nothing installed beyond npm's; with clang, lld and wasi-libc dlmalloc takes part as well.
// Note:  what is missing is said and left out; a benchmark is no test and fails no run.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Plan } from "./harness/measure.ts";
import { PATTERN_NAMES, SCALE_LIVE } from "./harness/patterns.ts";
import { Progress } from "./harness/progress.ts";
import { machineText, measurePeers, stepsOf, type Work } from "./harness/run.ts";
import { toTerminal } from "./harness/tables.ts";
import { findTraces } from "./inputs.ts";
import { PEERS, RESULTS, RESULTS_JSON, ROOT } from "./paths.ts";
import { installedPeers } from "./peers/installed.ts";
import { drawCharts } from "./report/pictures/main.ts";
import { describe, notes, toMarkdownFile } from "./report/report.ts";
import type { Results } from "./report/results.ts";
import { withSectionsOf } from "./report/sections.ts";
import { measureSizes } from "./report/sizes.ts";
import { allTables } from "./report/tables.ts";
import { adversaryIn, findAnomalies, stepsOfAnomalies } from "./suites/patterns/anomalies.ts";
import { measureMade, stepsOfMade } from "./suites/programs/measure.ts";

export interface RunOptions {
  readonly quick?: true;
  readonly json?: true;
  readonly save?: true;
  readonly only?: string;
  readonly traces?: string;
  readonly mimalloc?: string;
  readonly rounds?: number;
}

const SIZES = { rounds: 5, targetMs: 100, warmPlays: 2, patient: false } as const;
const QUICK = { rounds: 3, targetMs: 30, warmPlays: 1, patient: false } as const;
const QUICK_TRACES = /^(graphviz-dot|nginx|lua)$|-20k$/;
const QUICK_SCALE = [1 << 10, 1 << 20];
const WARM_UP_TRACE = "graphviz-dot";

export async function runAll(options: RunOptions): Promise<void> {
  const started = performance.now();
  const found = findTraces(ROOT, options.traces);
  const remarks = [...found.remarks];
  const isNamed = (name: string) => options.only === undefined || name.includes(options.only);
  const work: Work = {
    patterns: PATTERN_NAMES.filter(isNamed),
    scale: isNamed("scale") ? (options.quick ? QUICK_SCALE : SCALE_LIVE) : [],
    traces: found.traces.filter(({ name }) => isWanted(name, options)),
    warmUpFile: (found.traces.find(({ name }) => name === WARM_UP_TRACE) ?? found.traces[0])?.file,
  };
  // Of programs, those named as traces are: with --quick, Lua.
  const isWantedInWasm = (name: string) =>
    work.patterns.some((known) => known === name) || isWanted(name, options);
  const { peers, mimallocObject, ...installed } = await installedPeers(PEERS, options.mimalloc);
  remarks.push(...installed.remarks);

  const progress = new Progress();
  const plan: Plan = {
    ...(options.quick ? QUICK : SIZES),
    ...(options.rounds === undefined ? {} : { rounds: options.rounds }),
    peers: peers.map(({ name }) => name),
    onStep: (what) => progress.done(what),
  };
  const counting = {
    traces: work.traces,
    scale: work.scale,
    adversary: adversaryIn(isNamed, options.quick === true),
  };
  const steps = stepsOf(plan, work) + stepsOfMade(isWantedInWasm) + stepsOfAnomalies(counting);
  if (steps === 0 && !isNamed("sizes"))
    remarks.push(`No trace, pattern or program has "${options.only}" in its name.`);
  progress.start(steps);
  const figures = await measurePeers(peers, plan, work);
  const wasm = await measureMade(plan, isWantedInWasm, mimallocObject);
  remarks.push(...wasm.remarks);
  const anomalies = findAnomalies({ ...counting, onStep: plan.onStep });
  progress.stop();
  const sizes = isNamed("sizes")
    ? await measureSizes(path.join(ROOT, "packages", "morecore", "dist"))
    : undefined;

  report(
    {
      machine: machineText(),
      command: commandText(options),
      rounds: plan.rounds,
      seconds: Math.round((performance.now() - started) / 1000),
      remarks,
      ...figures,
      wasm,
      anomalies,
      ...(sizes === undefined ? {} : { sizes }),
    },
    options,
  );
}

function isWanted(name: string, { quick, only }: RunOptions): boolean {
  if (only !== undefined) return name.includes(only);
  return quick === undefined || QUICK_TRACES.test(name);
}

/** What was asked for. Of folders the last name: where they lay is nobody's business. */
function commandText(options: RunOptions): string {
  const { quick, json, save, only, traces, mimalloc, rounds } = options;
  const named = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`--${name}`, `${value}`];
  const words = [
    ...(quick ? ["--quick"] : []),
    ...named("only", only),
    ...named("traces", traces && path.basename(traces)),
    ...named("mimalloc", mimalloc && path.basename(mimalloc)),
    ...named("rounds", rounds),
    ...(json ? ["--json"] : []),
    ...(save ? ["--save"] : []),
  ];
  return ["npm run bench", ...(words.length > 0 ? ["--", ...words] : [])].join(" ");
}

function report(results: Results, options: RunOptions): void {
  if (options.json) console.log(JSON.stringify(results, undefined, 2));
  else {
    console.log(describe(results).join("\n"));
    for (const table of allTables(results)) console.log(toTerminal(table));
    for (const note of notes(results)) console.log(`- ${note}`);
  }
  if (!options.save) return;
  const before = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : "";
  writeFileSync(RESULTS, withSectionsOf(toMarkdownFile(results), before));
  // Where the traces lay is nobody's business.
  const saved = (key: string, value: unknown) =>
    key === "file" && typeof value === "string" ? path.basename(value) : value;
  writeFileSync(RESULTS_JSON, `${JSON.stringify(results, saved, 2)}\n`);
  console.error(`written: ${RESULTS} and ${RESULTS_JSON}`);
  drawCharts({});
}
