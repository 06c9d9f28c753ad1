// Run: real programs, the traces, and patterns with threads, with libmorecore.so and with others.
//
// Owns:  the order of things.
// Needs: gcc; `npm run build:native` before.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { machineText } from "../../harness/run.ts";
import { findTraces } from "../traces/find.ts";
import { measureLocality, missingValgrind } from "./locality.ts";
import { measureProgram, measureTrace, type NativePlan, prepare } from "./measure.ts";
import { findPeers, MADE_BY_DEBIAN, type NativePeer } from "./peers.ts";
import { nativePrograms } from "./programs.ts";
import type { NativePart, NativeResults } from "./results.ts";
import { compilePatterns, measureThreads, threadsPlays } from "./threads.ts";

export interface NativeOptions {
  readonly rounds: number;
  readonly only: string;
  readonly traces?: string;
}

/** Of one part, or of all. `command` is what was typed. */
export function measureNative(
  part: NativePart | undefined,
  options: NativeOptions,
  command: string,
): NativeResults {
  const started = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), "morecore-bench-"));
  try {
    const { peers, remarks } = findPeers();
    const onStep = (what: string): void => void process.stderr.write(`${what}\n`);
    const plan: NativePlan = { peers, rounds: options.rounds, folder, onStep };
    const said = [...remarks];
    const isWanted = ({ name }: { readonly name: string }): boolean => name.includes(options.only);
    const measured = <T extends { readonly name: string }, R extends { readonly remarks: readonly string[] }>(
      things: readonly T[],
      measure: (thing: T, plan: NativePlan) => R | string,
    ): R[] =>
      things.filter(isWanted).flatMap((thing) => {
        const result = measure(thing, plan);
        onStep(thing.name);
        said.push(...(typeof result === "string" ? [result] : result.remarks));
        return typeof result === "string" ? [] : [result];
      });
    prepare(folder);
    const asked = (name: NativePart): boolean => part === undefined || part === name;
    const programs = !asked("programs") ? [] : measured(nativePrograms(folder), measureProgram);
    const found = findTraces(options.traces);
    const traces = !asked("traces") ? [] : measured(found.traces, measureTrace);
    const missing = asked("locality") ? missingValgrind() : "";
    if (missing) said.push(missing);
    const locality =
      missing === undefined ? measured(found.traces, (trace) => measureLocality(trace, peers, folder)) : [];
    if (asked("traces") || asked("locality")) said.push(...found.remarks);
    if (asked("threads")) compilePatterns(folder);
    const threads = asked("threads") ? measured(threadsPlays(), measureThreads) : [];
    return {
      machine: machineText(),
      peers,
      versions: Object.fromEntries(peers.map((peer) => [peer, versionOf(peer)])),
      rounds: options.rounds,
      programs,
      traces,
      locality,
      threads,
      remarks: said,
      command,
      seconds: Math.round((performance.now() - started) / 1000),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The Debian package's version; ours is the working copy. */
function versionOf(peer: NativePeer): string {
  const name = MADE_BY_DEBIAN[peer];
  if (name === "") return "libmorecore.so of this commit";
  try {
    return execFileSync("dpkg-query", ["--show", name], { encoding: "utf8" }).trim().replace("\t", " ");
  } catch {
    return "not of Debian";
  }
}
