// What every command says of bad files and wrong arguments: the same, in one line, with the exit code 2, and it writes nothing.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import { heapProgram } from "../../../test/support/wasm-program.ts";
import { encodeTrace, KIND } from "../../inspect/src/trace/format.ts";

const MAIN = join(ROOT, "packages/cli/dist/main.js");
const PROGRAM = heapProgram("(nop)");

let folder = "";
let before: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "morecore-bad-"));
  mkdirSync(join(folder, "folder"));
  writeFileSync(join(folder, "app.wasm"), PROGRAM);
  writeFileSync(join(folder, "empty"), "");
  writeFileSync(join(folder, "text"), "int main(void);\n");
  writeFileSync(join(folder, "cut.wasm"), PROGRAM.subarray(0, PROGRAM.length - 20));
  writeFileSync(join(folder, "cut-header.wasm"), PROGRAM.subarray(0, 6));
  before = readdirSync(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

function morecore(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: "utf8",
    input: "",
  });
  return { status, out: stdout, err: stderr };
}

const COMMANDS: Readonly<Record<string, (file: string) => string[]>> = {
  link: (file) => ["link", file, "-o", "out.wasm"],
  run: (file) => ["run", "--trace", "out.mct", file],
  swap: (file) => ["swap", file, "-o", "out.wasm"],
  "swap --dry-run": (file) => ["swap", file, "--dry-run"],
};

const FILES: Readonly<Record<string, string>> = {
  none: "cannot read none: no such file or directory",
  folder: "cannot read folder: illegal operation on a directory",
  "/dev/zero": "cannot read /dev/zero: it is a device, not a file",
  empty: "empty: it is no WebAssembly module: it is empty",
  text: "text: it is no WebAssembly module: it does not begin with \\0asm",
  "cut.wasm": "cut.wasm: it ends in the middle of a section",
  "cut-header.wasm": "cut-header.wasm: it is no WebAssembly module of version 1",
};

describe.each(Object.entries(COMMANDS))("morecore %s", (_, args) => {
  it.each(Object.entries(FILES))("of %s ends with 2 and one line, and writes nothing", (file, message) => {
    expect(morecore(...args(file))).toEqual({ status: 2, out: "", err: `morecore: ${message}\n` });
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe("a file that cannot be written", () => {
  it.each([
    ["link", "app.wasm", "-o"],
    ["swap", "app.wasm", "-o"],
    ["run", "--trace"],
  ])("is said before anything is done: %s", (...args) => {
    const end = args[0] === "run" ? ["app.wasm"] : [];
    for (const [path, why] of [
      ["folder", "it is a directory"],
      ["none/out", "no such file or directory"],
    ] as const)
      expect(morecore(...args, path, ...end)).toEqual({
        status: 2,
        out: "",
        err: `morecore: cannot write ${path}: ${why}\n`,
      });
    expect(readdirSync(folder)).toEqual(before);
  });
});

/** Records of one small block, so regular that gzip makes a thousandth of them. */
function loopTrace(bytes: number): Uint8Array {
  const trace = Buffer.alloc(bytes);
  trace.set(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 16 }]));
  return trace;
}

const GIBIBYTE = 2 ** 30;

/** What is said of each; SIZE stands for the file's size. */
const TRACES: Readonly<Record<string, readonly [string, () => Uint8Array]>> = {
  zeros: [
    'not a morecore trace: it starts with 00 00 00 00 00 00 00 00, not with "MCTRACE1" (byte 0 of the trace)',
    () => gzipSync(new Uint8Array(2 ** 26)),
  ],
  regular: [
    "inflates to more than 16777216 bytes: expected at most 32 times the file's SIZE, or 16777216; gunzip it to play it all the same (byte SIZE of the file)",
    () => gzipSync(loopTrace(2 ** 24 + 2 ** 23)),
  ],
  "cut.gz": [
    "truncated: the gzip data ends early (byte 40 of the file)",
    () => gzipSync(loopTrace(1000)).subarray(0, 40),
  ],
  promise: [
    "truncated: the header announces 4294967295 records, the bytes have room for 1 (byte 43 of the trace)",
    () => Uint8Array.from(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 16 }])).fill(255, 8, 12),
  ],
  live: [
    "has 2147483646 bytes live at once: expected at most 1073741824; --unlimited plays it",
    () => encodeTrace([0, 1].map((slot) => ({ kind: KIND.malloc, slot, size: GIBIBYTE - 1 }))),
  ],
  total: [
    "asks for 69793218495 bytes in all: expected at most 68719476736, for 131 calls; --unlimited plays it",
    () =>
      encodeTrace([
        ...Array.from({ length: 65 }, () => [
          { kind: KIND.calloc, slot: 0, size: GIBIBYTE - 1 },
          { kind: KIND.free, slot: 0 },
        ]).flat(),
        { kind: KIND.malloc, slot: 0, size: 0 },
      ]),
  ],
};

