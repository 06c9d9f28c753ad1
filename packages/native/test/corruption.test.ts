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

/** docs/NATIVE.md says why. */
const UNNOTICED = ["overflow_into_top", "size_doubled", "small_after_free"];

const scratch = scratchFolder();
const PROGRAM = join(scratch.path, "corruption");
afterAll(scratch.remove);

describe.skipIf(!needsNative())("libmorecore.so", () => {
  beforeAll(() => {
    nativeLibrary();
    compileNative(PROGRAM, [join(ROOT, "packages/native/test/corruption.c")]);
  }, 120_000);

  it("notices what a program does to the heap, but for three cases of twenty-two", () => {
    const names = fieldsOf(runWith(PROGRAM, [], { preload: "" }).stdout).map(([name = ""]) => name);
    const unnoticed = names.filter((name) => {
      const { stderr, end } = runWith(PROGRAM, [name], { preload: nativeLibrary() });
      return end !== "SIGABRT" || !stderr.startsWith("morecore: ");
    });
    expect(names).toHaveLength(22);
    expect(unnoticed).toEqual(UNNOTICED);
  }, 60_000);
});
