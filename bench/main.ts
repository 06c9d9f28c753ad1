// Main: the command `npm run bench`, and those of its suites.
//
// Owns:  the command line, and what is printed, saved and written of what was measured.
// Needs: one module for each suite.

import path from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { type GoalFigure, goalText } from "./harness/goal-figure.ts";
import { positiveNumber, wholeNumber } from "./harness/numbers.ts";
import { type TextTable, toTerminal } from "./harness/tables.ts";
import { aboutNative, aboutRun, aboutTyped, notes } from "./report/about.ts";
import { goalFigures, goalTable } from "./report/goals.ts";
import { type ChartsOptions, drawCharts } from "./report/pictures/main.ts";
import { save } from "./report/saved.ts";
import { runTables } from "./report/tables.ts";
import { checkPages, writeAll } from "./report/write.ts";
import { type AdversaryOptions, runAdversary } from "./suites/adversary/main.ts";
import { type Burst, parseSequence } from "./suites/adversary/sequence.ts";
import type { ModulesOptions } from "./suites/modules.ts";
import { nativeGoals } from "./suites/native/goals.ts";
import { type NativePart, PARTS, partOf } from "./suites/native/results.ts";
import { measureNative, type NativeOptions } from "./suites/native/run.ts";
import { nativeTables } from "./suites/native/tables.ts";
import { programGoals } from "./suites/programs/goals.ts";
import { measureMade } from "./suites/programs/measure.ts";
import { programTables } from "./suites/programs/tables.ts";
import { runSteps, type StepsOptions } from "./suites/steps/main.ts";
import { runThreads } from "./suites/threads/command.ts";
import { threadsGoals } from "./suites/threads/goals.ts";
import type { ThreadsRun } from "./suites/threads/results.ts";
import { threadsTables } from "./suites/threads/tables.ts";
import { NoTracesError } from "./suites/traces/find.ts";
import { runTyped, type TypedOptions } from "./suites/typed/command.ts";
import { typedGoals } from "./suites/typed/goals.ts";
import { typedTables } from "./suites/typed/tables.ts";
import { measureViews, viewTable } from "./suites/typed/views.ts";
import { measureWhole, type WholeOptions } from "./suites/whole.ts";
import { runWithin, type WithinOptions, type WithinRun } from "./suites/within/command.ts";
import { withinGoals } from "./suites/within/goals.ts";
import { withinTables } from "./suites/within/tables.ts";

/** Of every command that measures. */
interface Output {
  readonly json?: true;
  readonly save?: true;
}

const BAD_USE = 2;
const ROUNDS = 5;
const TREE_SIZES = [1, 5, 20];
/** More would not fit into the 4 GiB of a WebAssembly.Memory, with the chunks that double. */
const MOST_MILLIONS = 100;
const ADVERSARY_SECONDS = 30;
const ADVERSARY_HELP = `
A sequence, as it is printed and as --play takes it:
  m100         malloc(100)                    a64:100      memalign(64, 100)
  m100*20      the same twenty times          f7           frees live block 7, counted from the oldest
  m100+16*20   of 100, 116, 132 ... bytes     f0+1*20      frees block 0, then 1 of those left, then 2 ...
  c100         calloc(1, 100)                 r7:100       realloc of block 7; r7+1:100*20: of 7, 8, 9 ...
A number of a block is taken modulo the live ones.`;
const STEPS_HELP = `
A step is a load or a store of the allocator's. What is copied by realloc and zeroed by calloc is not counted.

Exit code: 0 all was counted; 2 a file is no sound trace (the others are counted all the same).`;

const program = new Command("bench")
  .description("Times and footprints of morecore and its peers, side by side.")
  .enablePositionalOptions()
  .exitOverride()
  .showHelpAfterError("npm run bench -- --help tells more.")
  .option("--quick", "fewer rounds, traces and programs: a minute or two")
  .option(
    "--only <name>",
    "only traces, patterns, programs, scale, sizes and adversary with this in their name",
  )
  .option("--traces <folder>", "play the traces in this folder instead of the usual ones")
  .option("--rounds <count>", "how often each has its turn, instead of five times", positiveNumber)
  .option("--json", "print JSON instead of tables")
  .option("--save", "also write bench/results/main.json, and all that is made of it")
  .action(async (options: WholeOptions & Output) => {
    const results = await measureWhole(options, typed());
    const tables = [...goalsIn(goalFigures(results)), ...runTables(results)];
    print(options, results, aboutRun(results), tables, notes(results));
    if (options.save) save("main", results);
    if (options.save) writeAll();
  });

