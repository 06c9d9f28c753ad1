// Saved: the last run of each suite, as JSON in bench/results. All that is written for people is made of these.
//
// Owns:  the files.
// Needs: nothing else: no machine, no peers.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { RESULTS } from "../harness/paths.ts";
import type { NativeResults } from "../suites/native/results.ts";
import type { Results } from "../suites/results.ts";
import type { ThreadsRun } from "../suites/threads/results.ts";
import type { TypedResults } from "../suites/typed/command.ts";
import type { ViewResults } from "../suites/typed/views.ts";

/** A member is a file of the same name; what was never saved is not there. */
export interface Saved {
  readonly main?: Results;
  readonly "native-programs"?: NativeResults;
  readonly "native-traces"?: NativeResults;
  readonly "native-locality"?: NativeResults;
  readonly "native-threads"?: NativeResults;
  readonly typed?: TypedResults;
  readonly views?: ViewResults;
  readonly threads?: ThreadsRun;
}
export type SavedName = keyof Saved;

const NAMES = [
  "main",
  "native-programs",
  "native-traces",
  "native-locality",
  "native-threads",
  "typed",
  "views",
  "threads",
] as const;

/** Of bench/results, or of another folder. */
export function readSaved(folder = RESULTS): Saved {
  // A border: what lies there was written below, and is checked in with the sources.
  return Object.fromEntries(
    NAMES.filter((name) => existsSync(fileOf(folder, name))).map((name) => [
      name,
      JSON.parse(readFileSync(fileOf(folder, name), "utf8")),
    ]),
  ) as Saved;
}

/** In place of the last ones. Where traces lay is nobody's business: of their files the name is kept. */
export function save<N extends SavedName>(name: N, results: NonNullable<Saved[N]>, folder = RESULTS): void {
  const nameOnly = (key: string, value: unknown) =>
    key === "file" && typeof value === "string" ? path.basename(value) : value;
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(folder, name), `${JSON.stringify(results, nameOnly, 2)}\n`);
  console.error(`written: ${fileOf(folder, name)}`);
}

function fileOf(folder: string, name: SavedName): string {
  return path.join(folder, `${name}.json`);
}
