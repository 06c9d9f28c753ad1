// Modules: a run of a suite whose callers are modules in WebAssembly, as a command asks for it: within, and threads.
//
// Owns:  which traces are played, how often all is, and what a run says of itself.
// Needs: what `npm run programs` has made.

import { Progress } from "../harness/progress.ts";
import { machineText } from "../harness/run.ts";
import { readMade } from "../programs/cache.ts";
import { type FoundTraces, findTraces, QUICK_TRACES } from "./traces/find.ts";

export interface ModulesOptions {
  readonly quick?: true;
  readonly traces?: string;
  readonly rounds?: number;
}

/** What a command asks for: only what has `name` in its name. `command` is what was typed. */
export interface Asked<Options extends ModulesOptions> {
  readonly name: string;
  readonly options: Options;
  readonly command: string;
}

/** What to measure, and how often. */
export interface ModulesWork<Sizes> {
  readonly isNamed: (each: string) => boolean;
  readonly traces: FoundTraces["traces"];
  readonly sizes: Sizes;
  readonly progress: Progress;
}

export interface ModulesRun {
  readonly machine: string;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
}

interface Turns {
  readonly rounds: number;
}

interface Measured {
  readonly remarks: readonly string[];
}

/** Measures what is asked for. `versions` are of peers that only this suite has. */
export async function runModules<Sizes extends Turns, Results extends Measured>(
  { name, options, command }: Asked<ModulesOptions>,
  sizes: { readonly usual: Sizes; readonly quick: Sizes },
  versions: Readonly<Record<string, string>>,
  measure: (work: ModulesWork<Sizes>) => Promise<Results>,
): Promise<Results & ModulesRun> {
  const started = performance.now();
  const found = findTraces(options.traces);
  const isNamed = (each: string): boolean => each.includes(name);
  const traces = found.traces.filter((trace) =>
    name === "" && options.quick ? QUICK_TRACES.test(trace.name) : isNamed(trace.name),
  );
  const known = options.quick ? sizes.quick : sizes.usual;
  const { rounds = known.rounds } = options;
  const progress = new Progress();
  const results = await measure({ isNamed, traces, sizes: { ...known, rounds }, progress });
  progress.stop();
  return {
    machine: machineText(),
    command,
    versions: { node: process.versions.node, ...versions, ...madeVersions() },
    rounds,
    seconds: Math.round((performance.now() - started) / 1000),
    ...results,
    remarks: [...found.remarks, ...results.remarks],
  };
}

function madeVersions(): Record<string, string> {
  const made = readMade();
  const mimalloc = typeof made === "string" ? undefined : made.mimalloc?.version;
  return mimalloc === undefined ? {} : { mimalloc: `Debian ${mimalloc}` };
}
