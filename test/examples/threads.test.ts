// The example of a heap that threads share. Times and footprints differ from run to run; all else is as its README says.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Printed, runExample } from "./example.ts";

const FIGURE = / +\d+ (ms|KiB)$/gm;
const USAGE = "usage: node main.ts [--threads N] [--memory MIB] [FILE]\n";

const withoutFigures = (text: string): string => text.replace(FIGURE, " # $1");

describe("examples/threads", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "morecore-threads-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function fileOf(name: string, text: string): string {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  }

  /** What it prints with arguments, by each way that there is here. */
  const printedWith = (...args: string[]): readonly Printed[] => runExample("threads", {}, args).printed;

  it("prints what its README says, but for times and footprints", () => {
    const { wanted, printed } = runExample("threads");
    expect(wanted.stdout).toMatch(FIGURE);
    for (const { stdout, stderr, status } of printed) {
      expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
      expect(withoutFigures(stdout)).toBe(withoutFigures(wanted.stdout));
    }
  });

  it("names the lines of a file that are no JSON, and goes on with the others", () => {
    const lines = ['{"a": [1, 2.5, "text"]}', "", '{"a": nonsense}', "[", '"\\ud83d"', "-4"];
    for (const ending of ["\n", "\r\n"])
      for (const { stdout, stderr, status } of printedWith(
        "--threads",
        "3",
        fileOf("lines", lines.join(ending)),
      )) {
        expect(stdout).toMatch(
          /^1 KiB of JSON: 7 values, their sum -0\.5\nlongest text: 4 characters\n(?:.*\n)3 Workers,/,
        );
        expect(stderr).toMatch(/^line 3: .*\nline 4: .*\n$/);
        expect(status).toBe(1);
      }
  });

  it("names ten broken lines at most", () => {
    for (const { stderr, status } of printedWith(fileOf("broken", "{\n".repeat(500)))) {
      expect(stderr.trim().split("\n")).toHaveLength(11);
      expect(stderr).toMatch(/^line 1: (?:.*\n){10}and 490 more\n$/);
      expect(status).toBe(1);
    }
  });

  it("takes an empty file, and values that are nested deeper than calls can be", () => {
    for (const { stdout, status } of printedWith(fileOf("empty", ""))) {
      expect(stdout).toMatch(/^0 KiB of JSON: 0 values, their sum 0\n/);
      expect(status).toBe(0);
    }
    const deep = 5000;
    for (const { stdout, status } of printedWith(fileOf("deep", "[".repeat(deep) + "]".repeat(deep)))) {
      expect(stdout).toMatch(/^10 KiB of JSON: 5000 values, their sum 0\n/);
      expect(status).toBe(0);
    }
  });

  it.each([
    [
      "in the main thread",
      "4",
      `"${"long".repeat(2 ** 20)}"`,
      /no memory for u8: 4194306 bytes \(--memory 4\)\n$/,
    ],
    ["in a Worker", "2", "[]\n".repeat(60_000), /^no memory for Result: \d+ bytes \(--memory 2\)\n$/],
  ])("says that the heap has no memory left, %s", (_where, most, text, message) => {
    for (const { stdout, stderr, status } of printedWith("--memory", most, fileOf("large", text))) {
      expect(stderr).toMatch(message);
      expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
    }
  });

  it.each([
    [["--threads", "0"], '--threads: expected a number from 1 to 64, got "0"\n'],
    [["--threads", "two"], '--threads: expected a number from 1 to 64, got "two"\n'],
    [["--memory", "5000"], '--memory: expected a number from 1 to 4095, got "5000"\n'],
    [["one", "two"], "expected one file, got 2\n"],
    [["--thread", "2"], "Unknown option '--thread'"],
    [["no-such-file"], "ENOENT: no such file or directory, open 'no-such-file'\n"],
  ])("refuses the arguments %j by name, with exit code 2", (args, message) => {
    for (const { stdout, stderr, status } of printedWith(...args)) {
      expect(stderr.startsWith(message)).toBe(true);
      expect(stderr.endsWith(USAGE)).toBe(true);
      expect({ stdout, status }).toEqual({ stdout: "", status: 2 });
    }
  });
});
