// Bench: the command `npm run bench`.
//
// Owns:  the command line.
// Needs: one module for each command.

import { Command, InvalidArgumentError } from "commander";
import { positiveNumber, wholeNumber } from "./harness/numbers.ts";
import { type ChartsOptions, drawCharts } from "./report/pictures/main.ts";
import { type RunOptions, runAll } from "./run.ts";
import { type AdversaryOptions, runAdversary } from "./suites/adversary/main.ts";
import { type Burst, parseSequence } from "./suites/adversary/sequence.ts";
import { runSteps, type StepsOptions } from "./suites/steps/main.ts";

const ADVERSARY_SECONDS = 30;
const ADVERSARY_HELP = `
A sequence, as it is printed and as --play takes it:
  m100         malloc(100)                    a64:100      memalign(64, 100)
  m100*20      the same twenty times          f7           frees live block 7, counted from the oldest
  m100+16*20   of 100, 116, 132 ... bytes     f0+1*20      frees block 0, then 1 of those left, then 2 ...
  c100         calloc(1, 100)                 r7:100       realloc of block 7; r7+1:100*20: of 7, 8, 9 ...
A number of a block is taken modulo the live ones.`;

function sequence(text: string): Burst[] {
  try {
    return parseSequence(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

const program = new Command("bench")
  .description("Times and footprints of morecore and its peers, side by side.")
  .enablePositionalOptions()
  .option("--quick", "fewer rounds, traces and programs: a minute or two")
  .option(
    "--only <name>",
    "only traces, patterns, programs, scale, sizes and adversary with this in their name",
  )
  .option("--traces <folder>", "play the traces in this folder instead of the usual ones")
  .option("--mimalloc <folder>", "compile mimalloc from its sources in this folder, and measure it as well")
  .option("--rounds <count>", "how often each has its turn, instead of five times", positiveNumber)
  .option("--json", "print JSON instead of tables")
  .option("--save", "also write bench/RESULTS.md, bench/results.json and the charts")
  .action((options: RunOptions) => runAll(options));

program
  .command("steps")
  .description("Loads and stores of each call of the traces, counted.")
  .option("--only <name>", "only traces with this in their name")
  .option("--traces <folder>", "the traces in this folder instead of the usual ones")
  .option("--json", "print JSON instead of tables")
  .option("--hold", "count the repository's traces, and hold the kernel to it: write test/replay/steps.json")
  .action((options: StepsOptions) => runSteps(options));

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
  .option("--from <file>", "the JSON of a run instead of bench/results.json")
  .option("--to <folder>", "where to write instead of bench/charts")
  .action((options: ChartsOptions) => drawCharts(options));

await program.parseAsync();