program
  .command("programs")
  .description("Programs in WebAssembly that `npm run programs` has made, with dist/ as it is.")
  .argument("[name]", "only those with this in their name", "")
  .option("--rounds <count>", "how often each has its turn", positiveNumber, ROUNDS)
  .option("--json", "print JSON instead of tables")
  .action(async (name: string, options: Output & { readonly rounds: number }) => {
    const plan = { rounds: options.rounds, onStep: () => undefined };
    const results = await measureMade(plan, (known) => known.includes(name));
    print(options, results, [], programTables(results), [
      ...lines(programGoals(results)),
      ...results.remarks,
    ]);
  });

playsModules(
  program
    .command("within")
    .description("Patterns and traces whose caller is in WebAssembly, the kernel merged with it.")
    .argument("[name]", "only those with this in their name", "")
    .option(
      "--before <folder>",
      "play also what an earlier build has left in this copy of build/programs/merged",
    ),
).action(async (name: string, options: WithinOptions & Output) => {
  const results = await runWithin({ name, options, command: typed() });
  printModules(options, results, withinGoals(results), withinTables(results));
});

playsModules(
  program
    .command("threads")
    .description(
      "Patterns with 1, 2 and 4 threads on one heap, and one thread on a heap that could be shared.",
    )
    .argument("[name]", "only patterns and traces with this in their name", ""),
)
  .option("--save", "also write bench/results/threads.json, and all that is made of it")
  .action(async (name: string, options: ModulesOptions & Output) => {
    const results = await runThreads({ name, options, command: typed() });
    printModules(options, results, threadsGoals(results), threadsTables(results));
    if (options.save) save("threads", results);
    if (options.save) writeAll();
  });

program
  .command("native")
  .description(
    "Times and peak resident memory of native programs, traces and threads, morecore beside its peers.",
  )
  .argument("[part]", "programs, traces, locality or threads; all by default", nativePart)
  .option("--rounds <count>", "how often each runs with each allocator", positiveNumber, ROUNDS)
  .option("--only <name>", "only programs, traces and patterns with this in their name", "")
  .option("--traces <folder>", "play the traces in this folder instead of the usual ones")
  .option("--json", "print JSON instead of tables")
  .option("--save", "also write bench/results/native-PART.json, and all that is made of it")
  .action((part: NativePart | undefined, options: NativeOptions & Output) => {
    const results = measureNative(part, options, typed());
    const said = [...lines(nativeGoals(results)), ...results.remarks];
    print(options, results, aboutNative(results), nativeTables(results), said);
    if (!options.save) return;
    for (const name of PARTS) if (results[name]?.length) save(`native-${name}`, partOf(results, name));
    writeAll();
  });

program
  .command("typed")
  .description(
    "Times, pauses and memory of arenas and typed references, beside plain objects and typed arrays.",
  )
  .option("--rounds <count>", "how often each variant runs", positiveNumber, ROUNDS)
  .option("--sizes <millions>", "how many million nodes the graphs have", millions, TREE_SIZES)
  .option("--only <name>", 'only loops with this in their name or title; "graph" for the graphs', "")
  .option("--quick", "one round and one million nodes: shows that it works")
  .option("--json", "print JSON instead of tables")
  .option("--save", "also write bench/results/typed.json, and all that is made of it")
  .action((options: TypedOptions & Output) => {
    const results = runTyped(options, typed());
    const said = [...lines(typedGoals(results)), ...results.remarks];
    print(options, results, aboutTyped(results), typedTables(results), said);
    if (options.save) save("typed", results);
    if (options.save) writeAll();
  });

program
  .command("views")
  .description("What access to memory costs when views last.")
  .option("--json", "print JSON instead of tables")
  .option("--save", "also write bench/results/views.json, and all that is made of it")
  .action(async (options: Output) => {
    const results = await measureViews(typed());
    if (typeof results === "string") fail(results, 1);
    else {
      print(options, results, [], [viewTable(results)], []);
      if (options.save) save("views", results);
      if (options.save) writeAll();
    }
  });

