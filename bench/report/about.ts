// About: what stands before and after the tables of a run.
//
// Owns:  the description of the run, and the notes on what is missing.
// Needs: results.

import { skippedReasons } from "../harness/skipped.ts";
import { anomalyNotes } from "../suites/adversary/anomalies.ts";
import type { NativeResults } from "../suites/native/results.ts";
import type { Results } from "../suites/results.ts";
import type { ThreadsRun } from "../suites/threads/results.ts";
import type { TypedResults } from "../suites/typed/command.ts";
import type { WithinRun } from "../suites/within/command.ts";

type Line = readonly [name: string, text: string];

/** Machine, versions, command: without them no figure means anything. */
export function aboutRun(results: Results | WithinRun | ThreadsRun): string[] {
  return aligned([
    ["command", results.command],
    ["machine", results.machine],
    ...Object.entries(results.versions),
    rounds(results),
  ]);
}

export function aboutNative(results: NativeResults): string[] {
  return aligned([
    ["command", results.command],
    ["machine", results.machine],
    ...results.peers.map((peer): Line => [peer, results.versions[peer] ?? "of unknown version"]),
    rounds(results),
  ]);
}

export function aboutTyped(results: TypedResults): string[] {
  return aligned([
    ["command", results.command],
    ["machine", results.machine],
    ["node", results.node],
    rounds(results),
  ]);
}

export function notes(results: Results): string[] {
  const sequences = results.anomalies === undefined ? [] : anomalyNotes(results.anomalies);
  return [...results.remarks, ...skippedReasons(results), ...sequences];
}

function rounds(results: { readonly rounds: number; readonly seconds: number }): Line {
  return ["rounds", `${results.rounds}, in ${results.seconds} s`];
}

function aligned(lines: readonly Line[]): string[] {
  return lines.map(([name, text]) => `${`${name}:`.padEnd(12)}${text}`);
}
