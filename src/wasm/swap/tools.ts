// Tools: binaryen, which is an optional peer dependency, and the shipped kernel.
//
// Owns:  finding both, and saying what to install.
// Needs: node.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Binaryen from "binaryen";

const require = createRequire(import.meta.url);

export class MissingToolError extends Error {
  override readonly name = "MissingToolError";
}

export async function loadBinaryen(): Promise<typeof Binaryen> {
  try {
    return (await import("binaryen")).default;
  } catch (error) {
    throw new MissingToolError("swap needs binaryen: npm install binaryen", { cause: error });
  }
}

/** The shipped kernel that asks an import for memory, or the one that uses memory.grow. */
export function readKernel(asksImport: boolean): Uint8Array {
  const name = asksImport ? "kernel-grow.wasm" : "kernel.wasm";
  try {
    return readFileSync(require.resolve(`morecore/${name}`));
  } catch (error) {
    throw new MissingToolError(`the package's own ${name} is missing: npm run build makes it`, {
      cause: error,
    });
  }
}

export interface Part {
  /** The module name under which the other parts import from it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One module out of several, by binaryen's wasm-merge. */
export function mergeModules(parts: readonly Part[], options: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "morecore-swap-"));
  try {
    const inputs = parts.flatMap(({ name, bytes }, index) => {
      const file = join(folder, `${index}.wasm`);
      writeFileSync(file, bytes);
      return [file, name];
    });
    const output = join(folder, "out.wasm");
    const command = [require.resolve("binaryen/bin/wasm-merge"), ...inputs, "-o", output, ...options];
    const { status, stderr, error } = spawnSync(process.execPath, command, { encoding: "utf8" });
    if (status !== 0) throw new Error(`wasm-merge failed: ${error?.message ?? stderr}`);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
