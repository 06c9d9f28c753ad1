// Goals: T5, of the live sets of growing size.
//
// Owns:  what is aimed at.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import { scaleRatio } from "../../harness/ratios.ts";
import type { PeerResults } from "../../harness/results.ts";

const SCALE_AIM = 4;

export function patternGoals(results: PeerResults): GoalFigure[] {
  const { scale } = results;
  const figure = `${scale[0]?.live} to ${scale.at(-1)?.live} live blocks: slowest over the first`;
  return known([{ goal: "T5", figure, measured: scaleRatio(results), aim: SCALE_AIM }]);
}
