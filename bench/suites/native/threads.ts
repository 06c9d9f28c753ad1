// Threads: patterns in which several threads share a malloc, and what a thread costs that only waits. Goal T7.
//
// Owns:       which patterns are played, with how many threads, and what is a ratio of them.
// Needs:      gcc; patterns/*.c.
// Invariants: N1  an allocator whose checked play has another sum than the C library's own malloc has no figures, and a
//                 remark says so
//
// The work of a pattern is fixed, however many threads do it: two that do not disturb each other take half the time.

import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../../harness/paths.ts";
import { largest } from "../../harness/stats.ts";
import { inTurns, measured, type NativePlan, type NativeResult } from "./measure.ts";
import { LIBRARIES, type NativePeer } from "./peers.ts";
import { ratiosOf, WALL } from "./ratios.ts";

/** What each of so many threads does. */
export const PATTERNS = ["larson", "xmalloc", "mstress", "rptest"] as const;
export const THREAD_COUNTS = [1, 2, 4, 8] as const;
/** What one thread does, alone and beside one that waits. */
export const IDLE_LOOPS = ["idle-pair", "idle-blocks"] as const;
const SOURCES = path.join(ROOT, "bench", "suites", "native", "patterns");
/** In which a play is checked: none takes a second on a machine that does nothing else. */
const PATIENCE_MS = 120_000;

export interface ThreadsPlay {
  readonly name: string;
  readonly args: readonly [pattern: string, threads: string];
}

/** In the order of the tables. */
export function threadsPlays(): readonly ThreadsPlay[] {
  const patterns = PATTERNS.flatMap((pattern) =>
    THREAD_COUNTS.map((threads) => playOf(nameOf(pattern, threads), pattern, threads)),
  );
  const idle = IDLE_LOOPS.flatMap((loop) => [playOf(loop, loop, 1), playOf(besideIdle(loop), loop, 2)]);
  return [...patterns, ...idle];
}

function playOf(name: string, pattern: string, threads: number): ThreadsPlay {
  return { name, args: [pattern, String(threads)] };
}

function nameOf(pattern: string, threads: number): string {
  return `${pattern}, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
}

function besideIdle(loop: string): string {
  return `${loop}, beside a thread that waits`;
}

/** Compiles them into one program, whose path is returned. */
export function compilePatterns(folder: string): string {
  const output = path.join(folder, "patterns");
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith(".c"));
  const files = sources.map((name) => path.join(SOURCES, name));
  const warnings = ["-Wall", "-Wextra", "-Werror"];
  execFileSync("gcc", ["-std=gnu11", "-O2", ...warnings, "-fno-builtin", "-pthread", ...files, "-o", output]);
  return output;
}

/** The time on the wall, and the peak of the resident memory. */
export function measureThreads({ name, args }: ThreadsPlay, plan: NativePlan): NativeResult {
  const program = path.join(plan.folder, "patterns");
  const { sound, remarks } = checked(program, name, args, plan.peers);
  const result = inTurns({ ...plan, peers: sound }, (peer) => {
    const figures = measured(plan, peer, [program, ...args]);
    return typeof figures === "string" ? `${name} ${figures}` : { ...figures, time: figures.wall };
  });
  return { name, single: false, ...result, remarks: [...remarks, ...result.remarks] };
}

/** Those that have made and freed the same blocks as the C library's malloc, and why others have not. */
function checked(
  program: string,
  name: string,
  args: readonly string[],
  peers: readonly NativePeer[],
): { readonly sound: readonly NativePeer[]; readonly remarks: readonly string[] } {
  const play = (preload: string) =>
    spawnSync(program, args, {
      encoding: "utf8",
      env: { ...process.env, LD_PRELOAD: preload },
      timeout: PATIENCE_MS,
    });
  const expected = play("").stdout;
  const remarks: string[] = [];
  const sound = peers.filter((peer) => {
    const { stdout, stderr, status, signal } = play(LIBRARIES[peer]);
    const isSound = status === 0 && stdout === expected;
    if (!isSound) remarks.push(`${name} with ${peer}: ended with ${signal ?? status}: ${stderr.trim()}`);
    return isSound;
  });
  return { sound, remarks };
}

/** morecore's time over a peer's with as many threads: the worst. NaN: nothing was measured. */
export function worstOver(results: readonly NativeResult[], pattern: string, peer: NativePeer): number {
  const names: readonly string[] = THREAD_COUNTS.map((threads) => nameOf(pattern, threads));
  const those = results.filter(({ name }) => names.includes(name));
  return largest(ratiosOf(those, peer, WALL));
}

/** A loop's time beside a thread that waits, over its time alone, with one allocator. */
export function besideOverAlone(
  results: readonly NativeResult[],
  loop: string,
  peer: NativePeer = "morecore",
): number {
  const median = (wanted: string): number =>
    results.find(({ name }) => name === wanted)?.taken[peer]?.time.median ?? Number.NaN;
  return median(besideIdle(loop)) / median(loop);
}
