// Goals: T1, patterns and traces whose caller is in WebAssembly.
//
// Owns:  what is aimed at.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import { geometricMean } from "../../harness/stats.ts";
import type { PatternName } from "./protocol.ts";
import { patternRatio, patternRatioWithCalls, ratiosWithin } from "./ratios.ts";
import type { WithinResults } from "./results.ts";

const PATTERN_AIMS: Readonly<Record<PatternName, number>> = {
  // `morecore link` inlines the two calls.
  pair: 0.5,
  churn: 0.4,
  fifo: 0.65,
  stack256: 1,
  "large-stack": 1,
  strings: 1,
  alternate: 1,
  cycle: 1,
};
const TRACE_AIMS = { dlmalloc: 0.56, mimalloc: 0.78 } as const;

export function withinGoals(results: Pick<WithinResults, "patterns" | "traces">): GoalFigure[] {
  const count = results.traces.filter(({ input }) => !input.isShort).length;
  const patterns = results.patterns.flatMap((pattern) => [
    {
      goal: "T1",
      figure: `${pattern.pattern}, caller in wasm, merged, over dlmalloc`,
      measured: patternRatio(pattern, "dlmalloc"),
      aim: PATTERN_AIMS[pattern.pattern],
    },
    {
      goal: "T1",
      figure: `${pattern.pattern}, the same with the calls`,
      measured: patternRatioWithCalls(pattern, "dlmalloc"),
      aim: undefined,
    },
  ]);
  const traces = (["dlmalloc", "mimalloc"] as const).map((peer) => ({
    goal: "T1",
    figure: `${count} traces within wasm, warm untouched, over ${peer}: mean`,
    measured: geometricMean(ratiosWithin(results, "warm untouched", peer)),
    aim: TRACE_AIMS[peer],
  }));
  return known([...patterns, ...traces]);
}
