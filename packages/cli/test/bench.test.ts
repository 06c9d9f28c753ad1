// morecore bench, as users start them. No figure is looked at that depends on the machine.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import { writeTraceFile } from "../../inspect/src/trace/file.ts";
import { encodeTrace, KIND } from "../../inspect/src/trace/format.ts";

const MAIN = join(ROOT, "packages/cli/dist/main.js");
const folder = mkdtempSync(join(tmpdir(), "morecore-bench-"));
const trace = join(folder, "tiny.mct.gz");
writeTraceFile(
  trace,
  encodeTrace([
    { kind: KIND.malloc, slot: 0, size: 100 },
    { kind: KIND.realloc, slot: 0, size: 1000 },
    { kind: KIND.calloc, slot: 1, size: 50 },
    { kind: KIND.free, slot: 0 },
  ]),
);
afterAll(() => rmSync(folder, { recursive: true }));

function morecore(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

describe("morecore bench", () => {
  test("measures a trace on each peer, says why where it does not, and ends with 2 for a file that is none", () => {
    const { status, out, err } = morecore("bench", "--json", "--rounds", "1", trace, "nowhere");
    expect([status, err]).toEqual([2, "morecore: nowhere: cannot read: no such file or directory\n"]);
    const { format, rounds, patterns, traces, notes } = JSON.parse(out);
    expect([format, rounds, patterns]).toEqual(["morecore-bench-1", 1, []]);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({
      input: { name: "tiny" },
      facts: { opCount: 4, peakLiveBytes: 1050 },
      nsPerCall: {
        "cold untouched": {
          morecore: {
            median: expect.any(Number),
            min: expect.any(Number),
            upperQuartile: expect.any(Number),
            count: 1,
          },
          tlsf: { median: expect.any(Number) },
          "thi.ng": { median: expect.any(Number) },
          "v8-arrays": { median: expect.any(Number) },
          "v8-objects": { skipped: expect.stringContaining("one size") },
        },
        "warm touched": {
          morecore: { median: expect.any(Number) },
          "v8-arrays": { skipped: expect.any(String) },
        },
      },
      space: { morecore: { footprintBytes: expect.any(Number) } },
    });
    expect(notes).toContain("v8-objects: traces are not played, its objects have one size");
  });

  test("without files measures the patterns", () => {
    const { status, out } = morecore("bench", "--rounds", "1");
    expect(status).toBe(0);
    for (const text of ["machine:", "rounds: 1", "pair", "churn", "fifo", "v8-arrays"])
      expect(out).toContain(text);
  });

  test("says which file cannot be played, and ends with 2", () => {
    const alone = morecore("bench", "nowhere.mct.gz");
    expect(alone).toEqual({
      status: 2,
      out: "",
      err: "morecore: nowhere.mct.gz: cannot read: no such file or directory\n",
    });
  });

  test.each(["0", "-1", "2.5", "many"])("refuses %s rounds", (rounds) => {
    const { status, err } = morecore("bench", `--rounds=${rounds}`);
    expect(status).toBe(2);
    expect(err).toContain("It must be a whole number, 1 or more.");
  });
});
