import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtKernels, hasC, ROOT } from "../../../test/support/c-program.ts";
import {
  cProgram,
  HEAP_IMPORTS,
  heapProgram,
  plainProgram,
  WITHOUT_C,
  wat,
} from "../../../test/support/wasm-program.ts";
import { decodeTrace, KIND } from "../../inspect/src/trace/format.ts";
import { linkProgram } from "../../wasm/src/link/link.ts";

const MAIN = join(ROOT, "packages/cli/dist/main.js");

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "morecore-run-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function morecore(args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: "utf8",
    input,
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 26,
  });
  return { status, out: stdout, err: stderr };
}

function place(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return name;
}

/** Copies stdin to stdout through a block of the heap, then exits with 7 and leaves the block. */
const CAT = wat(`(module ${HEAP_IMPORTS}
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global (export "__heap_base") i32 (i32.const 1024))
  (func $copy (export "_start")
    (i32.store (i32.const 0) (call $malloc (i32.const 1000)))
    (loop $again
      (i32.store (i32.const 4) (i32.const 1000))
      (if (i32.ne (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (i32.const 0)) (then (unreachable)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (i32.ne (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)) (i32.const 0)) (then (unreachable)))
      (br_if $again (i32.load (i32.const 8))))
    (call $exit (i32.const 7))))`);

/** Prints all arguments, or with the names changed all variables, and a byte 0 after each. */
const texts = (kind: "args" | "environ"): Uint8Array =>
  wat(`(module
  (import "wasi_snapshot_preview1" "${kind}_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "${kind}_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $get (i32.const 1000) (i32.const 2000)))
    (i32.store (i32.const 0) (i32.const 2000))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`);

describe("morecore run", () => {
  it("gives the program its stdin, its stdout and its exit code", () => {
    place("cat.wasm", CAT);
    expect(morecore(["run", "cat.wasm"], "one\ntwo\0three")).toEqual({
      status: 7,
      out: "one\ntwo\0three",
      err: "",
    });
  });

  it("waits for whoever reads slowly: nothing of the output is lost", () => {
    place("cat.wasm", CAT);
    const text = "a line of text\n".repeat(100_000);
    writeFileSync(join(folder, "long.txt"), text);
    const script = `"$0" "$1" run cat.wasm < long.txt | { sleep 0.3; cat > copy.txt; }; echo "\${PIPESTATUS[0]}"`;
    const { stdout } = spawnSync("bash", ["-c", script, process.execPath, MAIN], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout).toBe("7\n");
    expect(readFileSync(join(folder, "copy.txt"), "utf8") === text).toBe(true);
  });

  it("hands on what follows the program, options too", () => {
    place("args.wasm", texts("args"));
    const given = ["run", "--stats", "args.wasm", "--stats", "-x", "--", "ä b", "--help"];
    expect(morecore(given).out).toBe("args.wasm\0--stats\0-x\0--\0ä b\0--help\0");
  });

  it("gives the program the variables that were named, and no other", () => {
    place("env.wasm", texts("environ"));
    const given = ["run", "--env", "A=1=2", "--env", "OURS", "--env", "EMPTY=", "env.wasm"];
    expect(morecore(given, "", { OURS: "here" }).out).toBe("A=1=2\0OURS=here\0EMPTY=\0");
    expect(morecore(["run", "env.wasm"]).out).toBe("");
  });

  it("prints the heap on stderr with --stats", () => {
    place("cat.wasm", CAT);
    const { status, out, err } = morecore(["run", "--stats", "cat.wasm"], "x");
    expect({ status, out }).toEqual({ status: 7, out: "x" });
    const rows = Object.fromEntries(
      err
        .split("\n")
        .filter((line) => line.startsWith("│"))
        .map((line) =>
          line
            .split("│")
            .map((cell) => cell.trim())
            .slice(1, 3),
        ),
    );
    expect(rows).toMatchObject({
      calls: "1",
      malloc: "1",
      "live bytes at the end": "1.00 KB (1,000)",
      "peak live bytes": "1.00 KB (1,000)",
      memory: "2 wasm pages, 131 KB",
    });
    for (const row of [
      "live blocks",
      "cached chunks",
      "free chunks",
      "largest free",
      "footprint",
      "coalescings",
      "growths",
    ])
      expect(rows).toHaveProperty([row]);
  });

  it.each(["--stats=json", "--json"])("prints it as one line of JSON with %s", (option) => {
    place("cat.wasm", CAT);
    const { err } = morecore(["run", option, "cat.wasm"]);
    expect(JSON.parse(err)).toMatchObject({
      format: "morecore-run-1",
      program: "cat.wasm",
      mode: "two-modules",
      exitCode: 7,
      death: null,
      heapFault: null,
      heap: { calls: { total: 1, malloc: 1, free: 0 }, liveBlocks: 1, liveBytes: 1000, memoryPages: 2 },
    });
  });

  it("writes a trace that morecore replay plays", () => {
    place("cat.wasm", CAT);
    expect(morecore(["run", "--trace", "cat.mct.gz", "cat.wasm"])).toEqual({ status: 7, out: "", err: "" });
    const replayed = morecore(["replay", "--json", "cat.mct.gz"]);
    expect(replayed.status).toBe(0);
    expect(JSON.parse(replayed.out)).toMatchObject({
      traces: [{ calls: 1, peakLiveBytes: 1000, errorCount: 0 }],
    });
  });

  it("writes a trace without gzip if its name says so, the same bytes", () => {
    place("cat.wasm", CAT);
    morecore(["run", "--trace", "plain.mct", "cat.wasm"]);
    morecore(["run", "--trace", "packed.mct.gz", "cat.wasm"]);
    const plain = readFileSync(join(folder, "plain.mct"));
    expect(decodeTrace(plain).opCount).toBe(1);
    expect(gunzipSync(readFileSync(join(folder, "packed.mct.gz"))).equals(plain)).toBe(true);
  });
});

