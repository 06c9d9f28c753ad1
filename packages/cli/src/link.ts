// link: the command `morecore link app.wasm -o out.wasm`.
//
// Owns:       its arguments, files and exit code.
// Needs:      wasm/link, files; the kernels in dist, which the build puts there.

import { type LinkOptions, linkProgram, readKernel } from "@morecore/wasm";
import { type Command, InvalidArgumentError, Option } from "commander";
import { checkWritable, complain, readInput, whyNotDone, writeOutput } from "./files.ts";

const NOT_DONE = 2;

interface LinkCommandOptions {
  readonly output: string;
  readonly O: LinkOptions;
  readonly optimize: boolean;
  readonly swap: boolean;
  /** false: --no-inline. */
  readonly inline?: number | false;
}

/** wasm-opt's levels. */
const LEVELS: Readonly<Record<string, LinkOptions>> = {
  0: { optimize: 0 },
  1: { optimize: 1 },
  2: { optimize: 2 },
  3: { optimize: 3 },
  4: { optimize: 4 },
  s: { optimize: 2, shrink: 1 },
  z: { optimize: 2, shrink: 2 },
};

export function linkCommand(morecore: Command): void {
  morecore
    .command("link")
    .description("make a program that was built with lib/morecore.c and the allocator one module")
    .showHelpAfterError(
      "\nUsage: morecore link [options] <PROGRAM.wasm> -o <FILE>\nmorecore link --help tells more.",
    )
    .argument("<PROGRAM.wasm>", "a module that imports its malloc from morecore")
    .requiredOption("-o, --output <file>", "where the linked module goes")
    .addOption(
      new Option("-O <level>", "optimise as wasm-opt does: 0, 1, 2, 3, 4, s or z")
        .default(LEVELS["3"], "3")
        .argParser(levelOf),
    )
    .option("--no-optimize", "the same as -O0")
    .addOption(
      new Option("--inline <bytes>", "how much larger inlined malloc and free may make the module").argParser(
        bytesOf,
      ),
    )
    .option("--no-inline", "call malloc and free everywhere: the same as --inline 0")
    .option("--no-swap", "leave an allocator that the program has besides as it is")
    .addHelpText("after", LINK_HELP)
    .action(async (program: string, options: LinkCommandOptions) => {
      process.exitCode = await runLink(program, options);
    });
}

const LINK_HELP = `
The heap begins at the program's __heap_base, if it exports that (wasm-ld: --export=__heap_base), else where its memory
ends, before any constructor or _start. Function names are kept; debug information is not.

A program whose C library allocates besides, for its arguments, say, has that malloc put on the same heap; one that
cannot be, or an allocator that takes memory without asking, is refused.

The fast ways of malloc and free are inlined where they are called, if the module grows by no more than a 32nd, or 4096
bytes; with -O0 to -O2, -Os and -Oz only if --inline asks for it.

The package binaryen must be installed: npm install binaryen.

Exit code: 0 all is well; 2 wrong arguments, or a file that cannot be read, linked or written.`;

function levelOf(text: string): LinkOptions {
  const level = Object.hasOwn(LEVELS, text) ? LEVELS[text] : undefined;
  if (level !== undefined) return level;
  throw new InvalidArgumentError("It must be 0, 1, 2, 3, 4, s or z.");
}

function bytesOf(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError("It must be a number of bytes.");
}

/** Links a file, and returns the exit code. */
async function runLink(
  program: string,
  { output, O, optimize, inline, swap }: LinkCommandOptions,
): Promise<number> {
  try {
    checkWritable(output);
    const bytes = readInput(program);
    const kernels = {
      growing: readKernel("growing"),
      asking: readKernel("asking"),
      threads: readKernel("threads"),
    };
    const level = optimize ? O : { optimize: 0 };
    const inlining = inline === undefined ? {} : { inline: Number(inline) };
    writeOutput(output, await linkProgram(bytes, kernels, { ...level, ...inlining, swap }));
    return 0;
  } catch (error) {
    const why = whyNotDone(program, error);
    if (why === undefined) throw error;
    complain(why);
    return NOT_DONE;
  }
}
