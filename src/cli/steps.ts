// steps: the command `morecore steps FILE…`.
//
// Owns:  the arguments and the exit code.
// Needs: morecore/steps: a copy of the library whose loads and stores are counted.

import type { Command } from "commander";
import { profileTrace } from "morecore/steps";
import { toTerminal } from "../bench/tables.ts";
import { stepsJson, stepsTables, type TraceSteps } from "../steps/tables.ts";
import { complain, openTrace, traceName, UNLIMITED, whyNoTrace } from "./files.ts";

interface StepsOptions {
  readonly unlimited?: boolean;
  readonly json?: true;
}

const NOT_ALL_DONE = 2;

const HELP = `
A step is a load or a store of the allocator's. What is copied by realloc and zeroed by calloc is not counted.

Exit code: 0 all was counted; 2 wrong arguments, or a file that is no sound trace (the others are counted all the same).`;

export function stepsCommand(morecore: Command): void {
  morecore
    .command("steps")
    .description("count the loads and stores that each call of a trace takes")
    .showHelpAfterError("\nUsage: morecore steps [options] <FILE...>\nmorecore steps --help tells more.")
    .argument("<FILE...>", "traces: NAME.mct.gz, or the same not compressed")
    .option("--json", "print the results as JSON")
    .option(...UNLIMITED)
    .addHelpText("after", HELP)
    .action((files: string[], options: StepsOptions) => {
      const counted = files.flatMap((file) => countFile(file, options) ?? []);
      const text = options.json ? stepsJson(counted) : stepsTables(counted).map(toTerminal).join("\n");
      if (counted.length > 0 || options.json) process.stdout.write(`${text}\n`);
      process.exitCode = counted.length < files.length ? NOT_ALL_DONE : 0;
    });
}

function countFile(file: string, { unlimited = false }: StepsOptions): TraceSteps | undefined {
  try {
    return { trace: traceName(file), ...profileTrace(openTrace(file, unlimited)) };
  } catch (error) {
    complain(`${file}: ${whyNoTrace(error)}`);
    return undefined;
  }
}
