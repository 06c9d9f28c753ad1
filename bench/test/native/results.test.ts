// Results of native threads: what is a ratio of what, and what is said of it.

import { expect, it } from "vitest";
import { summarize } from "../../harness/stats.ts";
import { nativeGoals } from "../../suites/native/goals.ts";
import type { NativeResult } from "../../suites/native/measure.ts";
import { type NativeResults, partOf } from "../../suites/native/results.ts";
import { nativeTables } from "../../suites/native/tables.ts";

const play = (name: string, morecore: number, mimalloc: number): NativeResult => {
  const taken = (ms: number) => ({ time: summarize([ms]), peakBytes: summarize([ms * 1e6]) });
  return {
    name,
    single: false,
    taken: { morecore: taken(morecore), mimalloc: taken(mimalloc) },
    remarks: [],
  };
};
const results: NativeResults = {
  machine: "",
  peers: ["morecore", "mimalloc"],
  versions: {},
  rounds: 1,
  programs: [],
  traces: [],
  locality: [],
  threads: [
    play("larson, 1 thread", 200, 100),
    play("larson, 8 threads", 300, 100),
    play("idle-pair", 100, 100),
    play("idle-pair, beside a thread that waits", 250, 100),
  ],
  remarks: [],
  command: "",
  seconds: 0,
};

it("goals are the worst of all numbers of threads over a peer, and a thread that waits over none", () => {
  const told = nativeGoals(results).map(({ goal, figure, measured, aim }) => [goal, figure, measured, aim]);
  expect(told).toEqual([
    ["T7", "larson natively, 1 to 8 threads, time over mimalloc: worst", 3, 1.3],
    ["T7", "idle-pair natively, beside a thread that waits over alone: time", 2.5, 1.1],
  ]);
});

it("tables have times, peaks, and what a thread costs that waits", () => {
  const [times, peaks, beside] = nativeTables(results);
  expect(times?.rows[0]).toEqual(["larson, 1 thread", "200 (200)", "100 (100) 2.000"]);
  expect(peaks?.rows[1]).toEqual(["larson, 8 threads", "300.00 (300.00)", "100.00 (100.00) 3.000"]);
  expect(beside?.rows).toEqual([
    ["idle-pair", "2.50", "1.00"],
    ["idle-blocks", "–", "–"],
  ]);
});

it("a run from before there were threads has none of them", () => {
  const { threads: _, ...before } = results;
  expect(nativeGoals(before)).toEqual([]);
  expect(nativeTables(before)).toEqual([]);
  expect(partOf(results, "programs").threads).toEqual([]);
  expect(partOf(results, "threads").threads).toHaveLength(4);
});
