// Open: a trace from a file that may be anybody's, for commands.
//
// Owns:  its name, and the words of why it is not played.
// Needs: Node; file, limits.

import { basename } from "node:path";
import { isError } from "morecore/engine";
import { readTraceFile } from "./file.ts";
import { type Trace, TraceFormatError } from "./format.ts";
import { checkLimits, TraceLimitError } from "./limits.ts";

/**
 * "traces/lua.mct.gz" is the trace "lua".
 *
 * @example
 *
 * ```ts
 * console.log(traceName("traces/lua.mct.gz")); // lua
 * ```
 */
export function traceName(file: string): string {
  return basename(file).replace(/(\.mct)?(\.gz)?$/, "");
}

/**
 * Reads a trace that may be anybody's, and refuses one that asks for more than the bounds.
 *
 * Throws; whyNoTrace has the words. With `unlimited`, whatever it asks for.
 *
 * @example
 *
 * ```ts no-run
 * try {
 *   console.log(openTrace("stranger.mct.gz").opCount);
 * } catch (error) {
 *   console.log(whyNoTrace(error));
 * }
 * ```
 */
export function openTrace(file: string, unlimited = false): Trace {
  const trace = readTraceFile(file);
  if (!unlimited) checkLimits(trace);
  return trace;
}

/**
 * Why a file is not played, in one line.
 *
 * @example
 *
 * ```ts
 * try {
 *   openTrace("not-there.mct.gz");
 * } catch (error) {
 *   console.log(whyNoTrace(error)); // cannot read: no such file or directory
 * }
 * ```
 */
export function whyNoTrace(error: unknown): string {
  const isSaid = error instanceof TraceFormatError || error instanceof TraceLimitError;
  return isSaid ? error.message : systemMessage("cannot read", error);
}

/**
 * Node's own text without the call's name and path, which are said already: "cannot read: no such file or directory".
 *
 * @example
 *
 * ```ts
 * const error = new Error("ENOENT: no such file or directory, open 'a.mct'");
 * console.log(systemMessage("cannot read", error)); // cannot read: no such file or directory
 * ```
 */
export function systemMessage(what: string, error: unknown): string {
  const message = isError(error) ? error.message : String(error);
  return `${what}: ${message.replace(/^[A-Z]+: /, "").replace(/, \w+( '.*')?$/s, "")}`;
}
