// native: the commands `morecore preload` and `morecore run-native -- CMD [args…]`.
//
// Owns:       their arguments, and the exit code, which is the program's.
// Needs:      commander; @morecore/native, which finds the library and runs programs with it.

import { libraryPath, MissingLibraryError, ProgramError, runNative } from "@morecore/native";
import { type Command, Option } from "commander";
import { complain } from "./files.ts";

interface RunNativeOptions {
  readonly memory?: "sbrk" | "mmap";
  readonly options?: string;
  readonly stats?: true;
  readonly trace?: string;
}

const NOT_RUN = 2;

export function nativeCommands(morecore: Command): void {
  morecore.enablePositionalOptions();
  morecore
    .command("preload")
    .description("print the path of libmorecore.so, which gives native programs this malloc by LD_PRELOAD")
    .action(() => {
      process.exitCode = coded(preload);
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
      process.exitCode = coded(() => runNative(command, args, options));
    });
}

const HELP = `
The options are environment variables: MORECORE_MEMORY, MORECORE_OPTIONS, MORECORE_STATS, MORECORE_TRACE. Programs that the
program starts inherit them.

The library is for Linux on x64, with glibc. It comes with the package @morecore/native-linux-x64; in a checkout of morecore
\`npm run build:native\` makes it.

Exit code: the program's, or 128 and the number of the signal that ended it; 2 if it could not be run.`;

/** Does what a command is for, and returns the exit code; 2, and a word on stderr, where it cannot be done. */
function coded(command: () => number): number {
  try {
    return command();
  } catch (error) {
    if (!(error instanceof MissingLibraryError || error instanceof ProgramError)) throw error;
    complain(error.message);
    return NOT_RUN;
  }
}

function preload(): number {
  process.stdout.write(`${libraryPath()}\n`);
  return 0;
}
