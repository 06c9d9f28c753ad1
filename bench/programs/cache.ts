// Cache: what `npm run programs` has made, as tests and benchmarks find it.
//
// Owns:  build/programs/made.json.
// Needs: nothing of a compiler, and no network.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../harness/paths.ts";
import type { Linked } from "./link.ts";
import type { MadeMimalloc } from "./mimalloc.ts";
import { BUILD, keyOf, OWN, WORKLOADS } from "./places.ts";

export interface MadeProgram extends Linked {
  readonly name: string;
  /** The workload's file name, in packages/wasm/test/programs/workloads. */
  readonly workload: string;
}

export interface Made {
  readonly programs: readonly MadeProgram[];
  /** Undefined: it could not be fetched or compiled. */
  readonly mimalloc?: MadeMimalloc;
}

const FILE = path.join(BUILD, "made.json");
const HOW = "run `npm run programs` (it needs clang, lld, wasi-libc and the network)";

/** What is there, or, as a string, why there is nothing and what to do. */
export function readMade(): Made | string {
  if (!existsSync(FILE)) return `the programs have not been fetched and compiled: ${HOW}`;
  // Written below, and nowhere else.
  const { inputs, made } = JSON.parse(readFileSync(FILE, "utf8")) as { inputs: string; made: Made };
  return inputs === inputsKey() ? made : `the programs are older than what they are made of: ${HOW}`;
}

export function writeMade(made: Made): void {
  writeFileSync(FILE, JSON.stringify({ inputs: inputsKey(), made }, undefined, 2));
}

export function readWorkload({ workload }: MadeProgram): Record<string, Uint8Array> {
  return { [workload]: readFileSync(path.join(WORKLOADS, workload)) };
}

/** Of all files of this repository that what has been made depends on, but for the kernel and the workloads. */
function inputsKey(): string {
  const folders = [
    path.join(OWN, "c"),
    path.join(OWN, "include"),
    path.join(ROOT, "packages", "wasm", "c", "include"),
  ];
  const inside = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => path.join(folder, name)),
  );
  const files = [
    path.join(ROOT, "packages", "wasm", "c", "lib", "morecore.c"),
    path.join(OWN, "catalog.ts"),
    ...inside.sort(),
  ];
  return keyOf(...files.map((file) => readFileSync(file, "utf8")));
}
