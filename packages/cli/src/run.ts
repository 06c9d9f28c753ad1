// run: the command `morecore run [options] app.wasm [args…]`.
//
// Owns:       its arguments, what it says on stderr, and the exit code, which is the program's.
// Needs:      wasm/run, trace/file, run-report, files.
//
// stdout is the program's alone. What is said before the program runs is about the options; what it did comes after.

import { statSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { positiveNumber } from "@morecore/bench";
import { systemMessage, writeTraceFile } from "@morecore/inspect";
import {
  type Death,
  frameText,
  loadProgram,
  type Program,
  type ProgramMode,
  type RunResult,
  runProgram,
  type Swap,
} from "@morecore/wasm";
import { type Command, InvalidArgumentError, Option } from "commander";
import { checkWritable, complain, readInput, whyNotDone } from "./files.ts";
import { jsonRunReport, tableHeapReport } from "./run-report.ts";

interface RunCommandOptions {
  readonly dir: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly stats?: true;
  readonly "stats=json"?: true;
  readonly json?: true;
  readonly trace?: string;
  readonly check?: number;
  readonly swap: boolean;
}

const NOT_RUN = 2;
const nodeVersion = Number.parseInt(process.versions.node, 10);
/**
 * Before it, V8's quick compiler for wasm loses a local variable at memory.atomic.wait32 in a loop: the program then waits
 * elsewhere, for ever. The optimising one does not (docs/RUN.md).
 */
const FIRST_WITH_SOUND_WAITS = 22;

export function runCommand(morecore: Command): void {
  // Options of ours stand before the program; what follows it is the program's, options too.
  morecore.enablePositionalOptions();
  morecore
    .command("run")
    .description("run a program for WASI, and look at its heap")
    .showHelpAfterError(
      "\nUsage: morecore run [options] <PROGRAM.wasm> [args...]\nmorecore run --help tells more.",
    )
    .passThroughOptions()
    .argument("<PROGRAM.wasm>", "a WASI preview 1 program")
    .argument("[args...]", "the program's own arguments and options")
    .addOption(
      new Option("--dir <host[::guest]>", "let the program use a directory, as `guest`; may be given again")
        .default({}, "none")
        .argParser(withDirectory),
    )
    .addOption(
      new Option("--env <name[=value]>", "give it an environment variable, or ours; may be given again")
        .default({}, "none")
        .argParser(withVariable),
    )
    .option("--stats", "tell of its heap at the end, on stderr")
    .option("--stats=json", "the same as one line of JSON")
    .option("--json", "the same as --stats=json")
    .option("--trace <file>", "record its calls of malloc and free, for morecore replay: NAME.mct.gz")
    .addOption(
      new Option("--check <calls>", "check its heap after every so many calls, and at the end").argParser(
        positiveNumber,
      ),
    )
    .option("--no-swap", "run a program that has a malloc of its own with that")
    .addHelpText("after", RUN_HELP)
    .action(async (file: string, args: string[], options: RunCommandOptions) => {
      process.exitCode = await run(file, args, options);
    });
}

const RUN_HELP = `
--stats, --trace and --check are for programs that were built with lib/morecore.c, and for those whose own malloc can be
swapped, in memory, as \`morecore swap\` does it; that needs binaryen: npm install binaryen. Any other runs as it is, and
why is said. One that \`morecore link\` has made one module with the allocator has --stats, and --check at its end.

Exit code: the program's; 134 if it died of a trap, of misuse of the heap, or with --check of a heap that is corrupt; 2
if it could not be run, or its trace not be written.`;

function withDirectory(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [host = "", guest = host] = text.split("::");
  if (!statSync(host, { throwIfNoEntry: false })?.isDirectory())
    throw new InvalidArgumentError("There is no such directory.");
  return { ...before, [guest]: host };
}

function withVariable(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [name = ""] = text.split("=", 1);
  const value = name === text ? process.env[name] : text.slice(name.length + 1);
  if (name === "") throw new InvalidArgumentError("It must begin with a name.");
  if (value === undefined) throw new InvalidArgumentError("There is no such variable to pass on.");
  return { ...before, [name]: value };
}

/** Runs a program, says what was asked for, and returns the exit code. */
async function run(file: string, args: readonly string[], options: RunCommandOptions): Promise<number> {
  // What makes node:wasi safe besides what wasm/wasi.ts does; the process is ours, so we may.
  setFlagsFromString("--no-turbo-fast-api-calls");
  const { dir, env, trace, check } = options;
  const json = options.json === true || options["stats=json"] === true;
  const stats = json || options.stats === true;
  try {
    if (trace !== undefined) checkWritable(trace);
    const program = await loadProgram(readInput(file), options.swap ? swap : undefined);
    if (program.memory?.shared === true && nodeVersion < FIRST_WITH_SOUND_WAITS)
      setFlagsFromString("--no-liftoff");
    const note = unavailable(program, { stats, trace: trace !== undefined, check: check !== undefined });
    const result = await runProgram(program, {
      args: [file, ...args],
      env,
      dirs: dir,
      stats,
      trace: trace !== undefined,
      checkEvery: check ?? 0,
      onStart: () => {
        if (note !== undefined) complain(`${file}: ${note}`);
      },
    });
    sayEnd(file, program.mode, result, json);
    const written = trace === undefined || writeTrace(trace, result);
    return written || result.death !== undefined ? result.exitCode : NOT_RUN;
  } catch (error) {
    const why = whyNotDone(file, error) ?? whyNoDirectory(error);
    if (why === undefined) throw error;
    complain(why);
    return NOT_RUN;
  }
}

/** What node:wasi says of a directory that it cannot open, without its name; undefined: something else. */
function whyNoDirectory(error: unknown): string | undefined {
  const isOfSystem = error instanceof Error && "syscall" in error;
  return isOfSystem ? systemMessage("cannot open what --dir names", error) : undefined;
}

/** Loaded only for a program that needs it: it brings two parsers with it. */
const swap: Swap = {
  only: async (bytes) => (await import("@morecore/wasm/auto-swap")).autoSwap.only(bytes),
  second: async (bytes, heapBase) =>
    (await import("@morecore/wasm/auto-swap")).autoSwap.second(bytes, heapBase),
};

/** What was asked for and cannot be had of this program, in words. */
function unavailable(
  { mode, memory, whyPlain }: Program,
  asked: { readonly stats: boolean; readonly trace: boolean; readonly check: boolean },
): string | undefined {
  if (mode === "plain") {
    const options = Object.entries(asked).flatMap(([name, isAsked]) => (isAsked ? `--${name}` : []));
    const cannot = options.length === 0 ? "" : `; ${options.join(", ")} cannot be had`;
    if (whyPlain !== undefined) return `runs as it is, its malloc is not swapped: ${whyPlain}${cannot}`;
    return cannot === "" ? undefined : `runs as it is${cannot}`;
  }
  if (mode === "merged" && memory?.shared && asked.trace)
    return "no trace: it has threads, and is linked with its allocator: its calls cannot be seen";
  if (mode === "merged" && memory?.shared && asked.check)
    return "is linked with its allocator: its heap is checked at the end only";
  if (mode === "merged" && asked.trace)
    return "no trace: its calls cannot be seen any more; --trace needs the module as it was before `morecore link`";
  if (mode === "merged" && asked.check)
    return "is linked with its allocator: its heap is checked at the end only; --check can do more before `morecore link`";
  return undefined;
}

/** What happened, for people, and last what the heap looks like: a program that reads JSON takes the last line. */
function sayEnd(file: string, mode: ProgramMode, result: RunResult, json: boolean): void {
  const { death, heap, heapFault } = result;
  if (death !== undefined) process.stderr.write(deathText(file, death));
  if (heapFault !== undefined) complain(`${file}: at its end: ${heapFault.message}`);
  if (json) process.stderr.write(jsonRunReport(file, mode, result));
  else if (heap !== undefined) process.stderr.write(tableHeapReport(heap));
}

const WHAT_HAPPENED: Readonly<Record<Death["kind"], string>> = {
  trap: "trap: ",
  misuse: "misuse of the heap: ",
  corrupt: "",
  exception: "uncaught exception: ",
};

function deathText(file: string, { kind, error, frames, call, thread }: Death): string {
  const at = kind === "misuse" && call !== undefined ? ` (call ${call})` : "";
  const where = thread === undefined ? "" : `thread ${thread}: `;
  const lines = [
    `morecore: ${file}: ${where}${WHAT_HAPPENED[kind]}${error.message}${at}`,
    ...withoutRepeats(frames.map((frame) => frameText(frame, file))),
  ];
  return `${lines.join("\n")}\n`;
}

/** A recursion without end would fill the screen with one line. */
function withoutRepeats(lines: readonly string[]): string[] {
  const shown: string[] = [];
  let repeats = 0;
  lines.forEach((line, index) => {
    const isRepeat = line === lines[index - 1];
    if (isRepeat) repeats++;
    if (isRepeat && line === lines[index + 1]) return;
    shown.push(isRepeat ? `    … ${repeats} more of these` : line);
    repeats = 0;
  });
  return shown;
}

/** Whether it could be written. */
function writeTrace(path: string, { trace }: RunResult): boolean {
  // It has been said already why there is none.
  if (trace === undefined) return true;
  try {
    writeTraceFile(path, trace.bytes());
  } catch (error) {
    complain(systemMessage(`cannot write ${path}`, error));
    return false;
  }
  if (trace.isCut)
    complain(`${path}: the trace has the first ${trace.opCount} calls only: it had grown too long`);
  return true;
}
