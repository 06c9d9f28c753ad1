// Results within wasm: the arithmetic of slices and nets, and what is said of it.

import { expect, it } from "vitest";
import type { Variant } from "../../harness/results.ts";
import { type Sample, summarize } from "../../harness/stats.ts";
import { withinGoals } from "../../suites/within/goals.ts";
import type { PerKind } from "../../suites/within/protocol.ts";
import { callsOf, patternRatio, patternRatioWithCalls, ratiosWithin } from "../../suites/within/ratios.ts";
import {
  netTimes,
  playTime,
  type WithinPattern,
  type WithinResults,
  type WithinTrace,
} from "../../suites/within/results.ts";
import { withinTables } from "../../suites/within/tables.ts";

/** The least is below each whole play. */
const time = (ns: number): Sample => ({ ...summarize([ns + 1]), min: ns });
const ofAll = (times: PerKind<Sample>): Record<Variant, PerKind<Sample>> => ({
  "cold untouched": {},
  "cold touched": {},
  "warm untouched": times,
  "warm touched": {},
});
const trace = (name: string, dlmalloc: number, merged: number): WithinTrace => ({
  input: { name, file: name, isShort: name.endsWith("-20k") },
  opCount: 10,
  nsPerCall: ofAll({ loop: time(1), nothing: time(2), dlmalloc: time(dlmalloc), merged: time(merged) }),
});
/** 6 ns for dlmalloc and 3 for merged, and 2 for the calls of each. */
const pair: WithinPattern = {
  pattern: "pair",
  nsPerPair: {
    loop: summarize([1]),
    nothing: summarize([3]),
    dlmalloc: summarize([6]),
    merged: summarize([3]),
  },
};
const results: WithinResults = {
  patterns: [pair],
  traces: [trace("one", 10, 5), trace("two", 10, 20), trace("short-20k", 10, 90)],
  remarks: [],
};

it("the least time of a trace is that of each slice in whichever play it was least", () => {
  const { min, median, max } = playTime(
    [
      [1, 9, 4],
      [8, 2, 4],
    ],
    10,
  );
  expect(min).toBe((1 + 2 + 4) * 10);
  expect([median, max]).toEqual([140, 140]);
});

it("the loop and its calls, at their least, are taken off every allocator, and of themselves nothing", () => {
  const gross = { loop: time(1), nothing: time(3), dlmalloc: time(10), merged: time(2) };
  const net = netTimes(gross);
  expect([net.loop, net.nothing]).toEqual([gross.loop, gross.nothing]);
  expect([net.dlmalloc?.min, net.dlmalloc?.median]).toEqual([7, 8]);
  // Of what is inlined, and so takes less than the calls, a hundredth is left: no ratio is negative.
  expect(net.merged?.min).toBe(0.02);
});

it("a pattern's ratio is without the calls, and once more with them", () => {
  expect(callsOf(pair)).toBe(2);
  expect(patternRatio(pair, "dlmalloc")).toBe(3 / 6);
  expect(patternRatioWithCalls(pair, "dlmalloc")).toBe(5 / 8);
  expect(patternRatio(pair, "mimalloc")).toBeNaN();
});

it("means are over whole traces that both have played", () => {
  expect(ratiosWithin(results, "warm untouched", "dlmalloc")).toEqual([0.5, 2]);
  expect(ratiosWithin(results, "warm untouched", "mimalloc")).toEqual([]);
  expect(ratiosWithin(results, "cold touched", "dlmalloc")).toEqual([]);
});

it("goals are told of what was measured, and none of a peer that was missing", () => {
  const told = withinGoals(results).map(({ figure, measured, aim }) => [figure, measured, aim]);
  expect(told).toEqual([
    ["pair, caller in wasm, merged, over dlmalloc", 0.5, 0.5],
    ["pair, the same with the calls", 5 / 8, undefined],
    ["2 traces within wasm, warm untouched, over dlmalloc: mean", 1, 0.56],
  ]);
});

it("tables have a column for the calls, for each allocator that took part, and rows for mean and worst", () => {
  const [patterns, , , warm] = withinTables(results);
  expect(patterns?.head).toEqual([
    "pattern",
    "the calls",
    "dlmalloc",
    "merged",
    "merged/dlmalloc with the calls",
  ]);
  expect(patterns?.rows).toEqual([["pair", "2.0", "6.0 (6.0) 0.50", "3.0 (3.0)", "0.63"]]);
  expect(warm?.head).toEqual(["trace", "calls", "loop", "loop and calls", "dlmalloc", "merged"]);
  expect(warm?.rows[0]).toEqual(["one", "10", "2.0 (1.0)", "3.0 (2.0)", "11.0 (10.0) 0.50", "6.0 (5.0)"]);
  expect(warm?.rows.slice(-2)).toEqual([
    ["whole traces: mean", "", "", "", "1.00", ""],
    ["whole traces: worst", "", "", "", "2.00", ""],
  ]);
});