program
  .command("steps")
  .description("Loads and stores of each call of the traces, counted.")
  .argument("[FILE...]", "traces: NAME.mct.gz, or the same not compressed; none: the usual ones")
  .addHelpText("after", STEPS_HELP)
  .option("--only <name>", "of the usual traces, those with this in their name")
  .option("--traces <folder>", "the traces in this folder instead of the usual ones")
  .option(
    "--unlimited",
    "count also a FILE that asks for more than 1 GiB at once, or 64 KiB a call and 64 GiB in all",
  )
  .option("--json", "print JSON instead of tables")
  .option("--hold", "count the repository's traces, and hold the kernel to it: write test/replay/steps.json")
  .action((files: string[], options: StepsOptions) => {
    if (options.hold && files.length > 0)
      fail("--hold counts the repository's traces: it takes no FILE", BAD_USE);
    else process.exitCode = runSteps(files, options);
  });

program
  .command("adversary")
  .description("Searches for the sequence of calls whose worst one takes the most steps.")
  .addHelpText("after", ADVERSARY_HELP)
  .option("--seed <number>", "where to begin; the same seed tries the same sequences", wholeNumber)
  .option("--seconds <number>", "how long to search", wholeNumber, ADVERSARY_SECONDS)
  .option("--evaluations <number>", "how many sequences to try, instead of --seconds", wholeNumber)
  .option("--play <sequence>", "count the steps of this one, and search none", sequence)
  .option("--json", "print JSON")
  .action((options: AdversaryOptions) => runAdversary(options));

program
  .command("charts")
  .description("Draws bench/charts/*.svg from the last run that was saved, and measures nothing.")
  .option("--from <file>", "the JSON of a run instead of bench/results/main.json")
  .option("--to <folder>", "where to write instead of bench/charts")
  .action((options: ChartsOptions) => {
    process.exitCode = drawCharts(options);
  });

program
  .command("figures")
  .description("Whether RESULTS.md, README.md and docs/ have the figures of the last runs that were saved.")
  .option("--write", "write them")
  .action(({ write }: { readonly write?: true }) => {
    if (write) writeAll();
    else process.exitCode = checkPages();
  });

function sequence(text: string): Burst[] {
  try {
    return parseSequence(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function millions(text: string): number[] {
  const sizes = text.split(",").map(Number);
  if (sizes.every((size) => size > 0 && size <= MOST_MILLIONS)) return sizes;
  throw new InvalidArgumentError(
    `It must be numbers above 0, at most ${MOST_MILLIONS}, with commas between.`,
  );
}

function nativePart(text: string): NativePart {
  const part = PARTS.find((known) => known === text);
  if (part === undefined) throw new InvalidArgumentError(`There is no part ${text}: ${PARTS.join(", ")}.`);
  return part;
}

/** What was asked for. Of folders the last name: where they lay is nobody's business. */
function typed(): string {
  const words = process.argv.slice(2).map((word) => (path.isAbsolute(word) ? path.basename(word) : word));
  return ["npm run bench", ...(words.length > 0 ? ["--", ...words] : [])].join(" ");
}

function print(
  { json }: Output,
  results: object,
  about: readonly string[],
  tables: readonly TextTable[],
  notes: readonly string[],
): void {
  if (json) console.log(JSON.stringify(results, undefined, 2));
  else console.log([...about, ...tables.map(toTerminal), ...notes.map((note) => `- ${note}`)].join("\n"));
}

/** With the options of the suites whose callers are modules in WebAssembly. */
function playsModules(command: Command): Command {
  return command
    .option("--quick", "fewer rounds and traces")
    .option("--rounds <count>", "how often each has its turn, instead of five times", positiveNumber)
    .option("--traces <folder>", "play the traces in this folder instead of the usual ones")
    .option("--json", "print JSON instead of tables");
}

function printModules(
  output: Output,
  results: WithinRun | ThreadsRun,
  goals: readonly GoalFigure[],
  tables: readonly TextTable[],
): void {
  print(output, results, aboutRun(results), [...goalsIn(goals), ...tables], results.remarks);
}

function goalsIn(figures: readonly GoalFigure[]): TextTable[] {
  return figures.length > 0 ? [goalTable(figures)] : [];
}

function lines(goals: readonly GoalFigure[]): string[] {
  return goals.map(goalText);
}

function fail(message: string, code: number): void {
  console.error(`bench: ${message}`);
  process.exitCode = code;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof NoTracesError) fail(error.message, BAD_USE);
  // commander has printed its message by now; help ends with 0.
  else if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : BAD_USE;
  else throw error;
}
