#!/usr/bin/env node
// main: the morecore command.
//
// Owns:       the arguments, and what a wrong one leads to.
// Needs:      commander; one module for each command.
//
// Exit codes: 0 all is well; 1 the heap did something wrong; 2 the command could not do all that it was asked for
// (wrong arguments, a file that is no sound trace, a picture that cannot be written).

import { readFileSync } from "node:fs";
import { wholeNumber } from "@morecore/bench";
import { Command, CommanderError, Option } from "commander";
import { benchCommand } from "./bench.ts";
import { UNLIMITED } from "./files.ts";
import { linkCommand } from "./link.ts";
import { nativeCommands } from "./native.ts";
import { type ReplayCommandOptions, runReplay } from "./replay.ts";
import { runCommand } from "./run.ts";
import { addSwapCommand } from "./swap.ts";

const BAD_USE = 2;
const DEFAULT_CHECK_EVERY = 25_000;

/** A reader that went away, as `| head` does, is no reason to fail: there is nobody left to tell. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit();
}

function packageVersion(): string {
  const contents: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const isPackage = typeof contents === "object" && contents !== null && "version" in contents;
  return isPackage ? String(contents.version) : "unknown";
}

function program(): Command {
  const morecore = new Command("morecore")
    .description("malloc for TypeScript: tools")
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError();
  morecore
    .command("replay")
    .description("play allocation traces, each on a fresh heap, and verify what the heap does")
    .showHelpAfterError("\nUsage: morecore replay [options] <FILE...>\nmorecore replay --help tells more.")
    .argument("<FILE...>", "traces: NAME.mct.gz, or the same not compressed")
    .addOption(
      new Option(
        "--check-every <calls>",
        "check the heap's invariants after every so many calls; 0: at the end",
      )
        .default(DEFAULT_CHECK_EVERY)
        .argParser(wholeNumber),
    )
    .option("--json", "print the results as JSON")
    .option(
      "--svg <file>",
      "draw live bytes, footprint and the heap at its peak; with several FILEs, one each",
    )
    .option(...UNLIMITED)
    .addHelpText("after", REPLAY_HELP)
    .action((files: string[], options: ReplayCommandOptions) => {
      process.exitCode = runReplay(files, options);
    });
  linkCommand(morecore);
  runCommand(morecore);
  nativeCommands(morecore);
  addSwapCommand(morecore);
  benchCommand(morecore);
  return morecore;
}

const REPLAY_HELP = `
Every payload is stamped when it is got, and the stamp verified at free and realloc: all bytes of payloads up to
1024 bytes; of larger ones the first and last 64 bytes and a word in each 16 bytes between. All bytes of a calloc are
verified to be zero. At the end all blocks are freed, and one top chunk must be left.

calls/s is the fastest of a few more runs, each on a fresh heap, which only play the calls. chunks are counted at the peak of
live bytes. Units are powers of ten.

With several FILEs, --svg out.svg writes out-NAME.svg for each trace NAME.mct.gz.

Exit code: 0 all is well; 1 the heap did something wrong; 2 wrong arguments, a file that is no sound trace (the others
are played all the same), or a picture that cannot be written.`;

process.stdout.on("error", endQuietly);
process.stderr.on("error", endQuietly);
try {
  const morecore = program();
  if (process.argv.length <= 2) morecore.error("error: no command given");
  else await morecore.parseAsync();
} catch (error) {
  // commander has printed its message by now; help and version end with 0.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : BAD_USE;
}
