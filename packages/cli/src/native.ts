// native: the commands `morecore preload` and `morecore run-native -- CMD [args…]`.
//
// Owns:       their arguments, where the library is, and the exit code, which is the program's.
// Needs:      packages/native/dist/libmorecore.so, which `npm run build:native` makes; files.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { complain, systemMessage } from "./files.ts";

interface RunNativeOptions {
  readonly memory?: "sbrk" | "mmap";
  readonly options?: string;
  readonly stats?: true;
  readonly trace?: string;
}

const NOT_RUN = 2;
/** What shells add to a signal's number. */
const SIGNALLED = 128;

export function nativeCommands(morecore: Command): void {
  morecore.enablePositionalOptions();
  morecore
    .command("preload")
    .description("print the path of libmorecore.so, which gives native programs this malloc by LD_PRELOAD")
    .action(() => {
      const library = findLibrary();
      if (library === undefined) process.exitCode = NOT_RUN;
      else process.stdout.write(`${library}\n`);
    });
  morecore
    .command("run-native")
    .description("run a native program with libmorecore.so for its malloc")
    .showHelpAfterError("\nUsage: morecore run-native [options] -- <COMMAND> [args...]")
    .passThroughOptions()
    .argument("<COMMAND>", "a program, by its path or by its name")
    .argument("[args...]", "its own arguments and options")
    .addOption(new Option("--memory <kind>", "where the heap gets its memory from").choices(["sbrk", "mmap"]))
    .option("--options <name=value,...>", "the heap's options: growthStep, trimThreshold …")
    .option("--stats", "figures on stderr at the end")
    .option(
      "--trace <file>",
      "record its calls of malloc and free, for morecore replay: NAME.mct.gz, or plain NAME.mct; %p is the process's number",
    )
    .addHelpText("after", HELP)
    .action((command: string, args: string[], options: RunNativeOptions) => {
      process.exitCode = runNative(command, args, options);
    });
}

const HELP = `
The options are environment variables: MORECORE_MEMORY, MORECORE_OPTIONS, MORECORE_STATS, MORECORE_TRACE. Programs that the
program starts inherit them.

Exit code: the program's, or 128 and the number of the signal that ended it; 2 if it could not be run.`;

/** The library's path; if there is none, says what makes it. */
function findLibrary(): string | undefined {
  // From dist/ as from src/.
  const library = fileURLToPath(new URL("../../native/dist/libmorecore.so", import.meta.url));
  if (existsSync(library)) return library;
  complain(`there is no ${library}; \`npm run build:native\` makes it, and needs wabt, gcc and zlib1g-dev`);
  return undefined;
}

function runNative(command: string, args: readonly string[], options: RunNativeOptions): number {
  const library = findLibrary();
  if (library === undefined) return NOT_RUN;
  const env = { ...process.env, ...variablesOf(options), LD_PRELOAD: preloadOf(library) };
  const { status, signal, error } = spawnSync(command, args, { env, stdio: "inherit" });
  if (error !== undefined) {
    const isMissing = "code" in error && error.code === "ENOENT";
    complain(isMissing ? `there is no program ${command}` : systemMessage(`cannot run ${command}`, error));
    return NOT_RUN;
  }
  return signal === null ? (status ?? NOT_RUN) : SIGNALLED + constants.signals[signal];
}

/** Before what is preloaded already. */
function preloadOf(library: string): string {
  const others = process.env["LD_PRELOAD"];
  return others === undefined || others === "" ? library : `${library}:${others}`;
}

function variablesOf({ memory, options, stats, trace }: RunNativeOptions): Record<string, string> {
  return {
    ...(memory === undefined ? {} : { MORECORE_MEMORY: memory }),
    ...(options === undefined ? {} : { MORECORE_OPTIONS: options }),
    ...(stats === undefined ? {} : { MORECORE_STATS: "1" }),
    ...(trace === undefined ? {} : { MORECORE_TRACE: trace }),
  };
}