describe("a program that dies", () => {
  const MISUSE = heapProgram(
    "(global.set $p (call $malloc (i32.const 10))) (call $release) (call $release)",
    "(func $release (call $free (global.get $p)))",
  );

  it("of misuse is said so, with its stack, and ends with 134", () => {
    place("misuse.wasm", MISUSE);
    const { status, err } = morecore(["run", "misuse.wasm"]);
    expect(status).toBe(134);
    const [first, ...stack] = err.trimEnd().split("\n");
    expect(first).toMatch(/^morecore: misuse\.wasm: misuse of the heap: 0x[0-9a-f]{8}: .*\(double-free\)$/);
    expect(stack).toEqual([
      expect.stringMatching(/^ {4}at release \(misuse\.wasm:0x[0-9a-f]+\)$/),
      expect.stringMatching(/^ {4}at start \(misuse\.wasm:0x[0-9a-f]+\)$/),
    ]);
  });

  it("is said at which call with --check", () => {
    place("misuse.wasm", MISUSE);
    expect(morecore(["run", "--check", "1", "misuse.wasm"]).err).toMatch(/\(double-free\) \(call 3\)\n/);
  });

  it("is told of as JSON, last, with its figures", () => {
    place("misuse.wasm", MISUSE);
    const line = morecore(["run", "--json", "misuse.wasm"]).err.trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(line)).toMatchObject({
      exitCode: 134,
      death: { kind: "misuse", call: 3, frames: [{ name: "release" }, { name: "start" }] },
      heap: { calls: { free: 2 } },
    });
  });

  it("of a trap is said so; a recursion is not printed a line for each call", () => {
    place("deep.wasm", heapProgram("(call $start)"));
    const { status, err } = morecore(["run", "deep.wasm"]);
    expect(status).toBe(134);
    expect(err).toMatch(
      /^morecore: deep\.wasm: trap: Maximum call stack size exceeded\n {4}at start \(.*\)\n(.*\n)? {4}… \d+ more of these\n$/,
    );
  });

  it("of a corrupt heap is said where it was found and when it was sound", () => {
    const body = `(drop (call $malloc (i32.const 1))) (global.set $p (call $malloc (i32.const 1000)))
      (drop (call $malloc (i32.const 1000)))
      (memory.fill (global.get $p) (i32.const 0xee) (i32.const 1040)) (drop (call $malloc (i32.const 24)))`;
    place("overrun.wasm", heapProgram(body));
    const { status, err } = morecore(["run", "--check", "2", "overrun.wasm"]);
    expect(status).toBe(134);
    expect(err).toMatch(
      /^morecore: overrun\.wasm: heap corrupted at .*; found after call 4, malloc\(24\); it was sound after call 2\n {4}at start/,
    );
  });

  it("has its trace written all the same", () => {
    place("misuse.wasm", MISUSE);
    expect(morecore(["run", "--trace", "misuse.mct.gz", "misuse.wasm"]).status).toBe(134);
    expect(decodeTrace(gunzipSync(readFileSync(join(folder, "misuse.mct.gz")))).opCount).toBe(2);
  });
});

