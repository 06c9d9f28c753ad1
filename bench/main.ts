// Bench: prints the figures of the goals T1 to T4 and S1 that this machine can measure.
//
// Owns:  the command line, which peers take part, and the one file that --save writes.
// Needs: nothing installed beyond npm's; with clang, lld and wasi-libc dlmalloc takes part as well.
// Note:  what is missing is said and left out; a benchmark is no test and fails no run.

import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { type AdversaryOptions, runAdversary } from "./adversary/main.ts";
import { Crew, type PeerInfo } from "./crew.ts";
import { findTraces, type TraceInput } from "./inputs.ts";
import { measurePattern, measureSpace, measureTrace, type Plan, stepCount } from "./measure.ts";
import { PATTERN_NAMES, type PatternName } from "./patterns.ts";
import { buildDlmalloc } from "./peers/build-dlmalloc.ts";
import { buildTlsf } from "./peers/build-tlsf.ts";
import { measureMade, stepsOfMade } from "./programs/measure.ts";
import { Progress } from "./progress.ts";
import { describe, notes, toMarkdownFile } from "./report.ts";
import type { PatternResult, PerPeer, Results, Space, TraceResult } from "./results.ts";
import { runSteps, type StepsOptions } from "./steps.ts";
import { allTables, toTerminal } from "./tables.ts";

interface Options {
  readonly quick?: true;
  readonly json?: true;
  readonly save?: true;
  readonly only?: string;
  readonly traces?: string;
}

type Times = Pick<Results, "patterns" | "traces" | "wasm">;

// Compiled, this file lies in build/bench.
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
const SIZES = { rounds: 5, targetMs: 100, warmPlays: 2 } as const;
const QUICK = { rounds: 3, targetMs: 30, warmPlays: 1 } as const;
const QUICK_TRACES = /^(graphviz-dot|nginx|lua)$|-20k$/;
const ADVERSARY_SECONDS = 30;
const ADVERSARY_HELP = `
A sequence, as it is printed and as --play takes it:
  m100         malloc(100)                    a64:100      memalign(64, 100)
  m100*20      the same twenty times          f7           frees live block 7, counted from the oldest
  m100+16*20   of 100, 116, 132 ... bytes     f0+1*20      frees block 0, then 1 of those left, then 2 ...
  c100         calloc(1, 100)                 r7:100       realloc of block 7; r7+1:100*20: of 7, 8, 9 ...
A number of a block is taken modulo the live ones.`;
const WARM_UP_TRACE = "graphviz-dot";

async function main(options: Options): Promise<void> {
  const started = performance.now();
  const found = findTraces(ROOT, options.traces);
  const remarks = [...found.remarks];
  const traces = found.traces.filter(({ name }) => isWanted(name, options));
  const patterns = PATTERN_NAMES.filter((name) => options.only === undefined || name.includes(options.only));
  // Of programs, those named as traces are: with --quick, Lua.
  const isWantedInWasm = (name: string) =>
    patterns.some((known) => known === name) || isWanted(name, options);
  if (traces.length + patterns.length + stepsOfMade(isWantedInWasm) === 0)
    remarks.push(`No trace, pattern or program has "${options.only}" in its name.`);
  const peers = await findPeers(remarks);

  const progress = new Progress();
  const plan: Plan = {
    ...(options.quick ? QUICK : SIZES),
    peers: peers.map(({ name }) => name),
    onStep: (what) => progress.done(what),
  };
  progress.start(stepCount(plan, patterns.length, traces.length) + stepsOfMade(isWantedInWasm));
  const warmUp = found.traces.find(({ name }) => name === WARM_UP_TRACE) ?? found.traces[0];
  const spaces = await withCrew(peers, (crew) => spaceOf(crew, plan, traces));
  const times = await withCrew(peers, async (crew) => {
    if (warmUp !== undefined) await crew.askAll(plan.peers, { job: "warm-up", file: warmUp.file });
    return await timesOf(crew, plan, patterns, traces, spaces);
  });
  const wasm = await measureMade(plan, isWantedInWasm);
  remarks.push(...wasm.remarks);
  progress.stop();

  const seconds = (performance.now() - started) / 1000;
  report({ ...describeRun(peers, plan, seconds), remarks, ...times, wasm }, options);
}

function isWanted(name: string, { quick, only }: Options): boolean {
  if (only !== undefined) return name.includes(only);
  return quick === undefined || QUICK_TRACES.test(name);
}

