// Whole: all that `npm run bench` measures: patterns, live sets, traces, programs and callers in wasm, steps, sizes.
//
// Owns:  which peers and inputs take part.
// Needs: nothing installed beyond npm's; with clang, lld and wasi-libc dlmalloc takes part as well.
// Note:  what is missing is said and left out; a benchmark is no test and fails no run.

import path from "node:path";
import type { Plan } from "../harness/measure.ts";
import { PEERS, ROOT } from "../harness/paths.ts";
import { PATTERN_NAMES, SCALE_LIVE } from "../harness/patterns.ts";
import { Progress } from "../harness/progress.ts";
import { machineText, measurePeers, stepsOf, type Work } from "../harness/run.ts";
import { type BuiltElsewhere, installedPeers } from "../peers/installed.ts";
import { readMade } from "../programs/cache.ts";
import { adversaryIn, findAnomalies, stepsOfAnomalies } from "./adversary/anomalies.ts";
import { measureMade, stepsOfMade } from "./programs/measure.ts";
import type { Results, WasmResults } from "./results.ts";
import { measureSizes } from "./sizes/sizes.ts";
import { findTraces, QUICK_TRACES } from "./traces/find.ts";
import * as within from "./within/command.ts";
import { measureWithin, type WithinWork } from "./within/measure.ts";
import { PATTERN_NAMES as WITHIN_PATTERNS } from "./within/protocol.ts";

export interface WholeOptions {
  readonly quick?: true;
  readonly only?: string;
  readonly traces?: string;
  readonly rounds?: number;
}

const SIZES = { rounds: 5, targetMs: 100, warmPlays: 2, patient: false } as const;
const QUICK = { rounds: 3, targetMs: 30, warmPlays: 1, patient: false } as const;
const QUICK_SCALE = [1 << 10, 1 << 20];
const WARM_UP_TRACE = "graphviz-dot";

/** `command` is what was typed. */
export async function measureWhole(options: WholeOptions, command: string): Promise<Results> {
  const started = performance.now();
  const found = findTraces(options.traces);
  const remarks = [...found.remarks];
  const isNamed = (name: string) => options.only === undefined || name.includes(options.only);
  const work: Work = {
    patterns: PATTERN_NAMES.filter(isNamed),
    scale: isNamed("scale") ? (options.quick ? QUICK_SCALE : SCALE_LIVE) : [],
    traces: found.traces.filter(({ name }) => isWanted(name, options)),
    warmUpFile: (found.traces.find(({ name }) => name === WARM_UP_TRACE) ?? found.traces[0])?.file,
  };
  // Of programs, those named as traces are: with --quick, Lua.
  const isWantedProgram = (name: string) => isWanted(name, options);
  const workWithin = { patterns: WITHIN_PATTERNS.filter(isNamed), traces: work.traces };
  const { peers, ...installed } = await installedPeers(PEERS, madeMimalloc());
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
  const stepsWithin = workWithin.patterns.length + workWithin.traces.length;
  const steps = stepsOf(plan, work) + stepsOfMade(isWantedProgram) + stepsWithin + stepsOfAnomalies(counting);
  if (steps === 0 && !isNamed("sizes"))
    remarks.push(`No trace, pattern or program has "${options.only}" in its name.`);
  progress.start(steps);
  const figures = await measurePeers(peers, plan, work);
  const wasm = await measureWasm(plan, isWantedProgram, workWithin, options.quick === true);
  remarks.push(...wasm.remarks);
  const anomalies = findAnomalies({ ...counting, onStep: plan.onStep });
  progress.stop();
  const sizes = isNamed("sizes")
    ? await measureSizes(path.join(ROOT, "packages", "morecore", "dist"))
    : undefined;

  return {
    machine: machineText(),
    command,
    rounds: plan.rounds,
    seconds: Math.round((performance.now() - started) / 1000),
    remarks,
    ...figures,
    wasm,
    anomalies,
    ...(sizes === undefined ? {} : { sizes }),
  };
}

async function measureWasm(
  plan: Plan,
  isWantedProgram: (name: string) => boolean,
  work: WithinWork,
  isQuick: boolean,
): Promise<WasmResults> {
  const { rounds, onStep } = plan;
  const made = await measureMade(plan, isWantedProgram);
  const found = await measureWithin({ ...(isQuick ? within.QUICK : within.SIZES), rounds, onStep }, work);
  return { ...made, ...found, remarks: [...made.remarks, ...found.remarks] };
}

/** What `npm run programs` has made of it, or why there is none. */
function madeMimalloc(): BuiltElsewhere {
  const made = readMade();
  if (typeof made === "string") return made;
  if (made.mimalloc === undefined) return "it could not be fetched or compiled: npm run programs says why";
  return { file: made.mimalloc.module, version: `Debian ${made.mimalloc.version}` };
}

function isWanted(name: string, { quick, only }: WholeOptions): boolean {
  if (only !== undefined) return name.includes(only);
  return quick === undefined || QUICK_TRACES.test(name);
}
