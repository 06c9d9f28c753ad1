// Measure: programs and traces, each allocator in a process of its own, in turns.
//
// Owns:       rounds, and what a run that fails leads to.
// Needs:      measure.c and replay.c, compiled by gcc.
// Invariants: M1  within a round every allocator runs once; who is first changes from round to round

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { TraceInput } from "../../harness/inputs.ts";
import { ROOT } from "../../harness/paths.ts";
import { type Sample, summarize } from "../../harness/stats.ts";
import { LIBRARIES, type NativePeer } from "./peers.ts";
import { isThere, type NativeProgram } from "./programs.ts";

/** What one allocator took. */
export interface Taken {
  /** Of programs processor time, of all their threads, in ms; of traces ns for a call; of patterns ms on the wall. */
  readonly time: Sample;
  readonly peakBytes: Sample;
}

export interface NativeResult {
  readonly name: string;
  readonly single: boolean;
  readonly taken: Readonly<Partial<Record<NativePeer, Taken>>>;
  /** What went wrong. */
  readonly remarks: readonly string[];
}

export interface NativePlan {
  readonly peers: readonly NativePeer[];
  readonly rounds: number;
  readonly folder: string;
  readonly onStep: (what: string) => void;
}

interface Figures {
  readonly time: number;
  readonly peakBytes: number;
}

/** Compiles what the measuring needs into the folder. */
export function prepare(folder: string): void {
  for (const name of ["measure", "replay"])
    execFileSync("gcc", [
      "-O2",
      "-fno-builtin",
      path.join(ROOT, "bench", "suites", "native", `${name}.c`),
      "-o",
      path.join(folder, name),
    ]);
}

/** A program's figures, or why there are none. */
export function measureProgram(program: NativeProgram, plan: NativePlan): NativeResult | string {
  const { name, command, args, single, env } = program;
  if (!isThere(command)) return `${name} is left out: there is no ${command}`;
  const run = (peer: NativePeer): Figures | string => {
    const figures = measured(plan, peer, [command, ...args], env);
    return typeof figures === "string" ? `${name} ${figures}` : figures;
  };
  return { name, single, ...inTurns(plan, run) };
}

/** One run of a command: `time` is the processor's, `wall` the clock's, both in ms. Or how it ended. */
export function measured(
  { folder }: NativePlan,
  peer: NativePeer,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): (Figures & { readonly wall: number }) | string {
  const { stdout, stderr, status } = spawnSync(path.join(folder, "measure"), [LIBRARIES[peer], ...command], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  if (status !== 0) return `with ${peer} ended with ${status}: ${stderr.slice(0, 200)}`;
  const [wall = Number.NaN, time = Number.NaN, peakBytes = Number.NaN] = stdout.split(" ").map(Number);
  return { wall, time, peakBytes };
}

/** A trace as replay.c takes it. */
export function unpacked(trace: TraceInput, folder: string): string {
  const file = path.join(folder, `${trace.name}.mct`);
  writeFileSync(file, gunzipSync(readFileSync(trace.file)));
  return file;
}

/** A trace's figures. One pass is timed for each round, as in a program. */
export function measureTrace(trace: TraceInput, plan: NativePlan): NativeResult {
  const file = unpacked(trace, plan.folder);
  const play = (peer: NativePeer, ...args: readonly string[]): number | string => {
    const { stdout, stderr, status } = spawnSync(path.join(plan.folder, "replay"), [file, ...args], {
      encoding: "utf8",
      env: { ...process.env, LD_PRELOAD: LIBRARIES[peer] },
    });
    return status === 0 ? Number(stdout) : `${trace.name} with ${peer} ended with ${status}: ${stderr}`;
  };
  const measured = inTurns(plan, (peer) => {
    const time = play(peer, "time", "1");
    const peakBytes = play(peer, "peak");
    if (typeof time === "string") return time;
    return typeof peakBytes === "string" ? peakBytes : { time, peakBytes };
  });
  return { name: trace.name, single: true, ...measured };
}

/** A peer that fails once takes no further part; why is a remark. */
export function inTurns(
  { peers, rounds }: NativePlan,
  run: (peer: NativePeer) => Figures | string,
): Pick<NativeResult, "taken" | "remarks"> {
  const all = new Map<NativePeer, Figures[]>(peers.map((peer) => [peer, []]));
  const remarks: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = round % peers.length;
    for (const peer of [...peers.slice(first), ...peers.slice(0, first)]) {
      const before = all.get(peer);
      if (before === undefined) continue;
      const figures = run(peer);
      if (typeof figures !== "string") before.push(figures);
      else {
        all.delete(peer);
        remarks.push(figures.trim());
      }
    }
  }
  const taken: Partial<Record<NativePeer, Taken>> = {};
  for (const [peer, figures] of all)
    taken[peer] = {
      time: summarize(figures.map(({ time }) => time)),
      peakBytes: summarize(figures.map(({ peakBytes }) => peakBytes)),
    };
  return { taken, remarks };
}