describe("a program without morecore in it, or with it merged", () => {
  it("runs as it is, and what cannot be had of it is said", () => {
    place("plain.wasm", plainProgram("(call $exit (i32.const 9))"));
    const why =
      "morecore: plain.wasm: runs as it is, its malloc is not swapped: no malloc was found: no function has its name, " +
      "and no function uses a state block as dlmalloc's malloc and free do";
    expect(morecore(["run", "plain.wasm"])).toEqual({ status: 9, out: "", err: `${why}\n` });
    expect(morecore(["run", "--stats", "--trace", "no.mct.gz", "plain.wasm"])).toEqual({
      status: 9,
      out: "",
      err: `${why}; --stats, --trace cannot be had\n`,
    });
    expect(existsSync(join(folder, "no.mct.gz"))).toBe(false);
  });

  it("is not tried to swap with --no-swap", () => {
    place("plain.wasm", plainProgram("(call $exit (i32.const 9))"));
    expect(morecore(["run", "--no-swap", "plain.wasm"])).toEqual({ status: 9, out: "", err: "" });
    expect(morecore(["run", "--no-swap", "--check", "5", "plain.wasm"]).err).toBe(
      "morecore: plain.wasm: runs as it is; --check cannot be had\n",
    );
  });

  it("shows its heap when linked; a trace needs the module before that", async () => {
    place("linked.wasm", await linkProgram(CAT, builtKernels()));
    const { status, out, err } = morecore(["run", "--stats", "--trace", "no.mct.gz", "linked.wasm"], "y");
    expect({ status, out }).toEqual({ status: 7, out: "y" });
    expect(err).toMatch(
      /^morecore: linked\.wasm: no trace: .*--trace needs the module as it was before `morecore link`\n/,
    );
    expect(err).toMatch(/live blocks +│ +1, /);
    expect(morecore(["run", "--check", "1", "linked.wasm"]).err).toMatch(
      /its heap is checked at the end only/,
    );
  });
});

describe("what cannot be run ends with 2 and one line", () => {
  it.each([
    [
      "a file that is not there",
      ["none.wasm"],
      "morecore: cannot read none.wasm: no such file or directory\n",
    ],
    ["a folder", ["."], "morecore: cannot read .: illegal operation on a directory\n"],
    [
      "text",
      ["text.wasm"],
      "morecore: text.wasm: it is no WebAssembly module: it does not begin with \\0asm\n",
    ],
    ["a library", ["library.wasm"], /^morecore: library\.wasm: it has no _start, .*\n$/],
    [
      "imports that nobody has",
      ["alien.wasm"],
      /^morecore: alien\.wasm: it imports what .*: env\.beam_up\n$/,
    ],
    [
      "a trace that cannot be written",
      ["--trace", "none/x.mct.gz", "plain.wasm"],
      "morecore: cannot write none/x.mct.gz: no such file or directory\n",
    ],
  ])("%s", (_, args, message) => {
    place("text.wasm", new TextEncoder().encode("(module)\n"));
    place("library.wasm", wat(`(module (func (export "_initialize")))`));
    place("alien.wasm", wat(`(module (import "env" "beam_up" (func)) (func (export "_start")))`));
    place("plain.wasm", plainProgram("(nop)"));
    const { status, out, err } = morecore(["run", ...args]);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(err).toMatch(message);
  });

  it.each([
    ["no program", [], "missing required argument 'PROGRAM.wasm'"],
    ["an option that is none", ["--stat", "x.wasm"], "unknown option '--stat'"],
    ["--check 0", ["--check", "0", "x.wasm"], "It must be a whole number, 1 or more."],
    ["a folder that is not there", ["--dir", "none::/", "x.wasm"], "There is no such directory."],
    [
      "a variable that is not there",
      ["--env", "MORECORE_NONE", "x.wasm"],
      "There is no such variable to pass on.",
    ],
    ["a variable without a name", ["--env", "=x", "x.wasm"], "It must begin with a name."],
  ])("%s is wrong use", (_, args, message) => {
    const { status, err } = morecore(["run", ...args]);
    expect(status).toBe(2);
    expect(err).toContain(message);
  });
});

