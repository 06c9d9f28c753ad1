// Binaryen: the package binaryen, an optional peer of this one, and its command wasm-merge.
//
// Owns:  finding both; running the command in a folder of its own.
// Needs: Node.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export type Binaryen = typeof import("binaryen").default;

/** The package binaryen is not there, or its command failed. */
export class BinaryenError extends Error {
  override readonly name = "BinaryenError";
}

/** A module and the name by which the others import from it. */
export interface Named {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** The package. Throws a BinaryenError that says how to get it. */
export async function loadBinaryen(): Promise<Binaryen> {
  try {
    return (await import("binaryen")).default;
  } catch (error) {
    throw new BinaryenError("the package binaryen is needed for this: npm install binaryen", {
      cause: error,
    });
  }
}

/** One module of several, each import from another resolved. `flags` are wasm-merge's. Names are kept. */
export function mergeModules(modules: readonly Named[], flags: readonly string[]): Uint8Array {
  const command = join(dirname(createRequire(import.meta.url).resolve("binaryen")), "bin", "wasm-merge");
  const folder = mkdtempSync(join(tmpdir(), "morecore-merge-"));
  try {
    const inputs = modules.flatMap(({ bytes, name }, index) => {
      const file = join(folder, `${index}.wasm`);
      writeFileSync(file, bytes);
      return [file, name];
    });
    const output = join(folder, "merged.wasm");
    const args = [command, ...flags, "--debuginfo", ...inputs, "--output", output];
    const { status, stderr, error } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      maxBuffer: Number.POSITIVE_INFINITY,
    });
    if (error !== undefined || status !== 0)
      throw new BinaryenError(`wasm-merge: ${error?.message ?? lastWords(stderr)}`);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of a message that may go on to print a whole module: the lines that say what is wrong. */
function lastWords(stderr: string): string {
  const told = stderr.split("\n").filter((line) => /^(Fatal|\[wasm-validator|\[parse)/.test(line.trim()));
  return (
    (told.length > 0 ? told.slice(0, 3).join(" ") : stderr.slice(0, 500)).trim() || "failed without a word"
  );
}
