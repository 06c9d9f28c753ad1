import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
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
import { readTraceFile } from "../../inspect/src/trace/file.ts";
import { KIND, recordsOf, type Trace } from "../../inspect/src/trace/format.ts";

const MAIN = join(ROOT, "packages/cli/dist/main.js");
const scratch = scratchFolder();
const CASES = join(scratch.path, "cases");
const STRESS = join(scratch.path, "stress");
afterAll(scratch.remove);

type Environment = Readonly<Record<string, string>>;

function runCase(name: string, env: Environment = {}): Ended {
  return runWith(CASES, [name], { preload: nativeLibrary(), env, cwd: scratch.path });
}

/** The numbers that a case has printed; it must have ended well. */
function found(name: string, env: Environment = {}): number[] {
  const { stdout, stderr, end } = runCase(name, env);
  expect({ stderr, end }).toEqual({ stderr: "", end: 0 });
  return stdout.trim().split(/\s+/).map(Number);
}

function cli(...args: readonly string[]): Ended {
  const { stdout, stderr, status } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: "utf8",
    cwd: scratch.path,
  });
  return { stdout, stderr, end: status };
}

const OUTSIDE = "no block's address, for it is outside the heap";
const SIZE = "the block has another size";
const MISUSE: Readonly<Record<string, string>> = {
  double_free: "free(0x…): the block was freed before",
  double_free_mapped: `free(0x…): ${OUTSIDE}`,
  inside: "free(0x…): no block begins there, or its header was overwritten",
  misaligned: "free(0x…): no block's address, for it is no multiple of 16",
  of_nobody: `free(0x…): ${OUTSIDE}`,
  realloc_freed: "realloc(0x…): the block was freed before",
  realloc_freed_chunk: "realloc(0x…): the block was freed before",
  usable_size_freed: "malloc_usable_size(0x…): the block was freed before",
  one_byte_too_far:
    "free(0x…): the block's header says that it is free: it was freed before, or overwritten from the block before it",
  write_after_free: "malloc or free: 0x…: heap corrupted there, by a write after free or past a block's end",
  listed_twice: "bulk_free(0x…): the list has the block twice",
  wrong_size: `free_sized(0x…): ${SIZE}`,
  wrong_size_mapped: `free_sized(0x…): ${SIZE}`,
  wrong_alignment: "free_aligned_sized(0x…): the block has another alignment",
};

