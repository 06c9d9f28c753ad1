// Pictures: that each figure of a run gets into its chart, and that nothing is drawn of what is no run.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PerPeer, TraceResult } from "../harness/results.ts";
import { type Sample, summarize } from "../harness/stats.ts";
import { drawCharts } from "../report/pictures/main.ts";
import type { Results } from "../suites/results.ts";

const sample = (median: number): Sample => summarize([median]);
const times: PerPeer<Sample> = {
  morecore: sample(20),
  dlmalloc: sample(30),
  tlsf: sample(40),
  "thi.ng": { skipped: "slow" },
};

function trace(name: string, isShort: boolean): TraceResult {
  return {
    input: { name, file: `${name}.mct.gz`, isShort },
    facts: { opCount: 10, peakLiveBytes: 1000, floorBytes: 1100 },
    nsPerCall: {
      "cold untouched": times,
      "cold touched": times,
      "warm untouched": times,
      "warm touched": times,
    },
    space: {
      morecore: { footprintBytes: 1200, reservedBytes: 2000 },
      dlmalloc: { footprintBytes: 1300, reservedBytes: 1300 },
    },
  };
}

const results: Results = {
  machine: "A processor, 2 cores, 4 GiB, Linux",
  versions: { node: "20.0.0", morecore: "0", dlmalloc: "0", tlsf: "0", "thi.ng": "0" },
  command: "npm run bench",
  rounds: 3,
  seconds: 1,
  remarks: [],
  patterns: [{ pattern: "pair", nsPerPair: times }],
  scale: [
    { live: 1024, nsPerPair: times },
    { live: 4096, nsPerPair: times },
  ],
  traces: [trace("whole-one", false), trace("short-one-20k", true)],
  wasm: {
    programs: [
      {
        program: "prog",
        ms: { dlmalloc: sample(10), tlsf: sample(12), merged: sample(9), beside: sample(11) },
        heapBytes: { dlmalloc: 100, tlsf: 130, merged: 90, beside: 95 },
      },
    ],
    patterns: [],
    remarks: [],
  },
};

let folder = "";
let exitCode = 0;
const said: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "morecore-charts-"));
  said.length = 0;
  vi.spyOn(console, "error").mockImplementation((text: string) => said.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Draws what a file says; the pictures by name. */
function draw(contents: string): Record<string, string> {
  const from = join(folder, "results.json");
  const to = join(folder, "charts");
  writeFileSync(from, contents);
  exitCode = drawCharts({ from, to });
  return Object.fromEntries(readdirSync(to).map((name) => [name, readFileSync(join(to, name), "utf8")]));
}

test("each thing that was measured has a chart, with its names and without a hole", () => {
  const pictures = draw(JSON.stringify(results));
  const words: Record<string, readonly string[]> = {
    "patterns.svg": ["pair", "morecore", "thi.ng", ">20<", ">40<"],
    "programs.svg": ["prog", "time, merged", "peak memory"],
    "scale.svg": ["1 K", "4 K", "tlsf"],
    "space.svg": ["whole-one", "the floor", "dlmalloc"],
    "traces.svg": ["whole-one", "warm touched", "over tlsf"],
  };
  expect(Object.keys(pictures).sort()).toEqual(Object.keys(words));
  for (const [name, svg] of Object.entries(pictures)) {
    for (const word of [...(words[name] ?? []), "A processor, 2 cores, Node 20.0.0, 3 rounds"]) {
      expect(svg, name).toContain(word);
    }
    expect(svg, name).not.toMatch(/NaN|undefined|short-one/);
  }
});

test("a chart needs nothing from elsewhere, and its elements are closed in their order", () => {
  for (const [name, svg] of Object.entries(draw(JSON.stringify(results)))) {
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', ""), name).not.toMatch(/https?:|<script|<image/);
    const open: string[] = [];
    for (const [, close, element = "", alone] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (alone === "/") continue;
      if (close === "") open.push(element);
      else expect(open.pop(), name).toBe(element);
    }
    expect(open, name).toEqual([]);
  }
});

test("what was not measured has none", () => {
  const { programs: _, ...wasm } = results.wasm;
  const pictures = draw(
    JSON.stringify({ ...results, scale: [], traces: [], wasm: { ...wasm, programs: [] } }),
  );
  expect(Object.keys(pictures)).toEqual(["patterns.svg"]);
});

test("of a run that was saved before its spread was, the pictures are the same", () => {
  const spreadless = (key: string, value: unknown) =>
    ["lowerQuartile", "upperQuartile", "max", "count"].includes(key) ? undefined : value;
  expect(draw(JSON.stringify(results, spreadless))).toEqual(draw(JSON.stringify(results)));
});

test("what is no run is refused by name, and the exit code is 2", () => {
  for (const contents of ["{}", "no JSON"]) {
    exitCode = 0;
    expect(() => draw(contents)).toThrow("ENOENT"); // the folder of the pictures was not made
    expect(exitCode).toBe(2);
    expect(said.at(-1)).toMatch(/these are no results|no results to draw/);
  }
});
