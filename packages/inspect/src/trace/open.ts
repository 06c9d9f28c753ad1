// Open: a trace from a file that may be anybody's, for commands.
//
// Owns:  its name, and the words of why it is not played.
// Needs: Node; file, limits.

import { basename } from "node:path";
import { readTraceFile } from "./file.ts";
import { type Trace, TraceFormatError } from "./format.ts";
import { checkLimits, TraceLimitError } from "./limits.ts";

/** "traces/lua.mct.gz" is the trace "lua". */
export function traceName(file: string): string {
  return basename(file).replace(/(\.mct)?(\.gz)?$/, "");
}

/** Throws; whyNoTrace has the words. With `unlimited`, whatever it asks for. */
export function openTrace(file: string, unlimited = false): Trace {
  const trace = readTraceFile(file);
  if (!unlimited) checkLimits(trace);
  return trace;
}

/** Why a file is not played, in one line. */
export function whyNoTrace(error: unknown): string {
  const isSaid = error instanceof TraceFormatError || error instanceof TraceLimitError;
  return isSaid ? error.message : systemMessage("cannot read", error);
}

/** Node's own text without the call's name and path, which are said already: "cannot read: no such file or directory". */
export function systemMessage(what: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${what}: ${message.replace(/^[A-Z]+: /, "").replace(/, \w+( '.*')?$/s, "")}`;
}
