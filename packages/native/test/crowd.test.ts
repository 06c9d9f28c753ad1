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
const CROWD = join(scratch.path, "crowd");
afterAll(scratch.remove);

describe.skipIf(!needsNative()).each(["sbrk", "mmap"])("with libmorecore.so, by %s", (memory) => {
  beforeAll(() => {
    compileNative(CROWD, [
      join(ROOT, "packages/native/test/crowd.c"),
      nativeLibrary(),
      `-Wl,-rpath,${join(nativeLibrary(), "..")}`,
    ]);
  }, 120_000);

  /** The numbers that a case has printed; it must have ended well. */
  const found = (args: readonly string[], env: Readonly<Record<string, string>> = {}): number[] => {
    const ended = runWith(CROWD, args, { preload: "", env: { MORECORE_MEMORY: memory, ...env } });
    expect({ stderr: ended.stderr, end: ended.end }).toEqual({ stderr: "", end: 0 });
    return ended.stdout.trim().split(" ").map(Number);
  };

  it("a thread that allocates in the last round of its destructors leaves nothing behind", () => {
    expect(found(["last_round"])).toEqual([0]);
  });

  it("a block that another thread has made smaller has its new size for free_sized", () => {
    expect(found(["made_smaller"])).toEqual([1]);
  });

  it("a thread looks at all heaps and sets parameters while others allocate, free and end", () => {
    for (let round = 0; round < 3; round++) expect(found(["looked_at", "100000"])).toEqual([1]);
  }, 60_000);

  it("a thread that does nothing takes little memory: 16 KiB with one small block", () => {
    const [kib = 0] = found(["idle"]);
    expect(kib).toBeGreaterThan(0);
    expect(kib).toBeLessThanOrEqual(20);
  });

  it("threads keep to footprintLimit together, and what they have freed is there for all", () => {
    const limit = 20_000_000;
    // The words of a map are counted when the memory is there. A thread that grows by megabytes adds some KiB.
    const beyond = 8 * 2048;
    const [most = 0, isRefused, again = 0] = found(["limited"], {
      MORECORE_OPTIONS: `footprintLimit=${limit}`,
    });
    expect(most).toBeLessThanOrEqual(limit + beyond);
    expect(isRefused).toBe(1);
    expect(again).toBeGreaterThan(0.85 * limit);
  }, 60_000);
});
