import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const MAIN = join(ROOT, "packages/cli/dist/main.js");
const SQLITE = join(ROOT, "traces/sqlite-20k.mct.gz");
const PERL = join(ROOT, "traces/perl-20k.mct.gz");

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "morecore-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function morecore(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

function place(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return name;
}

function cells(row: string): string[] {
  return row
    .split("│")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe("morecore replay", () => {
  it("prints a row of figures for each trace and ends with 0", () => {
    const { status, out, err } = morecore("replay", SQLITE, PERL);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    const rows = out
      .split("\n")
      .filter((row) => row.includes("-20k"))
      .map(cells);
    expect(rows.map(([name, calls]) => [name, calls])).toEqual([
      ["sqlite-20k", "20,000"],
      ["perl-20k", "20,000"],
    ]);
    expect(rows[1]?.[3]).toBe("795 KB");
    expect(rows[1]?.at(-1)).toBe("0");
  });

  it("prints JSON and nothing else with --json", () => {
    const { status, out } = morecore("replay", "--json", SQLITE);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      format: "morecore-replay-1",
      traces: [
        {
          name: "sqlite-20k",
          calls: 20_000,
          peakLiveBytes: 229_072,
          errorCount: 0,
          errors: [],
          stopped: false,
        },
      ],
      failures: [],
    });
  });

  it("plays the others when a file is bad, and ends with 2", () => {
    const bad = place("picture.png", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10));
    const { status, out, err } = morecore("replay", SQLITE, bad, PERL);
    expect(status).toBe(2);
    expect(out).toContain("sqlite-20k");
    expect(out).toContain("perl-20k");
    expect(err).toBe(
      'morecore: picture.png: not a morecore trace: it starts with 89 50 4e 47 0d 0a 1a 0a, not with "MCTRACE1" (byte 0 of the trace)\n',
    );
  });

  it("lists bad files in the JSON too", () => {
    const { status, out } = morecore("replay", "--json", place("none.mct.gz", new Uint8Array(0)));
    expect(status).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      traces: [],
      failures: [{ file: "none.mct.gz", offset: 0, layer: "file" }],
    });
  });

  it.each([
    [
      "truncated",
      (bytes: Uint8Array) => bytes.subarray(0, 1000),
      "truncated: the gzip data ends early (byte 1000",
    ],
    ["with bytes after its end", (bytes: Uint8Array) => Uint8Array.of(...bytes, 9), "1 bytes follow the end"],
    [
      "with a wrong checksum",
      (bytes: Uint8Array) => bytes.fill(0, bytes.length - 8, bytes.length - 4),
      "damaged gzip: incorrect data check",
    ],
  ])("says in one line what is wrong with a file %s, and prints no table", (_, change, message) => {
    const { status, out, err } = morecore("replay", place("bad.mct.gz", change(readFileSync(SQLITE))));
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(err).toContain(`morecore: bad.mct.gz: ${message}`);
    expect(err.trimEnd()).not.toContain("\n");
  });

  it.each([
    ["missing", "nowhere.mct.gz", "cannot read: no such file or directory"],
    ["a directory", ".", "cannot read: illegal operation on a directory"],
  ])("says so in one line when a file is %s", (_, path, message) => {
    const { status, err } = morecore("replay", path);
    expect({ status, err }).toEqual({ status: 2, err: `morecore: ${path}: ${message}\n` });
  });

  it("ends quietly when its reader goes away", () => {
    const command = `"${process.execPath}" "${MAIN}" replay --json "${SQLITE}" | true; echo \${PIPESTATUS[0]}`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "0\n", stderr: "" });
  });
});

describe("morecore replay --svg", () => {
  it("draws one trace to the file that was named", () => {
    const { status, err } = morecore("replay", "--svg", "out.svg", SQLITE);
    expect({ status, err }).toEqual({ status: 0, err: "wrote out.svg\n" });
    const picture = readFileSync(join(folder, "out.svg"), "utf8");
    expect(picture).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(picture).toContain("sqlite-20k on morecore");
  });

  it("draws several to a file each, named after the traces, also when two have one name", () => {
    mkdirSync(join(folder, "other"));
    copyFileSync(SQLITE, join(folder, "other/perl-20k.mct.gz"));
    const { status } = morecore("replay", "--svg", "out.svg", SQLITE, PERL, "other/perl-20k.mct.gz");
    expect(status).toBe(0);
    const drawn = readdirSync(folder).filter((name) => name.endsWith(".svg"));
    expect(drawn.sort()).toEqual(["out-perl-20k-2.svg", "out-perl-20k.svg", "out-sqlite-20k.svg"]);
  });

  it.each([
    ["no folder", "nowhere/out.svg", "cannot write nowhere/out.svg: no such file or directory"],
    ["a folder", ".", "cannot write .: it is a directory"],
    ["a trace", "some.mct.gz", "--svg some.mct.gz: that is the name of a trace, not of a picture"],
  ])("refuses a path that is %s before it plays anything", (_, path, message) => {
    const { status, out, err } = morecore("replay", "--svg", path, SQLITE);
    expect({ status, out, err }).toEqual({ status: 2, out: "", err: `morecore: ${message}\n` });
    expect(existsSync(join(folder, "some.mct.gz"))).toBe(false);
  });
});

describe("the arguments", () => {
  it.each([
    ["none", [], "error: no command given", "Usage: morecore"],
    ["an unknown command", ["fly"], "error: unknown command 'fly'", "Usage: morecore"],
    ["no file", ["replay"], "error: missing required argument 'FILE'", "Usage: morecore replay"],
    [
      "an unknown option",
      ["replay", "--fast", "x"],
      "error: unknown option '--fast'",
      "Usage: morecore replay",
    ],
    ["a count that is none", ["replay", "--check-every", "1e3", "x"], "must be a whole number", "Usage"],
    ["a count that is missing", ["replay", "--check-every"], "argument missing", "Usage"],
  ])("%s: a clear message, the usage, and 2", (_, args, message, usage) => {
    const { status, out, err } = morecore(...args);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(err).toContain(message);
    expect(err).toContain(usage);
  });

  it("--help and --version end with 0", () => {
    expect(morecore("--help").status).toBe(0);
    expect(morecore("replay", "--help").out).toContain("Exit code: 0 all is well");
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(morecore("--version")).toEqual({ status: 0, out: `${version}\n`, err: "" });
  });
});
