// The native library for the tests: built when it is older than its sources, and programs run with it.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildNative, LIBRARY, missingTools } from "../../tools/native.ts";
import { ROOT } from "./c-program.ts";

const SOURCES = [
  "packages/native/src",
  "tools",
  "tools/abi",
  "packages/morecore/src/abi",
  "packages/morecore/src/kernel",
];

/** Why the library cannot be built here; "": it can. Said once for each test file that needs it. */
export const whyNoNative: string =
  process.platform === "linux" ? missingTools().join("; ") : "libmorecore.so is for Linux";

export function needsNative(): boolean {
  if (whyNoNative !== "") console.warn(`skipped: ${whyNoNative}`);
  return whyNoNative === "";
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function isOld(): boolean {
  const sources = SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name)),
  );
  return changedAt(LIBRARY) < Math.max(...sources.map(changedAt));
}

// Once, when a test file loads this: all that is done with the library is not asynchronous.
if (whyNoNative === "" && isOld()) await buildNative();

/** The library's path. */
export function nativeLibrary(): string {
  return LIBRARY;
}

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code, or the signal's name. */
  readonly end: number | NodeJS.Signals | null;
}

export interface RunOptions {
  /** Library to be preloaded; "": none. */
  readonly preload: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
}

/** Runs a command to its end. */
export function runWith(
  command: string,
  args: readonly string[],
  { preload, env = {}, cwd, input }: RunOptions,
): Ended {
  const { stdout, stderr, status, signal, error } = spawnSync(command, args, {
    env: { ...process.env, ...env, LD_PRELOAD: preload },
    encoding: "utf8",
    maxBuffer: 1 << 28,
    timeout: 60_000,
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
  });
  if (error !== undefined) throw error;
  return { stdout, stderr, end: signal ?? status };
}

/** Compiles a program for this machine, in C or C++ by its name. */
export function compileNative(
  output: string,
  sources: readonly string[],
  flags: readonly string[] = [],
): void {
  const compiler = sources.some((name) => name.endsWith(".cpp")) ? "g++" : "gcc";
  // Without -fno-builtin the compiler leaves out blocks that are only got and freed.
  execFileSync(compiler, ["-O2", "-w", "-pthread", "-fno-builtin", ...flags, ...sources, "-o", output]);
}

/** A folder that is gone after the test file. */
export function scratchFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "morecore-native-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