describe.skipIf(!needsNative())("libmorecore.so", () => {
  beforeAll(() => {
    nativeLibrary();
    compileNative(CASES, [join(ROOT, "packages/native/test/cases.c")]);
    compileNative(STRESS, [join(ROOT, "packages/native/test/stress-threads.c")]);
  }, 120_000);

  describe.each(["sbrk", "mmap"])("with memory by %s", (memory) => {
    const env = { MORECORE_MEMORY: memory };

    it.each(Object.entries(MISUSE))("says one line and aborts: %s", (name, words) => {
      const { stdout, stderr, end } = runCase(name, env);
      expect(wordsIn(stderr)).toBe(`morecore: ${words}`);
      expect({ stdout, end }).toEqual({ stdout: "", end: "SIGABRT" });
    });

    it("gives a large block's memory back when it is freed", () => {
      expect(found("large_blocks_go_back", env)).toEqual([1, 1]);
    });

    it("grows a block with a mapping of its own without touching it, and lets it go when it is small", () => {
      expect(found("grow_by_remap", env)).toEqual([1, 1, 1]);
    });

    it("raises the threshold for mappings to what was freed, as glibc does", () => {
      expect(found("threshold", env)).toEqual([1, 0, 0]);
    });

    it("leaves errno alone where the standard says so", () => {
      expect(found("errno_is_kept", env)).toEqual([77, 1]);
    });

    it("has more than the 4 GiB of one region", () => {
      expect(found("beyond_four_gib", env)).toEqual([1, 0]);
      expect(found("beyond_four_gib", { ...env, MORECORE_OPTIONS: "mapThreshold=Infinity" })).toEqual([1, 0]);
    });

    it("aligns to any power of two", () => {
      expect(found("aligned_blocks", env)).toEqual([1]);
    });

    it("gets and frees many blocks in one call, of several regions and mappings", () => {
      expect(found("many_at_once", env)).toEqual([1, 1, 0, 1, 1, 0]);
    });

    it("gives whole free pages back by malloc_trim, also between blocks, and says so once", () => {
      expect(found("trim", env)).toEqual([1, 1, 0]);
    });

    it("goes on behind memory that somebody else got by sbrk", () => {
      expect(found("foreign_break", env)).toEqual([1]);
    });

    it("answers NULL with ENOMEM within RLIMIT_AS, and serves on", () => {
      const script = `ulimit -v 400000; exec "$0" no_memory`;
      const { stdout, end } = runWith("sh", ["-c", script, CASES], { preload: nativeLibrary(), env });
      expect(stdout).toMatch(/^1 1 1 1 1 1 1 \d+\n$/);
      expect(end).toBe(0);
    });

    it.each([20_000, 60_000])(
      "has as much within a small RLIMIT_AS as glibc has, or nearly: %i KiB",
      (limit) => {
        const script = `ulimit -v ${limit}; exec "$0" blocks_of_100`;
        const count = (preload: string): number =>
          Number(runWith("sh", ["-c", script, CASES], { preload, env }).stdout);
        expect(count(nativeLibrary())).toBeGreaterThan(0.9 * count(""));
      },
    );

    it("keeps to an RLIMIT_AS that the program sets when it runs", () => {
      const [got = 0] = found("limit_later", env);
      expect(got).toBeLessThanOrEqual(256);
      expect(got).toBeGreaterThan(230);
    });

    it("keeps to footprintLimit, in regions and mappings together", () => {
      const limit = 50_000_000;
      const answers = found("no_memory", { ...env, MORECORE_OPTIONS: `footprintLimit=${limit}` });
      expect(answers.slice(0, 7)).toEqual([1, 1, 1, 1, 1, 1, 1]);
      const bytes = (answers[7] ?? 0) * 2 ** 20;
      expect(bytes).toBeLessThanOrEqual(limit + 2 ** 20);
      expect(bytes).toBeGreaterThan(limit * 0.9);
    });
  });

  it("answers to each parameter and value of mallopt as glibc does", () => {
    const glibc = runWith(CASES, ["mallopt_answers"], { preload: "" });
    expect(found("mallopt_answers")).toEqual(glibc.stdout.trim().split(" ").map(Number));
  });

  it("has no more mappings for blocks than mallopt's M_MMAP_MAX says, unless nothing else will do", () => {
    expect(found("no_mappings")).toEqual([1, 0, 1]);
  });

  it("prints mallinfo's sums, malloc_info's XML and dlmalloc's three lines", () => {
    const { stdout, stderr } = runCase("info");
    expect(stdout).toMatch(/^1 1 <malloc version="1">\n(<[^<>]+\/>\n)+<\/malloc>\n$/);
    expect(stderr).toMatch(
      /^max system bytes = {1,10}\d+\nsystem bytes {5}= {1,10}\d+\nin use bytes {5}= {1,10}\d+\n$/,
    );
  });

  describe("MORECORE_OPTIONS", () => {
    it("sets what it names", () => {
      expect(found("zero_realloc")).toEqual([1]);
      expect(found("zero_realloc", { MORECORE_OPTIONS: "zeroSizeRealloc=free,growthStep=4096" })).toEqual([
        0,
      ]);
      expect(found("threshold", { MORECORE_OPTIONS: "mapThreshold=65536" })[1]).toBe(1);
    });

    it("takes every option, and says nothing", () => {
      const all =
        "growthStep=8192,advance=1/4,smallLimit=128,trimThreshold=Infinity,footprintLimit=Infinity,zeroSizeRealloc=alloc,mapThreshold=131072";
      expect(found("aligned_blocks", { MORECORE_OPTIONS: all })).toEqual([1]);
    });

    it.each([
      ["growth=1", "unknown option growth; known are growthStep, advance,"],
      ["growthStep=5000", "growthStep: expected a power of two from 4096 to 2^30, got 5000"],
      ["advance=1/3", "advance: expected 0, or 1 divided by a power of two up to 256, got 1/3"],
      ["smallLimit=257", "smallLimit: expected a multiple of 16 from 0 to 1024, got 257"],
      ["smallLimit=1040", "smallLimit: expected a multiple of 16 from 0 to 1024, got 1040"],
      ["trimThreshold=-1", "trimThreshold: expected an integer from 0 to 4294967294, or Infinity, got -1"],
      ["zeroSizeRealloc", "zeroSizeRealloc: expected alloc or free, got"],
    ])("names what is wrong in it, and runs: %s", (options, words) => {
      const { stdout, stderr, end } = runCase("zero_realloc", { MORECORE_OPTIONS: options });
      expect(stderr).toContain(`morecore: MORECORE_OPTIONS: ${words}`);
      expect({ stdout, end }).toEqual({ stdout: "1\n", end: 0 });
    });

    it("MORECORE_MEMORY that is neither is named, too", () => {
      const { stderr } = runCase("zero_realloc", { MORECORE_MEMORY: "tape" });
      expect(stderr).toBe("morecore: MORECORE_MEMORY: expected sbrk or mmap, got tape\n");
    });
  });

  it("MORECORE_STATS prints at the end, also where the program has closed stderr", () => {
    const { stderr } = runWith("ls", ["/"], { preload: nativeLibrary(), env: { MORECORE_STATS: "1" } });
    expect(stderr).toMatch(
      /^morecore: regions' footprint +\d+ bytes +1 \(sbrk\)\n(morecore: .* bytes.*\n){7}$/,
    );
  });

  describe("MORECORE_TRACE", () => {
    const file = join(scratch.path, "recorded.mct");
    const record = (command: string, args: readonly string[], path = file): Trace => {
      rmSync(path, { force: true });
      const run = runWith(command, args, {
        preload: nativeLibrary(),
        env: { MORECORE_TRACE: path },
        cwd: scratch.path,
      });
      expect({ stderr: run.stderr, end: run.end }).toEqual({ stderr: "", end: 0 });
      return readTraceFile(path);
    };

    it("records what threads do, in one order, and morecore replay plays it", () => {
      const trace = record(STRESS, ["1", "4", "1", "4000", "1"]);
      expect(trace.threadCount).toBe(5);
      expect(trace.opCount).toBeGreaterThan(16_000);
      const replayed = cli("replay", file);
      expect({ stderr: replayed.stderr, end: replayed.end }).toEqual({ stderr: "", end: 0 });
    }, 30_000);

    it("is gzipped if its name says so: many members, one trace, the same calls", () => {
      const plain = record(STRESS, ["1", "1", "1", "30000", "0"]);
      const path = `${file}.gz`;
      const packed = record(STRESS, ["1", "1", "1", "30000", "0"], path);
      expect(packed).toEqual(plain);
      const bytes = readFileSync(path);
      expect(bytes.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
      expect(bytes.length).toBeLessThan(statSync(file).size * 0.8);
      expect(statSync(file).size, "more than one write").toBeGreaterThan(2 ** 16);
      const replayed = cli("replay", path);
      expect({ stderr: replayed.stderr, end: replayed.end }).toEqual({ stderr: "", end: 0 });
    });

    it("has every kind of call", () => {
      const kinds = new Set([...recordsOf(record(CASES, ["aligned_blocks"]))].map(({ kind }) => kind));
      expect(kinds).toContain(KIND.aligned);
      expect(kinds).toContain(KIND.free);
      expect(
        new Set([...recordsOf(record(STRESS, ["1", "1", "1", "3000", "0"]))].map(({ kind }) => kind)),
      ).toEqual(new Set(Object.values(KIND)));
    });

    it.each([file, `${file}.gz`])("is a whole trace when the program is killed: %s", (path) => {
      rmSync(path);
      runWith("perl", ["-e", "my @a = map { 'x' x ($_ % 500) } 1 .. 60000; kill 9, $$"], {
        preload: nativeLibrary(),
        env: { MORECORE_TRACE: path },
      });
      expect(readTraceFile(path).opCount).toBeGreaterThan(1000);
    });

    it("is the first process's alone; with %p each has its own", () => {
      const alone = record("sh", ["-c", `"${STRESS}" 1 1 1 2000 0 > /dev/null; exit 0`]);
      expect(alone.opCount).toBeLessThan(2000);
      const folder = join(scratch.path, "each");
      mkdirSync(folder);
      runWith("sh", ["-c", `"${STRESS}" 1 1 1 2000 0 > /dev/null; exit 0`], {
        preload: nativeLibrary(),
        env: { MORECORE_TRACE: join(folder, "%p.mct") },
      });
      const counts = readdirSync(folder).map((name) => readTraceFile(join(folder, name)).opCount);
      expect(counts).toHaveLength(2);
      expect(Math.max(...counts)).toBeGreaterThan(2000);
    });

    it("goes to its file also when the program closes all files and changes its directory", () => {
      const run = runWith(CASES, ["leave_open_files"], {
        preload: nativeLibrary(),
        env: { MORECORE_TRACE: "recorded.mct", MORECORE_STATS: "1" },
        cwd: scratch.path,
      });
      expect(run.stdout).toBe("0\n");
      expect(readTraceFile(file).opCount).toBeGreaterThan(100_000);
      expect(readFileSync(join(scratch.path, "mine"))).toHaveLength(0);
    });

    it("that cannot be written is said, and the program runs", () => {
      const { stdout, stderr, end } = runCase("zero_realloc", { MORECORE_TRACE: "/nowhere/at/all" });
      expect(stderr).toBe("morecore: MORECORE_TRACE: cannot write: /nowhere/at/all\n");
      expect({ stdout, end }).toEqual({ stdout: "1\n", end: 0 });
    });
  });

  describe("the commands", () => {
    it("preload prints the library's path", () => {
      expect(cli("preload")).toEqual({ stdout: `${nativeLibrary()}\n`, stderr: "", end: 0 });
    });

    it("run-native runs a program with it, with its own options, and ends as the program does", () => {
      const run = cli("run-native", "--memory", "mmap", "--stats", "--", "sh", "-c", "ls -d /; exit 7");
      expect({ stdout: run.stdout, end: run.end }).toEqual({ stdout: "/\n", end: 7 });
      expect(run.stderr).toMatch(/1 \(mmap\)/);
    });

    it("run-native ends with 128 and the signal's number, and with 2 when there is no such program", () => {
      expect(cli("run-native", "--", CASES, "double_free").end).toBe(134);
      const none = cli("run-native", "--", "no-such-program");
      expect(none).toEqual({ stdout: "", stderr: "morecore: there is no program no-such-program\n", end: 2 });
    });

    it.each([
      [["run-native"], "missing required argument 'COMMAND'"],
      [["run-native", "--bogus", "--", "ls"], "unknown option '--bogus'"],
      [["run-native", "--memory", "tape", "--", "ls"], "Allowed choices are sbrk, mmap"],
      [["run-native", "--", ROOT], `cannot run ${ROOT}`],
      [["preload", "ls"], "too many arguments"],
    ])("say what is wrong, and end with 2: %j", (args, words) => {
      const { stdout, stderr, end } = cli(...args);
      expect(stderr).toContain(words);
      expect({ stdout, end }).toEqual({ stdout: "", end: 2 });
    });
  });
});