describe.each([["replay", "--svg", "out.svg"], ["bench"]])("a trace that is given to %s", (...command) => {
  const refuses = (file: string, message: string): void => {
    expect(morecore(...command, file)).toEqual({
      status: 2,
      out: "",
      err: `morecore: ${file}: ${message}\n`,
    });
    expect(readdirSync(folder)).toEqual(before);
  };

  it.each([
    ["none", "cannot read: no such file or directory"],
    ["folder", "cannot read: illegal operation on a directory"],
    ["empty", "empty: the file has no bytes (byte 0 of the file)"],
    [
      "text",
      'not a morecore trace: it starts with 69 6e 74 20 6d 61 69 6e, not with "MCTRACE1" (byte 0 of the trace)',
    ],
    [
      "/dev/zero",
      'not a morecore trace: it starts with 00 00 00 00 00 00 00 00, not with "MCTRACE1" (byte 0 of the trace)',
    ],
  ])("%s is refused in one line", refuses);

  it.each(Object.keys(TRACES))("with %s is refused in one line, and takes no memory", (name) => {
    const [message, make] = TRACES[name] ?? ["", () => new Uint8Array(0)];
    const bytes = make();
    writeFileSync(join(folder, name), bytes);
    before = readdirSync(folder);
    refuses(name, message.replaceAll("SIZE", String(bytes.length)));
  });

  it("of more than a gibibyte is refused before it is read", () => {
    writeFileSync(join(folder, "huge"), encodeTrace([]));
    truncateSync(join(folder, "huge"), 3 * GIBIBYTE);
    before = readdirSync(folder);
    refuses(
      "huge",
      "too large: it has 3221225472 bytes, a trace at most 1073741824 (byte 1073741824 of the file)",
    );
  });
});

describe("wrong arguments", () => {
  it.each([
    [[], "error: no command given"],
    [["lint"], "error: unknown command 'lint'"],
    [["link"], "error: required option '-o, --output <file>' not specified"],
    [["link", "-o", "out.wasm"], "error: missing required argument 'PROGRAM.wasm'"],
    [["run"], "error: missing required argument 'PROGRAM.wasm'"],
    [["swap"], "error: missing required argument 'app.wasm'"],
    [["swap", "app.wasm"], "error: say where to write: -o out.wasm, or --dry-run to write nothing"],
    [["replay"], "error: missing required argument 'FILE'"],
    [["link", "-o", "out.wasm", "--fast", "app.wasm"], "error: unknown option '--fast'"],
    [["run", "--fast", "app.wasm"], "error: unknown option '--fast'"],
    [["swap", "--fast", "app.wasm"], "error: unknown option '--fast'"],
    [["replay", "--fast", "x.mct"], "error: unknown option '--fast'"],
    [["link", "app.wasm", "b.wasm", "-o", "out.wasm"], "error: too many arguments for 'link'"],
    [["swap", "app.wasm", "b.wasm", "-o", "out.wasm"], "error: too many arguments for 'swap'"],
    [["run", "--dir", "none", "app.wasm"], "There is no such directory."],
  ])("%j end with 2 and say what is wrong first", (args, message) => {
    const { status, out, err } = morecore(...args);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(err.split("\n")[0]).toContain(message);
    expect(err).toMatch(/\nUsage: morecore /);
    expect(readdirSync(folder)).toEqual(before);
  });
});
