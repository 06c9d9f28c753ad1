import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import {
  compileNative,
  type Ended,
  nativeLibrary,
  needsNative,
  runWith,
  scratchFolder,
} from "../../../test/support/native.ts";
import { wordsIn } from "../../../test/support/rules-table.ts";

const scratch = scratchFolder();
const PROGRAM = join(scratch.path, "others");
const LIBRARY = join(scratch.path, "libothers.so");
afterAll(scratch.remove);

describe.skipIf(!needsNative())("libmorecore.so, given a block of the C library's own malloc", () => {
  beforeAll(() => {
    nativeLibrary();
    compileNative(LIBRARY, [join(ROOT, "packages/native/test/others-library.c")], ["-shared", "-fPIC"]);
    compileNative(PROGRAM, [join(ROOT, "packages/native/test/others.c")]);
  }, 120_000);

  describe.each(["sbrk", "mmap"])("with memory by %s", (memory) => {
    const run = (name: string): Ended =>
      runWith(PROGRAM, [LIBRARY, name], { preload: nativeLibrary(), env: { MORECORE_MEMORY: memory } });

    it.each(["all_sizes", "in_turn", "of_threads"])("hands it back: %s", (name) => {
      expect(run(name)).toEqual({ stdout: "sound\n", stderr: "", end: 0 });
    });

    it.each(["on_stack", "static_array", "out_of_reach", "without_memory"])(
      "takes nothing else for one: %s",
      (name) => {
        const { stdout, stderr, end } = run(name);
        expect(wordsIn(stderr)).toBe("morecore: free(0x…): no block's address, for it is outside the heap");
        expect({ stdout, end }).toEqual({ stdout: "", end: "SIGABRT" });
      },
    );
  });
});