const FILES = String.raw`
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
  FILE *in = fopen(argv[1], "r");
  if (!in) { perror(argv[1]); return 3; }
  char *line = NULL; size_t room = 0; long lines = 0, bytes = 0;
  char **all = NULL;
  for (ssize_t got; (got = getline(&line, &room, in)) > 0; lines++, bytes += got) {
    all = realloc(all, (lines + 1) * sizeof *all);
    all[lines] = strdup(line);
  }
  fclose(in);
  FILE *out = fopen(argv[2], "w");
  if (!out) { perror(argv[2]); return 4; }
  while (lines > 0) { fputs(all[--lines], out); free(all[lines]); }
  free(all); free(line);
  fclose(out);
  printf("%ld bytes, %s\n", bytes, getenv("MOOD"));
  return 0;
}`;

const BUGS = `
#include <stdlib.h>
#include <string.h>
__attribute__((noinline)) static void release(void *p) { free(p); }
__attribute__((noinline)) static void overrun(char *p, int n) { memset(p, 0xee, n); }
char *volatile kept[4];
int main(int argc, char **argv) {
  for (int i = 0; i < 4; i++) kept[i] = malloc(400);
  switch (argv[1][0]) {
  case 'd': release(kept[1]); release(kept[1]); break;
  case 'o': overrun(kept[1], 440); kept[0] = malloc(10); break;
  case 'a': abort();
  case 'e': exit(41);
  }
  return 0;
}`;

