// Parts: what this package works with besides itself, and what it says when that is not there or does not do it.
//
// Owns:  the two errors; our own kernel's files.
// Needs: Node.
//
// binaryen is an optional peer. What users import must have declarations without it, so no file that they reach names its
// types: this one stands apart from binaryen.ts.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { OwnBytes } from "morecore";

const require = createRequire(import.meta.url);

/**
 * Something that has to be installed or built is not there. The message says how to get it.
 *
 * @example
 *
 * ```ts no-run
 * try {
 *   await linkProgram(new Uint8Array(), { growing: readKernel("growing"), asking: readKernel("asking") });
 * } catch (error) {
 *   if (error instanceof MissingToolError) console.log(error.message); // how to get binaryen
 * }
 * ```
 */
export class MissingToolError extends Error {
  override readonly name = "MissingToolError";
}

/**
 * Binaryen refused, or what it made is not what it should be.
 *
 * @example
 *
 * ```ts no-run
 * try {
 *   await linkProgram(new Uint8Array(), { growing: readKernel("growing"), asking: readKernel("asking") });
 * } catch (error) {
 *   if (error instanceof BinaryenError) console.log(error.message);
 * }
 * ```
 */
export class BinaryenError extends Error {
  override readonly name = "BinaryenError";
}

const KERNELS = {
  growing: "kernel.wasm",
  asking: "kernel-grow.wasm",
  threads: "kernel-threads.wasm",
} as const;

/**
 * The shipped kernel that grows the memory itself, the one that asks for memory, or the one for threads. Throws a MissingToolError.
 *
 * @example
 *
 * ```ts
 * console.log(WebAssembly.validate(readKernel("growing"))); // true
 * ```
 */
export function readKernel(which: keyof typeof KERNELS): OwnBytes {
  const name = KERNELS[which];
  try {
    return Uint8Array.from(readFileSync(require.resolve(`morecore/${name}`)));
  } catch (error) {
    throw new MissingToolError(`the package's own ${name} is missing: npm run build makes it`, {
      cause: error,
    });
  }
}
