// Results of threads: what is a ratio of what, and what is said of it.

import { expect, it } from "vitest";
import { type Sample, summarize } from "../../harness/stats.ts";
import { threadsGoals } from "../../suites/threads/goals.ts";
import { ofApart, overPeer, sharedOverAlone, speedUp } from "../../suites/threads/ratios.ts";
import type { ThreadsPattern, ThreadsResults } from "../../suites/threads/results.ts";
import { threadsTables } from "../../suites/threads/tables.ts";

/** The least is below each whole play. */
const time = (ns: number): Sample => ({ ...summarize([ns + 1]), min: ns });
const pattern: ThreadsPattern = {
  pattern: "own-small",
  caller: "wasm",
  nsPerBlock: {
    mimalloc: { "1": time(20), "2": time(16) },
    merged: { "1": time(12), "2": time(8), "2 apart": time(6) },
  },
};
const results: Pick<ThreadsResults, "patterns" | "one"> = {
  patterns: [pattern, { ...pattern, caller: "javascript" }],
  one: {
    patterns: [{ pattern: "pair", nsPerPair: { loop: time(1), merged: time(4), shared: time(5) } }],
    traces: [],
  },
};

it("a ratio is of the least times: over a peer with as many threads, over one thread, over threads apart", () => {
  expect(overPeer(pattern, "2", "mimalloc")).toBe(0.5);
  expect(speedUp(pattern, "2")).toBe(1.5);
  expect(speedUp(pattern, "2", "mimalloc")).toBe(1.25);
  expect(ofApart(pattern, "2")).toBe(0.75);
  expect(overPeer(pattern, "4", "mimalloc")).toBeNaN();
  expect(sharedOverAlone({ merged: time(4), shared: time(5) })).toBe(1.25);
});

it("goals are told of patterns within wasm, and none of what was not measured", () => {
  const told = threadsGoals(results).map(({ figure, measured, aim }) => [figure, measured, aim]);
  expect(told).toEqual([
    ["own-small within wasm, two threads over one: throughput", 1.5, 1.9],
    ["own-small within wasm, two threads over two apart: throughput", 0.75, undefined],
    ["own-small within wasm, two threads, time over mimalloc", 0.5, undefined],
    ["pair within wasm, one thread, a shared heap over one that is not", 1.25, 1.25],
  ]);
});

it("tables have a row for each number of threads, a column for each allocator, and one thread's ratios", () => {
  const [within, , one] = threadsTables(results);
  expect(within?.head).toEqual(["pattern", "threads", "mimalloc", "morecore"]);
  expect(within?.rows).toEqual([
    ["own-small", "1", "21.0 (20.0) 0.60", "13.0 (12.0)"],
    ["own-small", "2", "17.0 (16.0) 0.50 ×1.25", "9.0 (8.0) ×1.50"],
    ["own-small", "2 apart", "–", "7.0 (6.0) ×2.00"],
  ]);
  expect(one?.rows).toEqual([["pair", "5.0 (4.0)", "6.0 (5.0)", "1.25"]]);
});
