// Places: where things are in the repository and in build/, and small doings with files.
//
// Owns:  the layout of build/programs.
// Needs: the repository's root.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import path from "node:path";
import { ROOT } from "../harness/paths.ts";

/** C files and headers of our own: never compiled by tsc, so not beside this file when that is. */
export const OWN = path.join(ROOT, "bench", "programs");
export const BUILD = path.join(ROOT, "build", "programs");
export const WORKLOADS = path.join(ROOT, "packages", "wasm", "test", "programs", "workloads");

/** The standard output; throws with the program's own words when it fails. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): string {
  const ran = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (ran.error !== undefined) throw new Error(`${command}: ${ran.error.message}`);
  if (ran.status === 0) return ran.stdout;
  throw new Error(`${[command, ...args].join(" ")}\n${ran.stderr}${ran.stdout}`.trim());
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A key for a cache: the same for the same parts, and different for different ones. */
export function keyOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(String(part.length)).update(":").update(part);
  return hash.digest("hex").slice(0, 16);
}
