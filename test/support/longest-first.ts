// Longest first: the order of test files on a machine that has not run them yet.
//
// Owns:  the list of those that take longest.
// Needs: Vitest's own order for all others: by size, or by what they took before.
//
// A file runs in one worker. What is begun last and takes minutes would keep one core busy while the others have nothing left.

import { BaseSequencer, type TestSpecification } from "vitest/node";

/** From the root of the repository, half a minute and more on two cores. */
export const LONGEST: readonly string[] = [
  "test/runtimes/runtimes.test.ts",
  "test/packages/compilers.test.ts",
  "test/packages/bundles.test.ts",
  "packages/wasm/test/link.test.ts",
  "packages/cli/test/run.test.ts",
  "test/replay/all-traces.test.ts",
  "packages/wasm/test/second-malloc.test.ts",
  "packages/wasm/test/programs/same-output.test.ts",
  "packages/cli/test/bad-use.test.ts",
  "packages/wasm/test/swap/wasi.test.ts",
  "packages/wasm/test/toolchains/toolchains.test.ts",
  "packages/os/test/killed.test.ts",
  "packages/morecore/test/kernel/torn-calls.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return found === -1 ? LONGEST.length : found;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
