// The command `npm run bench -- steps FILE…`: traces of the user's.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeTraceFile } from "../../../packages/inspect/src/trace/file.ts";
import { encodeTrace, KIND } from "../../../packages/inspect/src/trace/format.ts";
import { runSteps, type StepsOptions } from "../../suites/steps/main.ts";

const folder = mkdtempSync(join(tmpdir(), "morecore-steps-"));
const trace = join(folder, "tiny.mct.gz");
const huge = join(folder, "huge.mct.gz");
writeTraceFile(
  trace,
  encodeTrace([
    { kind: KIND.malloc, slot: 0, size: 100 },
    { kind: KIND.realloc, slot: 0, size: 1000 },
    { kind: KIND.calloc, slot: 1, size: 50 },
    { kind: KIND.free, slot: 0 },
  ]),
);
writeTraceFile(huge, encodeTrace([{ kind: KIND.malloc, slot: 0, size: 2 ** 31 }]));
afterAll(() => rmSync(folder, { recursive: true }));

let out = "";
let err = "";
beforeEach(() => {
  out = "";
  err = "";
  vi.spyOn(console, "log").mockImplementation((text: string) => {
    out += `${text}\n`;
  });
  vi.spyOn(console, "error").mockImplementation((text: string) => {
    err += `${text}\n`;
  });
});
afterEach(() => vi.restoreAllMocks());

function steps(
  files: readonly string[],
  options: StepsOptions = {},
): { status: number; out: string; err: string } {
  const status = runSteps(files, options);
  return { status, out, err };
}

describe("of files", () => {
  test("counts the steps of each kind of call", () => {
    const { status, out, err } = steps([trace], { json: true });
    expect([status, err]).toEqual([0, ""]);
    const { format, traces } = JSON.parse(out);
    expect(format).toBe("morecore-steps-1");
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({ trace: "tiny", calls: 4, failures: 0 });
    expect(traces[0].kinds.map(({ kind }: { kind: string }) => kind)).toEqual([
      ...["all", "malloc", "realloc", "calloc", "free"],
    ]);
    // The first block of a heap begins a slab, and grows the heap for it: more than a load and a store.
    expect(traces[0].kinds[1].every.max).toBeGreaterThan(20);
  });

  test("as a table, with the position of the worst call", () => {
    expect(steps([trace]).out).toContain("malloc(100), call 0, growth");
  });

  test("says which file cannot be counted, counts the others, and ends with 2", () => {
    const { status, out, err } = steps(["nowhere", trace], { json: true });
    expect([status, err]).toEqual([2, "bench: nowhere: cannot read: no such file or directory\n"]);
    expect(JSON.parse(out).traces).toHaveLength(1);
  });

  test("a trace that asks for too much is counted only with --unlimited", () => {
    const { status, out, err } = steps([huge]);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toMatch(/huge\.mct\.gz: has 2147483648 bytes live at once: .*--unlimited/);
    expect(steps([huge], { unlimited: true }).status).toBe(0);
  });
});
