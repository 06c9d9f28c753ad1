// Goals: T9, threads within WebAssembly.
//
// Owns:  what is aimed at.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import { geometricMean } from "../../harness/stats.ts";
import type { PatternName } from "./protocol.ts";
import { ofApart, overPeer, sharedOverAlone, speedUp, tracesSharedOverAlone } from "./ratios.ts";
import type { ThreadsResults } from "./results.ts";

const LEAST_SPEED_UP: Partial<Readonly<Record<PatternName, number>>> = {
  "own-small": 1.9,
  "own-chunks": 1.8,
};
const OVER_MIMALLOC: Partial<Readonly<Record<PatternName, number>>> = {
  "xmalloc-64": 0.6,
  "xmalloc-mixed": 0.6,
  larson: 0.9,
  mstress: 0.9,
  rptest: 0.9,
  "rptest-exponential": 0.9,
};
const SHARED_OVER_ALONE = { traces: 1.1, pair: 1.25 } as const;

export function threadsGoals({ patterns, one }: Pick<ThreadsResults, "patterns" | "one">): GoalFigure[] {
  const within = patterns.filter(({ caller }) => caller === "wasm");
  const speedUps = within.map(
    (pattern): GoalFigure => ({
      goal: "T9",
      figure: `${pattern.pattern} within wasm, two threads over one: throughput`,
      measured: speedUp(pattern, "2"),
      aim: LEAST_SPEED_UP[pattern.pattern],
      isLeast: true,
    }),
  );
  const apart = within.map(
    (pattern): GoalFigure => ({
      goal: "T9",
      figure: `${pattern.pattern} within wasm, two threads over two apart: throughput`,
      measured: ofApart(pattern, "2"),
      aim: undefined,
    }),
  );
  const peers = within.map(
    (pattern): GoalFigure => ({
      goal: "T9",
      figure: `${pattern.pattern} within wasm, two threads, time over mimalloc`,
      measured: overPeer(pattern, "2", "mimalloc"),
      aim: OVER_MIMALLOC[pattern.pattern],
    }),
  );
  return known([...speedUps, ...apart, ...peers, ...oneThreadGoals(one)]);
}

function oneThreadGoals(one: ThreadsResults["one"]): GoalFigure[] {
  const count = one.traces.filter(({ input }) => !input.isShort).length;
  const patterns = one.patterns.map(
    ({ pattern, nsPerPair }): GoalFigure => ({
      goal: "T9",
      figure: `${pattern} within wasm, one thread, a shared heap over one that is not`,
      measured: sharedOverAlone(nsPerPair),
      aim: pattern === "pair" ? SHARED_OVER_ALONE.pair : undefined,
    }),
  );
  const traces: GoalFigure = {
    goal: "T9",
    figure: `${count} traces within wasm, warm untouched, the same: mean`,
    measured: geometricMean(tracesSharedOverAlone(one, "warm untouched")),
    aim: SHARED_OVER_ALONE.traces,
  };
  return [...patterns, traces];
}
