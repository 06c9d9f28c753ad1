// Goals: T4, whole programs in WebAssembly.
//
// Owns:  what is aimed at.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import { largest } from "../../harness/stats.ts";
import type { ProgramResults } from "./measure.ts";

const PROGRAM_AIMS: Readonly<Record<string, number>> = { lua: 0.92, mujs: 0.9, duktape: 0.98, sqlite: 0.97 };
const MEMORY_AIM = 1;

export function programGoals({ programs }: Pick<ProgramResults, "programs">): GoalFigure[] {
  const spaceRatios = programs.map(({ heapBytes }) => heapBytes.merged / heapBytes.dlmalloc);
  return known([
    ...programs.map(({ program, ms }) => ({
      goal: "T4",
      figure: `${program}, whole program, merged, over dlmalloc`,
      measured: ms.merged.median / ms.dlmalloc.median,
      aim: PROGRAM_AIMS[program],
    })),
    {
      goal: "T4",
      figure: "peak memory of a program over dlmalloc's: worst",
      measured: largest(spaceRatios),
      aim: MEMORY_AIM,
    },
  ]);
}
