// Goals: T2, time of the traces from JavaScript, and S1, their space.
//
// Owns:  what is aimed at.
// Needs: the results of a run. Over a peer that took no part there is no figure.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import { footprintRatios, spaceRatios, timeRatios, wholeTraces } from "../../harness/ratios.ts";
import { type PeerResults, VARIANTS } from "../../harness/results.ts";
import { geometricMean, largest } from "../../harness/stats.ts";

const TIME_AIMS = {
  dlmalloc: { cold: 0.7, warm: 0.62 },
  mimalloc: { cold: 0.85, warm: 0.85 },
} as const;
const WORST_AIM = 1;
const SPACE_AIM = 1.115;
const WORST_SPACE_AIM = 1.02;

export function traceGoals(results: PeerResults): GoalFigure[] {
  const count = wholeTraces(results).length;
  const means = VARIANTS.flatMap((variant) =>
    (["dlmalloc", "mimalloc"] as const).map((peer) => ({
      goal: "T2",
      figure: `${count} traces, ${variant}, over ${peer}: mean`,
      measured: geometricMean(timeRatios(results, variant, peer)),
      aim: TIME_AIMS[peer][variant.startsWith("cold") ? "cold" : "warm"],
    })),
  );
  const worst = largest(VARIANTS.flatMap((variant) => timeRatios(results, variant, "dlmalloc")));
  const space = spaceRatios(results, "morecore");
  const figure = `${count} traces, peak footprint over peak live bytes`;
  return known([
    ...means,
    { goal: "T2", figure: "the worst of them all over dlmalloc", measured: worst, aim: WORST_AIM },
    { goal: "S1", figure: `${figure}: mean`, measured: geometricMean(space), aim: SPACE_AIM },
    {
      goal: "S1",
      figure: "peak footprint over dlmalloc's: worst trace",
      measured: largest(footprintRatios(results, "dlmalloc")),
      aim: WORST_SPACE_AIM,
    },
  ]);
}
