import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import {
  compileNative,
  nativeLibrary,
  needsNative,
  runWith,
  scratchFolder,
} from "../../../test/support/native.ts";
import { fieldsOf } from "../../../test/support/rules-table.ts";
import { roundsOf, seedOf } from "../../../test/support/seed.ts";

const scratch = scratchFolder();
const STRESS = join(scratch.path, "stress-threads");
const DOUBLE_FREES = join(scratch.path, "double-frees");
afterAll(scratch.remove);

/** As stress-threads.c has them. */
interface Stress {
  readonly threads: number;
  readonly lives: number;
  readonly steps: number;
  readonly forks: number;
}

const TWICE = "the block was freed before";
const OUTSIDE = "no block's address, for it is outside the heap";
/** One size for each kind of block, and what is said of it once it is free. */
const KINDS: readonly (readonly [kind: string, bytes: number, words: string])[] = [
  ["in a slab", 40, TWICE],
  ["a chunk", 1000, TWICE],
  ["a large chunk", 5000, TWICE],
  ["with a mapping of its own", 500_000, OUTSIDE],
];

describe.skipIf(!needsNative())("with libmorecore.so", () => {
  beforeAll(() => {
    nativeLibrary();
    compileNative(STRESS, [join(ROOT, "packages/native/test/stress-threads.c")]);
    compileNative(DOUBLE_FREES, [join(ROOT, "packages/native/test/double-frees.c")]);
  }, 120_000);

  describe("blocks keep what was written while threads hand them over, resize and free them", () => {
    const seed = seedOf("native threads");
    const cases: readonly (readonly [what: string, stress: Stress])[] = [
      ["2 threads", { threads: 2, lives: 1, steps: 20_000, forks: 0 }],
      ["4 threads", { threads: 4, lives: 1, steps: 10_000, forks: 0 }],
      ["8 threads", { threads: 8, lives: 1, steps: 5000, forks: 0 }],
      ["2 threads, 20 one after the other", { threads: 2, lives: 20, steps: 1000, forks: 0 }],
      ["8 threads, 6 one after the other", { threads: 8, lives: 6, steps: 1000, forks: 0 }],
      ["2 threads that fork", { threads: 2, lives: 2, steps: 4000, forks: 4 }],
      ["8 threads that fork", { threads: 8, lives: 2, steps: 2000, forks: 2 }],
      ["1 thread that forks", { threads: 1, lives: 1, steps: 20_000, forks: 8 }],
    ];

    it.each(cases)(
      "%s",
      (_, { threads, lives, steps, forks }) => {
        const children = threads * lives * forks;
        const sound = `sound: ${threads} threads, ${lives} lives of ${steps} steps, ${children} children\n`;
        for (let round = 0; round < roundsOf(1); round++)
          for (const memory of ["sbrk", "mmap"]) {
            const args = [seed + round, threads, lives, steps, forks].map(String);
            const env = { MORECORE_MEMORY: memory };
            const ended = runWith(STRESS, args, { preload: nativeLibrary(), env });
            expect(ended, `${memory}: ${args.join(" ")}`).toEqual({ stdout: sound, stderr: "", end: 0 });
          }
      },
      120_000,
    );
  });

  describe.each(KINDS)(
    "a block %s, freed, is refused to whichever thread gives it again",
    (_, bytes, words) => {
      it("by one line that has its address, and an abort", () => {
        const cases = fieldsOf(runWith(DOUBLE_FREES, [], { preload: "" }).stdout);
        expect(cases).toHaveLength(10);
        const run = (name: string, memory: string) => {
          const env = { MORECORE_MEMORY: memory };
          return runWith(DOUBLE_FREES, [name, String(bytes)], { preload: nativeLibrary(), env });
        };
        for (const [name = "", call = "", what = ""] of cases)
          for (const memory of ["sbrk", "mmap"]) {
            const { stdout, stderr, end } = run(name, memory);
            const said = `morecore: ${call}(${stdout.trimEnd()}): ${words}\n`;
            expect({ stderr, end }, `${memory}: ${what}`).toEqual({ stderr: said, end: "SIGABRT" });
          }
      });
    },
  );
});
