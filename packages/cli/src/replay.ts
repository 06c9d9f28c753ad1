// replay: the command `morecore replay FILE…`.
//
// Owns:       the order of things: read, play verified, play timed, draw, report; and the exit code.
// Needs:      trace, inspect, heap, report.

import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import {
  openTrace,
  type ReplayResult,
  replay,
  systemMessage,
  type Trace,
  TraceFormatError,
  timeCalls,
  traceName,
  whyNoTrace,
} from "@morecore/inspect";
import { replaySvg } from "@morecore/inspect/pictures";
import { SingleBar } from "cli-progress";
import { Heap } from "morecore";
import { complain, whyUnwritable } from "./files.ts";
import { type Failure, jsonReport, type Played, tableReport } from "./report.ts";

export interface ReplayCommandOptions {
  readonly checkEvery: number;
  readonly json?: true;
  readonly unlimited?: true;
  readonly svg?: string;
}

const HEAP_ERRORS = 1;
const NOT_ALL_DONE = 2;

/** Plays the files, prints the report, and returns the exit code. Errors of the heap count more than files. */
export function runReplay(files: readonly string[], options: ReplayCommandOptions): number {
  const pictures = picturePaths(files, options.svg);
  const unwritable = pictures.map(whyNoPicture).find((why) => why !== undefined);
  if (unwritable !== undefined) {
    complain(unwritable);
    return NOT_ALL_DONE;
  }
  const played: Played[] = [];
  const failures: Failure[] = [];
  files.forEach((file, index) => {
    const trace = traceOrFailure(file, options.unlimited === true);
    if ("message" in trace) {
      complain(`${file}: ${trace.message}`);
      failures.push(trace);
      return;
    }
    const name = traceName(file);
    const result = playVerified(name, trace, options.checkEvery);
    for (const { message } of result.errors) complain(`${name}: ${message}`);
    const unlisted = result.errorCount - result.errors.length;
    if (unlisted > 0) complain(`${name}: and ${unlisted} more errors`);
    if (result.stopped) complain(`${name}: stopped there, the heap cannot be trusted any further`);
    played.push({ file, name, result, callsPerSecond: result.errorCount > 0 ? undefined : timeCalls(trace) });
    const picture = pictures[index];
    if (picture === undefined) return;
    const failure = writePicture(file, picture, replaySvg(name, result));
    if (failure !== undefined) failures.push(failure);
  });
  if (options.json) process.stdout.write(jsonReport(played, failures));
  else if (played.length > 0) process.stdout.write(tableReport(played));
  if (played.some(({ result }) => result.errorCount > 0)) return HEAP_ERRORS;
  return failures.length > 0 ? NOT_ALL_DONE : 0;
}

function traceOrFailure(file: string, unlimited: boolean): Trace | Failure {
  try {
    return openTrace(file, unlimited);
  } catch (error) {
    const message = whyNoTrace(error);
    if (!(error instanceof TraceFormatError)) return { file, message };
    return { file, message, offset: error.offset, layer: error.layer };
  }
}

function playVerified(name: string, trace: Trace, checkEvery: number): ReplayResult {
  if (!process.stderr.isTTY) return replay(trace, Heap.create(), { checkEvery });
  const bar = new SingleBar({
    format: "{name} {bar} {percentage}%  {value} of {total} calls",
    clearOnComplete: true,
    gracefulExit: false, // its signal handlers could not run during a replay, and would keep ^C from working
    stream: process.stderr,
  });
  bar.start(trace.opCount, 0, { name });
  try {
    return replay(trace, Heap.create(), { checkEvery, onProgress: (calls) => bar.update(calls) });
  } finally {
    bar.stop();
  }
}

/** One path for each file, all different; none without --svg. */
function picturePaths(files: readonly string[], svg: string | undefined): string[] {
  if (svg === undefined) return [];
  if (files.length === 1) return [svg];
  const extension = extname(svg);
  const stem = extension === "" ? svg : svg.slice(0, -extension.length);
  const taken = new Set<string>();
  return files.map((file) => {
    const first = `${stem}-${traceName(file)}`;
    let path = first + extension;
    for (let count = 2; taken.has(path); count++) path = `${first}-${count}${extension}`;
    taken.add(path);
    return path;
  });
}

/** Looked at before the first call is played: a wrong path should not cost a long replay. */
function whyNoPicture(path: string): string | undefined {
  if (/\.(gz|mct)$/.test(path)) return `--svg ${path}: that is the name of a trace, not of a picture`;
  return whyUnwritable(path);
}

function writePicture(file: string, path: string, picture: string): Failure | undefined {
  try {
    writeFileSync(path, picture);
    process.stderr.write(`wrote ${path}\n`);
    return undefined;
  } catch (error) {
    const message = systemMessage(`cannot write ${path}`, error);
    complain(message);
    return { file, message };
  }
}
