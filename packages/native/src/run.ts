// Run: a native program with libmorecore.so for its malloc, from its name to its exit code.
//
// Owns:  the environment by which the library is loaded and told what to do; what a program's end is as a number.
// Needs: library; Node.

import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { libraryPath } from "./library.ts";

/** How libmorecore.so is to work in a program. */
export interface NativeSettings {
  /** Where the first region's memory comes from. */
  readonly memory?: "sbrk" | "mmap";
  /** The heap's options: "name=value,…". */
  readonly options?: string;
  /** Whether figures are printed at the end, on stderr. */
  readonly stats?: boolean;
  /** A file for the trace; "%p" is the process's number. */
  readonly trace?: string;
}

/** The variables of a process. One that is undefined is not there. */
export type Environment = Record<string, string | undefined>;

/**
 * A program could not be run. The message names it.
 *
 * @example
 *
 * ```ts no-run
 * try {
 *   runNative("not-a-program", []);
 * } catch (error) {
 *   if (error instanceof ProgramError) console.log(error.message);
 * }
 * ```
 */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
}

/** What shells add to a signal's number. */
const SIGNALLED = 128;

/**
 * Runs a program, with this process's standard streams, and returns its exit code, or 128 and the number of the signal that
 * ended it. Throws a MissingLibraryError or a ProgramError.
 *
 * @example
 *
 * ```ts no-run
 * console.log(runNative("sort", ["/etc/passwd"], { stats: true })); // its exit code
 * ```
 */
export function runNative(command: string, args: readonly string[], settings: NativeSettings = {}): number {
  const env = nativeEnvironment(libraryPath(), settings, process.env);
  const { status, signal, error } = spawnSync(command, args, { env, stdio: "inherit" });
  if (error !== undefined) throw new ProgramError(whyNotRun(command, error), { cause: error });
  // Without an error there is one of the two.
  return signal === null ? (status ?? SIGNALLED) : SIGNALLED + constants.signals[signal];
}

/**
 * The variables that give a program the library, added to those of `env`; before what is preloaded already.
 *
 * @example
 *
 * ```ts
 * const variables = nativeEnvironment("/lib/libmorecore.so", { stats: true }, {});
 * console.log(variables.LD_PRELOAD); // /lib/libmorecore.so
 * ```
 */
export function nativeEnvironment(
  library: string,
  { memory, options, stats = false, trace }: NativeSettings,
  env: Environment,
): Environment {
  const others = env["LD_PRELOAD"] ?? "";
  return {
    ...env,
    ...(memory === undefined ? {} : { MORECORE_MEMORY: memory }),
    ...(options === undefined ? {} : { MORECORE_OPTIONS: options }),
    ...(stats ? { MORECORE_STATS: "1" } : {}),
    ...(trace === undefined ? {} : { MORECORE_TRACE: trace }),
    LD_PRELOAD: others === "" ? library : `${library}:${others}`,
  };
}

function whyNotRun(command: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return `there is no program ${command}`;
  const [, message = error.message] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
  return `cannot run ${command}: ${message}`;
}
