// The patterns with threads of bench:native: that they do the same each time, and notice a malloc that is broken.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasCommand, needs, ROOT } from "../../../test/support/c-program.ts";
import { compilePatterns, PATTERNS, threadsPlays } from "../../suites/native/threads.ts";

const folder = mkdtempSync(path.join(tmpdir(), "morecore-patterns-"));
const program = path.join(folder, "patterns");
const broken = path.join(folder, "broken.so");
afterAll(() => rmSync(folder, { recursive: true }));

/** The work of a play, divided by this. */
const SHARE = "20";

function play(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr, status } = spawnSync(program, [...args, SHARE], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  return { stdout, stderr, status };
}

const isLinux = process.platform === "linux";
if (!isLinux) console.warn("skipped: the patterns are for Linux");

describe.skipIf(!isLinux || !needs(hasCommand("gcc"), "gcc"))("a pattern with threads", () => {
  beforeAll(() => {
    compilePatterns(folder);
    const source = path.join(ROOT, "bench/test/native/broken.c");
    execFileSync("gcc", ["-O2", "-fno-builtin", "-shared", "-fPIC", source, "-o", broken]);
  }, 60_000);

  it.each(threadsPlays().map(({ name, args }) => ({ name, args })))("has one sum: $name", ({ args }) => {
    const first = play(args);
    expect(first).toMatchObject({ stderr: "", status: 0 });
    expect(first.stdout).toMatch(/^[0-9a-f]{16}\n$/);
    expect(play(args)).toEqual(first);
  });

  it("does other work with another number of threads, and none for a name that is not there", () => {
    expect(play(["larson", "1"]).stdout).not.toBe(play(["larson", "2"]).stdout);
    expect(play(["nothing", "1"])).toEqual({ stdout: "", stderr: "", status: 2 });
    expect(play(["larson", "0"]).status).toBe(2);
  });

  // mstress may follow an address that it has not written.
  it.each(PATTERNS)("ends badly where two have one block: %s", (pattern) => {
    const { stdout, status } = play([pattern, "2"], { LD_PRELOAD: broken, BROKEN: "twice" });
    expect(stdout).toBe("");
    expect(status).not.toBe(0);
  });

  it("notices that a block was written to", () => {
    const ended = play(["larson", "2"], { LD_PRELOAD: broken, BROKEN: "written" });
    expect(ended).toEqual({ stdout: "", stderr: "patterns: a block was overwritten\n", status: 1 });
  });
});
