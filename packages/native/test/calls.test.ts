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

const scratch = scratchFolder();
const PROGRAM = join(scratch.path, "calls");
afterAll(scratch.remove);

/** The numbers that a case has printed; it must have ended well. */
function found(name: string, env: Readonly<Record<string, string>> = {}): number[] {
  const { stdout, stderr, end } = runWith(PROGRAM, [name], { preload: nativeLibrary(), env });
  expect({ stderr, end }).toEqual({ stderr: "", end: 0 });
  return stdout.trim().split(/\s+/).map(Number);
}

describe.skipIf(!needsNative())("libmorecore.so asks the system", () => {
  beforeAll(() => {
    nativeLibrary();
    // The library is to find the program's functions.
    compileNative(PROGRAM, [join(ROOT, "packages/native/test/calls.c")], ["-rdynamic"]);
  }, 120_000);

  it.each(["sbrk", "mmap"])("for nothing when a heap fills and empties, over and over, by %s", (memory) => {
    const answers = found("cycles", { MORECORE_MEMORY: memory });
    for (let at = 0; at < answers.length; at += 3) expect(answers.slice(at + 1, at + 3)).toEqual([0, 0]);
    // The first time, it gave memory back.
    expect(answers[0]).toBe(1);
  });

  it.each(["sbrk", "mmap"])("to take memory back after a real drop, by %s", (memory) => {
    expect(found("drop", { MORECORE_MEMORY: memory })).toEqual([1, 1, 1]);
  });

  it("seldom for what it has refused: a first region that cannot grow is passed, until there is room in it", () => {
    const [refused = 0, ...sound] = found("full");
    // A request for which a slab would have to begin asks for that, and then for a chunk.
    expect(refused).toBeLessThan(20_000 / 8);
    expect(sound).toEqual([1, 1]);
  });

  it("for what a heap keeps at its end, when a mapping needs it under the one limit", () => {
    expect(found("limited", { MORECORE_OPTIONS: "footprintLimit=50000000" })).toEqual([1, 1]);
  });
});
