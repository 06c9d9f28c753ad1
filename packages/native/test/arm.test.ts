// The library for 64-bit ARM: built by a cross compiler, and run by an emulator. What the emulator has of one processor's order of
// loads and stores is this machine's; what it shows is that the library is built, and keeps the rules there.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import { type Ended, scratchFolder, whyNoNative } from "../../../test/support/native.ts";
import { fieldsOf, type Row, rowsOf, wordsIn } from "../../../test/support/rules-table.ts";
import { seedOf } from "../../../test/support/seed.ts";
import { NATIVE_FLAGS, nativeSources } from "../../../tools/native.ts";

const COMPILER = "aarch64-linux-gnu-gcc";
const EMULATOR = "qemu-aarch64";
/** Where the cross compiler's C library is. */
const SYSTEM = "/usr/aarch64-linux-gnu";

const scratch = scratchFolder();
const at = (name: string): string => join(scratch.path, name);
const LIBRARY = at("libmorecore.so");
const [STRESS, DOUBLE_FREES, RULES, PATTERNS] = ["stress", "double-frees", "rules", "patterns"].map(at) as [
  string,
  string,
  string,
  string,
];
afterAll(scratch.remove);

function whyNot(): string {
  if (whyNoNative !== "") return whyNoNative;
  const missing = [COMPILER, EMULATOR].filter((command) => spawnSync(command, ["--version"]).status !== 0);
  const packages = "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user";
  return missing.length === 0 ? "" : `there is no ${missing.join(", and no ")}: apt-get install ${packages}`;
}

function isThere(): boolean {
  const why = whyNot();
  if (why !== "") console.warn(`skipped: ${why}`);
  return why === "";
}

function compile(output: string, args: readonly string[]): void {
  execFileSync(COMPILER, [...args, "-o", output], { stdio: ["ignore", "ignore", "pipe"] });
}

/** All C files of a folder. */
function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".c"))
    .map((name) => join(ROOT, folder, name));
}

function runOn(library: string, program: string, args: readonly string[]): Ended {
  const preload = library === "" ? [] : ["-E", `LD_PRELOAD=${library}`];
  const { stdout, stderr, status, signal, error } = spawnSync(
    EMULATOR,
    ["-L", SYSTEM, ...preload, program, ...args],
    { encoding: "utf8", timeout: 120_000 },
  );
  if (error !== undefined) throw error;
  return { stdout, stderr, end: signal ?? status };
}

describe.skipIf(!isThere())("libmorecore.so for 64-bit ARM, emulated", () => {
  let rows: readonly Row[] = [];

  beforeAll(async () => {
    mkdirSync(at("made"));
    const { files, includes } = await nativeSources(at("made"));
    // zlib's headers are any processor's.
    const headers = ["/usr/include", "/usr/include/x86_64-linux-gnu"].flatMap((path) => ["-idirafter", path]);
    const zlib = join(ROOT, "packages/native/test/arm/no-zlib.c");
    compile(LIBRARY, [...NATIVE_FLAGS, ...includes, ...headers, ...files, zlib]);
    const program = ["-std=gnu11", "-O2", "-fno-builtin", "-pthread"];
    compile(STRESS, [...program, join(ROOT, "packages/native/test/stress-threads.c")]);
    compile(DOUBLE_FREES, [...program, join(ROOT, "packages/native/test/double-frees.c")]);
    compile(PATTERNS, [...program, ...filesIn("bench/suites/native/patterns")]);
    const include = `-I${join(ROOT, "packages/wasm/c/include")}`;
    const weak = "-Wl,-z,dynamic-undefined-weak";
    compile(RULES, [...program, include, weak, ...filesIn("packages/wasm/test/c")]);
    rows = rowsOf(runOn("", RULES, ["--list"]).stdout);
  }, 180_000);

  it("keeps the rules of C's malloc family", () => {
    const { stdout } = runOn(LIBRARY, RULES, []);
    const verdicts = fieldsOf(stdout);
    expect(verdicts.length).toBeGreaterThan(50);
    expect(verdicts.filter(([, verdict]) => verdict !== "pass")).toEqual([]);
  }, 120_000);

  it("ends a program that misuses it, and says how", () => {
    const ending = rows.filter(({ lastWords }) => lastWords !== "");
    expect(ending.length).toBeGreaterThan(5);
    for (const { id, lastWords } of ending) {
      const { stdout, stderr } = runOn(LIBRARY, RULES, [id]);
      expect([id, stdout]).toEqual([id, ""]);
      expect(wordsIn(stderr), id).toContain(lastWords);
    }
  }, 120_000);

  it("sees each double free of two threads", () => {
    const cases = fieldsOf(runOn("", DOUBLE_FREES, []).stdout);
    expect(cases.length).toBeGreaterThan(8);
    for (const [name = "", call = ""] of cases)
      for (const bytes of ["40", "1000", "5000"]) {
        const { stdout, stderr } = runOn(LIBRARY, DOUBLE_FREES, [name, bytes]);
        const [, said, address = "0"] =
          /^morecore: (\w+)\((0x[0-9a-f]+)\): the block was freed before$/m.exec(stderr) ?? [];
        expect([name, bytes, said, BigInt(address)]).toEqual([name, bytes, call, BigInt(stdout.trim())]);
      }
  }, 180_000);

  it.each([
    [2, 1, 5000],
    [4, 4, 1000],
    [8, 3, 1000],
  ])(
    "keeps the blocks of %i threads, %i one after the other, in %i steps each",
    (threads, lives, steps) => {
      // Without forks: the emulator's own threads do not survive one.
      const args = [seedOf("ARM"), threads, lives, steps, 0].map(String);
      const { stdout, stderr, end } = runOn(LIBRARY, STRESS, args);
      expect([stderr, end]).toEqual(["", 0]);
      expect(stdout).toContain("sound");
    },
    180_000,
  );

  it.each(["larson", "xmalloc", "mstress", "rptest"])(
    "plays %s as the C library's own malloc does",
    (pattern) => {
      for (const threads of ["1", "4"]) {
        const sums = ["", LIBRARY].map(
          (library) => runOn(library, PATTERNS, [pattern, threads, "40"]).stdout,
        );
        expect(sums[1]).toBe(sums[0]);
        expect(sums[0]).not.toBe("");
      }
    },
    180_000,
  );
});
