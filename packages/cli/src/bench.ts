// bench: the command `morecore bench [FILE…]`.
//
// Owns:  what is measured for users, who have this package and what they have installed beside it; the exit code.
// Needs: bench/, which measures.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FoundPeers,
  installedPeers,
  machineText,
  measurePeers,
  PATTERN_NAMES,
  type PeerResults,
  type Plan,
  Progress,
  peerTables,
  positiveNumber,
  skippedReasons,
  stepsOf,
  type TraceInput,
  toTerminal,
  type Work,
} from "@morecore/bench";
import { openTrace, traceName, whyNoTrace } from "@morecore/inspect";
import { type Command, Option } from "commander";
import { complain, UNLIMITED } from "./files.ts";

interface BenchOptions {
  readonly rounds: number;
  readonly json?: true;
  readonly unlimited?: true;
}

const NOT_ALL_DONE = 2;
const DEFAULT_ROUNDS = 3;
const PATTERN_MS = 50;
const WARM_PLAYS = 2;

const HELP = `
Without FILEs, three patterns: pair, a block got and freed at once, 16 to 256 bytes; churn, a random one of 16384 blocks
replaced, 16 to 1000 bytes; fifo, 1024 blocks live, the oldest freed first. With FILEs, each call of a trace in order: cold,
on a new heap, and warm, on one that has played it; untouched, and touched, writing to each block. The peers are V8's
own typed arrays and objects, and, where they are installed, AssemblyScript's TLSF (npm install assemblyscript),
@thi.ng/malloc, and wasi-libc's dlmalloc (Debian's clang, lld, wasi-libc and libclang-rt-dev-wasm32). Each has a process of its own, and they take turns. The time of the empty loop is subtracted.

A cell has the median over the rounds, ± half the distance of its quartiles in per cent of it, the minimum in brackets, and
morecore's median over the peer's: below 1 morecore is the faster. --json has both quartiles and the maximum as well.

Exit code: 0 all was measured; 2 wrong arguments, or a file that is no sound trace (the others are measured all the same).`;

export function benchCommand(morecore: Command): void {
  morecore
    .command("bench")
    .description(
      "measure this machine: morecore, the engine's own allocation, and the allocators that are at hand",
    )
    .showHelpAfterError("\nUsage: morecore bench [options] [FILE...]\nmorecore bench --help tells more.")
    .argument("[FILE...]", "traces: NAME.mct.gz, or the same not compressed; none: three patterns")
    .addOption(
      new Option("--rounds <count>", "how often each peer has its turn")
        .default(DEFAULT_ROUNDS)
        .argParser(positiveNumber),
    )
    .option("--json", "print the results as JSON")
    .option(...UNLIMITED)
    .addHelpText("after", HELP)
    .action(async (files: string[], options: BenchOptions) => {
      process.exitCode = await runBench(files, options);
    });
}

async function runBench(files: readonly string[], options: BenchOptions): Promise<number> {
  const traces = files.flatMap((file) => inputOf(file, options.unlimited === true) ?? []);
  const failed = traces.length < files.length;
  if (failed && traces.length === 0) return NOT_ALL_DONE;
  const work: Work = {
    patterns: files.length === 0 ? PATTERN_NAMES : [],
    scale: [],
    traces,
    warmUpFile: traces[0]?.file,
  };
  const folder = mkdtempSync(join(tmpdir(), "morecore-bench-"));
  try {
    const found = await installedPeers(folder);
    report(found, await measure(found, work, options), options);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return failed ? NOT_ALL_DONE : 0;
}

async function measure({ peers }: FoundPeers, work: Work, { rounds }: BenchOptions): Promise<PeerResults> {
  const progress = new Progress();
  const plan: Plan = {
    peers: peers.map(({ name }) => name),
    rounds,
    targetMs: PATTERN_MS,
    warmPlays: WARM_PLAYS,
    patient: true,
    onStep: (what) => progress.done(what),
  };
  progress.start(stepsOf(plan, work));
  try {
    return await measurePeers(peers, plan, work);
  } finally {
    progress.stop();
  }
}

/** Undefined, and a word on stderr, if it cannot be played. */
function inputOf(file: string, unlimited: boolean): TraceInput | undefined {
  try {
    openTrace(file, unlimited);
    return { name: traceName(file), file, isShort: false };
  } catch (error) {
    complain(`${file}: ${whyNoTrace(error)}`);
    return undefined;
  }
}

function report({ remarks }: FoundPeers, results: PeerResults, { rounds, json }: BenchOptions): void {
  const machine = machineText();
  const notes = [...remarks, ...skippedReasons(results)];
  if (json) {
    const all = { format: "morecore-bench-1", machine, rounds, ...results, notes };
    process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
    return;
  }
  const versions = Object.entries(results.versions).map(([name, version]) => `${name}: ${version}`);
  const lines = [
    `machine: ${machine}`,
    `rounds: ${rounds}`,
    ...versions,
    ...peerTables(results).map(toTerminal),
  ];
  process.stdout.write(`${[...lines, ...notes.map((note) => `- ${note}`)].join("\n")}\n`);
}
