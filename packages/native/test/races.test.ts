// Races: the library's own C, in a program that ThreadSanitizer watches. MORECORE_TSAN=1 asks for it: it takes a minute.
//
// Its runtime needs the C library's malloc, so ours does not replace that one. The library's files are compiled as they are;
// then what they give to programs gets another name, by which the program calls it.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import { needsNative, runWith, scratchFolder } from "../../../test/support/native.ts";
import { seedOf } from "../../../test/support/seed.ts";
import { nativeSources } from "../../../tools/native.ts";

const PREFIX = "mc_test_";
/** What is no harm, as ThreadSanitizer's suppressions. */
const KNOWN = [
  // Who looks through a heap reads whether a live block is marked as freed: of its payload, which its owner may be writing.
  "race:isMarked",
];
/** As for the library, but for what would hide a call from its caller, or from the linker. */
const FLAGS = [
  ["-std=gnu11", "-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=thread", "-pthread"],
  ["-fno-builtin", "-fvisibility=hidden", "-w"],
].flat();

const scratch = scratchFolder();
const file = (name: string): string => join(scratch.path, name);
afterAll(scratch.remove);

function isAsked(): boolean {
  if (process.env["MORECORE_TSAN"] === "1") return true;
  console.warn("skipped: MORECORE_TSAN=1 lets ThreadSanitizer look for races");
  return false;
}

function hasThreadSanitizer(): boolean {
  writeFileSync(file("empty.c"), "int main(void) { return 0; }\n");
  const isThere =
    spawnSync("gcc", ["-fsanitize=thread", file("empty.c"), "-o", file("empty")]).status === 0 &&
    spawnSync(file("empty")).status === 0;
  if (!isThere) console.warn("skipped: gcc has no ThreadSanitizer here (libtsan), or it does not run");
  return isThere;
}

/** Compiles the library into one object whose functions for programs have PREFIX before their names, which are returned. */
async function compileLibrary(object: string): Promise<readonly string[]> {
  const { files, includes } = await nativeSources(scratch.path);
  const objects = files.map((source, index) => {
    const output = file(`${index}.o`);
    execFileSync("gcc", [...FLAGS, ...includes, "-c", source, "-o", output]);
    return output;
  });
  execFileSync("ld", ["-r", ...objects, "-o", object]);
  const symbols = execFileSync("readelf", ["--symbols", "--wide", object], { encoding: "utf8" });
  const given = Array.from(symbols.matchAll(/ FUNC +GLOBAL +DEFAULT +\d+ (\w+)$/gm), ([, name = ""]) => name);
  const renamed = given.map((name) => `${name} ${PREFIX}${name}\n`);
  writeFileSync(file("names"), renamed.join(""));
  execFileSync("objcopy", [`--redefine-syms=${file("names")}`, "--localize-hidden", object]);
  return given;
}

/** Where a race was seen, as ThreadSanitizer sums it up; once each. */
function racesIn(report: string): readonly string[] {
  const lines = report.split("\n").filter((line) => line.startsWith("SUMMARY: ThreadSanitizer"));
  return [...new Set(lines)];
}

describe.skipIf(!isAsked() || !needsNative() || !hasThreadSanitizer())("ThreadSanitizer sees no race", () => {
  const seed = seedOf("races");

  beforeAll(async () => {
    writeFileSync(file("known"), KNOWN.join("\n"));
    const given = await compileLibrary(file("library.o"));
    expect(given).toContain("malloc");
    for (const name of ["stress-threads", "crowd"]) {
      const source = join(ROOT, `packages/native/test/${name}.c`);
      const names = given.filter((call) => readFileSync(source, "utf8").includes(`${call}(`));
      const defines = names.map((call) => `-D${call}=${PREFIX}${call}`);
      const objects = [source, file("library.o"), "-l:libz.a"];
      execFileSync("gcc", [...FLAGS, ...defines, ...objects, "-o", file(name)]);
    }
  }, 300_000);

  // Without forks: ThreadSanitizer does not follow children of processes with threads.
  it.each([
    ["2 threads", ["stress-threads", seed, 2, 1, 6000, 0], "sound"],
    ["4 threads, 4 one after the other", ["stress-threads", seed, 4, 4, 600, 0], "sound"],
    ["a thread that looks at all heaps and sets parameters", ["crowd", "looked_at", 3000], "1\n"],
    ["8 threads and a limit", ["crowd", "limited", 2000], ""],
  ])(
    "with %s",
    (_, [name, ...args], begins) => {
      for (const memory of ["sbrk", "mmap"]) {
        const env = {
          MORECORE_MEMORY: memory,
          MORECORE_OPTIONS: name === "crowd" ? "footprintLimit=10000000" : "",
          TSAN_OPTIONS: `suppressions=${file("known")}`,
        };
        const { stdout, stderr, end } = runWith(file(String(name)), args.map(String), { preload: "", env });
        expect(racesIn(stderr), stderr.slice(0, 4000)).toEqual([]);
        expect({ stdout: stdout.slice(0, begins.length), end }).toEqual({ stdout: begins, end: 0 });
      }
    },
    300_000,
  );
});