describe.skipIf(!hasC)(`a program in C${WITHOUT_C}`, () => {
  beforeAll(() => {
    place("files.wasm", cProgram(FILES));
    place("bugs.wasm", cProgram(BUGS));
    mkdirSync(join(folder, "data"));
  });

  it("reads and writes files of the folders that it was given, and no others", () => {
    writeFileSync(join(folder, "data/in.txt"), "one\ntwo\nthree\n");
    const given = [
      "run",
      "--dir",
      "data::/d",
      "--env",
      "MOOD=fine",
      "--check",
      "1",
      "--trace",
      "files.mct.gz",
    ];
    const ended = morecore([...given, "files.wasm", "/d/in.txt", "/d/out.txt"]);
    expect(ended).toEqual({ status: 0, out: "14 bytes, fine\n", err: "" });
    expect(readFileSync(join(folder, "data/out.txt"), "utf8")).toBe("three\ntwo\none\n");
    expect(morecore(["run", "files.wasm", "/d/in.txt", "/d/out.txt"]).status).toBe(3);
    writeFileSync(join(folder, "secret.txt"), "x");
    expect(morecore([...given, "files.wasm", "/d/../secret.txt", "/d/out.txt"]).status).toBe(3);
  });

  it("knows a folder by its own name without ::", () => {
    writeFileSync(join(folder, "data/in.txt"), "one\n");
    expect(morecore(["run", "--dir", "data", "files.wasm", "data/in.txt", "data/out.txt"]).status).toBe(0);
  });

  it("gives a trace whose peak is what --stats tells", () => {
    writeFileSync(join(folder, "data/in.txt"), "some line of text\n".repeat(500));
    const run = morecore([
      ...["run", "--dir", "data::/d", "--json", "--trace", "files.mct.gz"],
      ...["files.wasm", "/d/in.txt", "/d/out.txt"],
    ]);
    const { heap } = JSON.parse(run.err);
    const replayed = JSON.parse(morecore(["replay", "--json", "files.mct.gz"]).out);
    expect(replayed.traces[0]).toMatchObject({ errorCount: 0, peakLiveBytes: heap.peakLiveBytes });
    const trace = decodeTrace(gunzipSync(readFileSync(join(folder, "files.mct.gz"))));
    const recorded = (kind: number) => trace.kinds.filter((found) => found === kind).length;
    // A realloc of NULL is recorded as malloc.
    expect(recorded(KIND.realloc)).toBeGreaterThanOrEqual(499);
    expect(recorded(KIND.malloc) + recorded(KIND.realloc)).toBe(heap.calls.malloc + heap.calls.realloc);
  });

  it("that frees twice is shown where", () => {
    const { status, err } = morecore(["run", "bugs.wasm", "d"]);
    expect(status).toBe(134);
    expect(err).toMatch(/\(double-free\)\n {4}at free \(.*\n {4}at release \(.*\n {4}at main \(/);
  });

  it("that writes beyond a block is found out by --check 1 at the next call", () => {
    const { status, err } = morecore(["run", "--check", "1", "bugs.wasm", "o"]);
    expect(status).toBe(134);
    expect(err).toMatch(
      /heap corrupted at .*; found after call \d+, malloc\(10\); it was sound after call \d+\n {4}at malloc \(.*\n {4}at main \(/,
    );
  });

  it("that aborts, or exits, says so by its exit code", () => {
    expect(morecore(["run", "bugs.wasm", "a"])).toMatchObject({ status: 134 });
    expect(morecore(["run", "bugs.wasm", "a"]).err).toMatch(/trap: unreachable\n {4}at abort/);
    expect(morecore(["run", "bugs.wasm", "e"])).toEqual({ status: 41, out: "", err: "" });
  });

  describe.each([
    ["with names", []],
    ["without names", ["-Wl,--strip-all"]],
  ])("with wasi-libc's own malloc, %s", (_, flags) => {
    const given = ["--dir", "data::/d", "--env", "MOOD=own", "own.wasm", "/d/in.txt", "/d/out.txt"];
    beforeAll(() => {
      place("own.wasm", cProgram(FILES, { malloc: "own", flags }));
      place("own-bugs.wasm", cProgram(BUGS, { malloc: "own", flags }));
      writeFileSync(join(folder, "data/in.txt"), "one\ntwo\n");
    });

    it("runs on our heap, and with --no-swap on its own", () => {
      const expected = { status: 0, out: "8 bytes, own\n", err: "" };
      expect(morecore(["run", ...given])).toEqual(expected);
      expect(morecore(["run", "--no-swap", ...given])).toEqual(expected);
    });

    it("is told of, checked and recorded as if it had been linked", () => {
      const { status, err } = morecore([
        "run",
        ...["--json", "--check", "1", "--trace", "own.mct.gz", ...given],
      ]);
      expect(status).toBe(0);
      const report = JSON.parse(err);
      expect(report).toMatchObject({ mode: "swapped", death: null, heapFault: null });
      expect(report.heap.calls.total).toBeGreaterThan(5);
      const replayed = JSON.parse(morecore(["replay", "--json", "own.mct.gz"]).out);
      const { peakLiveBytes } = report.heap;
      expect(replayed.traces[0]).toMatchObject({ errorCount: 0, peakLiveBytes });
    });

    it("runs on its own malloc without binaryen, and that is said", () => {
      // Node asks this before it looks for a package.
      const hook = `export const resolve = (name, context, next) => next(name === "binaryen" ? "none" : name, context)`;
      const register = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hook)}")`;
      const options = `--import=data:text/javascript,${encodeURIComponent(register)}`;
      const { status, out, err } = morecore(["run", "--stats", ...given], "", { NODE_OPTIONS: options });
      expect({ status, out }).toEqual({ status: 0, out: "8 bytes, own\n" });
      expect(err).toMatch(
        /^morecore: own.wasm: runs as it is, its malloc is not swapped: .*npm install binaryen; --stats cannot be had\n$/,
      );
    });

    it("is shown where it frees twice, and where it overran a block", () => {
      const twice = morecore(["run", "own-bugs.wasm", "d"]);
      expect(twice.status).toBe(134);
      expect(twice.err).toMatch(
        /: misuse of the heap: .*\(double-free\)\n {4}at (dlfree|function\[\d+\]) \(own-bugs.wasm\)\n/,
      );
      const over = morecore(["run", "--check", "1", "own-bugs.wasm", "o"]);
      expect(over.status).toBe(134);
      expect(over.err).toMatch(
        /heap corrupted at .*; found after call \d+, malloc\(10\); it was sound after/,
      );
    });
  });
});
