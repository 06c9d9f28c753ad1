// Goals: T1, patterns whose caller is in WebAssembly, and T4, whole programs.
//
// Owns:  what is aimed at.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import { largest } from "../../harness/stats.ts";
import type { ProgramResults } from "./measure.ts";
import type { PatternName } from "./protocol.ts";

const PATTERN_AIMS: Readonly<Record<PatternName, number>> = { pair: 0.5, churn: 0.4, fifo: 0.65 };
const PROGRAM_AIMS: Readonly<Record<string, number>> = { lua: 0.92, mujs: 0.9, duktape: 0.98, sqlite: 0.97 };
const MEMORY_AIM = 1;

export function programGoals({ programs, patterns }: ProgramResults): GoalFigure[] {
  const spaceRatios = programs.map(({ heapBytes }) => heapBytes.merged / heapBytes.dlmalloc);
  return known([
    ...patterns.map(({ pattern, nsPerPair }) => ({
      goal: "T1",
      figure: `${pattern}, caller in wasm, merged, over dlmalloc`,
      measured: nsPerPair.merged.median / nsPerPair.dlmalloc.median,
      aim: PATTERN_AIMS[pattern],
    })),
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
