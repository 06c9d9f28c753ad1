// Answer: what an engine says after it has run the suite. It travels as JSON.

/** What became of one test. */
export type Fate = "passed" | "failed" | "skipped";

export interface FileAnswer {
  /** From the root of the repository. */
  readonly file: string;
  readonly passed: number;
  /** Names of tests that an engine cannot do, each by a check of what it has. */
  readonly skipped: readonly string[];
  /** "name: message", of tests and of files that do not load. */
  readonly failed: readonly string[];
  readonly milliseconds: number;
}

export interface Answer {
  readonly files: readonly FileAnswer[];
  /** What serves a heap of its own: the kernel in WebAssembly, or the one in JavaScript. */
  readonly kernel: "wasm" | "js";
  readonly milliseconds: number;
  /** Whether the engine shows the old length of arrays whose buffer is gone (forgetful.ts). */
  readonly forgetful: boolean;
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** How many tests there are in a file's answer, whatever became of them. */
export function testsOf({ passed, skipped, failed }: Pick<FileAnswer, Fate>): number {
  return passed + skipped.length + failed.length;
}