/** All that can be had here; what cannot is remarked upon. */
async function findPeers(remarks: string[]): Promise<PeerInfo[]> {
  const directory = path.join(ROOT, "build", "peers");
  const peers: PeerInfo[] = [{ name: "nothing", version: "", moduleFile: undefined }];
  peers.push({ name: "morecore", version: versionIn(ROOT), moduleFile: undefined });
  const dlmalloc = buildDlmalloc(directory);
  if (typeof dlmalloc === "string") remarks.push(`dlmalloc is left out: ${dlmalloc}`);
  else peers.push({ name: "dlmalloc", version: dlmalloc.version, moduleFile: dlmalloc.file });
  try {
    const { version, file } = await buildTlsf(directory);
    peers.push({ name: "tlsf", version, moduleFile: file });
  } catch (error) {
    remarks.push(`tlsf is left out: ${error instanceof Error ? error.message : String(error)}`);
  }
  const version = versionIn(path.join(ROOT, "node_modules", "@thi.ng", "malloc"));
  peers.push({ name: "thi.ng", version: `@thi.ng/malloc ${version}`, moduleFile: undefined });
  return peers;
}

function versionIn(folder: string): string {
  const parsed: unknown = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "?";
}

async function withCrew<T>(peers: readonly PeerInfo[], work: (crew: Crew) => Promise<T>): Promise<T> {
  const crew = new Crew(peers);
  try {
    return await work(crew);
  } finally {
    crew.stop();
  }
}

async function spaceOf(crew: Crew, plan: Plan, traces: readonly TraceInput[]): Promise<PerPeer<Space>[]> {
  const spaces: PerPeer<Space>[] = [];
  for (const trace of traces) spaces.push(await measureSpace(crew, plan, trace));
  return spaces;
}

async function timesOf(
  crew: Crew,
  plan: Plan,
  patterns: readonly PatternName[],
  traces: readonly TraceInput[],
  spaces: readonly PerPeer<Space>[],
): Promise<Omit<Times, "wasm">> {
  const times: { patterns: PatternResult[]; traces: TraceResult[] } = { patterns: [], traces: [] };
  for (const pattern of patterns) times.patterns.push(await measurePattern(crew, plan, pattern));
  for (const [index, trace] of traces.entries()) {
    times.traces.push(await measureTrace(crew, plan, trace, spaces[index] ?? {}));
  }
  return times;
}

function describeRun(
  peers: readonly PeerInfo[],
  plan: Plan,
  seconds: number,
): Omit<Results, "remarks" | keyof Times> {
  const versions: Record<string, string> = { node: process.versions.node, v8: process.versions.v8 };
  for (const { name, version } of peers) if (name !== "nothing") versions[name] = version;
  const cpus = os.cpus();
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  return {
    machine: `${cpus[0]?.model.trim() ?? "?"}, ${cpus.length} cores, ${memory}, ${os.type()} ${os.release()}`,
    versions,
    command: ["npm run bench --", ...process.argv.slice(2)].join(" ").replace(/ --$/, ""),
    rounds: plan.rounds,
    seconds: Math.round(seconds),
  };
}

function report(results: Results, options: Options): void {
  if (options.json) console.log(JSON.stringify(results, undefined, 2));
  else {
    console.log(describe(results).join("\n"));
    for (const table of allTables(results)) console.log(toTerminal(table));
    for (const note of notes(results)) console.log(`- ${note}`);
  }
  if (!options.save) return;
  const file = path.join(ROOT, "bench", "RESULTS.md");
  writeFileSync(file, toMarkdownFile(results));
  console.error(`written: ${file}`);
}

function naturalNumber(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError("It must be a whole number, 0 or more.");
}

const program = new Command("bench")
  .description("Times and footprints of morecore and its peers, side by side.")
  .enablePositionalOptions()
  .option("--quick", "fewer rounds, traces and programs: a minute or two")
  .option("--only <name>", "only traces, patterns and programs with this in their name")
  .option("--traces <folder>", "play the traces in this folder instead of the usual ones")
  .option("--json", "print JSON instead of tables")
  .option("--save", "also write bench/RESULTS.md")
  .action(main);

program
  .command("steps")
  .description("Loads and stores of each call of the traces, counted.")
  .option("--only <name>", "only traces with this in their name")
  .option("--traces <folder>", "the traces in this folder instead of the usual ones")
  .option("--json", "print JSON instead of tables")
  .option("--hold", "count the repository's traces, and hold the kernel to it: write test/replay/steps.json")
  .action((options: StepsOptions) => runSteps(ROOT, options));

program
  .command("adversary")
  .description("Searches for the sequence of calls whose worst one takes the most steps.")
  .addHelpText("after", ADVERSARY_HELP)
  .option("--seed <number>", "where to begin; the same seed tries the same sequences", naturalNumber)
  .option("--seconds <number>", "how long to search", naturalNumber, ADVERSARY_SECONDS)
  .option("--evaluations <number>", "how many sequences to try, instead of --seconds", naturalNumber)
  .option("--play <sequence>", "count the steps of this one, and search none")
  .option("--json", "print JSON")
  .action((options: AdversaryOptions) => runAdversary(options));

await program.parseAsync();
