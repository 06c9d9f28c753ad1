// Goals: T6, native time; T7, native threads; L1, locality.
//
// Owns:  what is aimed at.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import { geometricMean, largest } from "../../harness/stats.ts";
import { localityOver } from "./locality.ts";
import type { NativeResult } from "./measure.ts";
import { MS, NS, PEAK, ratiosOf } from "./ratios.ts";
import type { NativeResults } from "./results.ts";
import { besideOverAlone, IDLE_LOOPS, PATTERNS, worstOver } from "./threads.ts";

/** The program that stands for those whose threads all allocate. */
export const THREADED = "C++, 4 threads";
/** Of each pattern, whatever the number of threads. */
const PATTERN_OVER = { mimalloc: 1.3, glibc: 1 } as const;
const BESIDE_IDLE = 1.1;

/** As far as the peers for them were there. */
export function nativeGoals({ programs, traces, locality, threads = [] }: NativeResults): GoalFigure[] {
  const single = programs.filter((program) => program.single);
  const threaded = programs.filter(({ name }) => name === THREADED);
  return known([
    {
      goal: "T6",
      figure: "traces natively over mimalloc: mean",
      measured: geometricMean(ratiosOf(traces, "mimalloc", NS)),
      aim: 0.9,
    },
    {
      goal: "T6",
      figure: "traces natively over glibc: mean",
      measured: geometricMean(ratiosOf(traces, "glibc", NS)),
      aim: 0.6,
    },
    {
      goal: "T6",
      figure: "programs with one thread, time over glibc: worst",
      measured: largest(ratiosOf(single, "glibc", MS)),
      aim: 1,
    },
    {
      goal: "T6",
      figure: "programs with one thread, peak memory over glibc: worst",
      measured: largest(ratiosOf(single, "glibc", PEAK)),
      aim: undefined,
    },
    {
      goal: "T7",
      figure: `${THREADED} natively, time over mimalloc`,
      measured: largest(ratiosOf(threaded, "mimalloc", MS)),
      aim: 1.1,
    },
    ...patternGoals(threads),
    {
      goal: "L1",
      figure: "misses in the last level of the caches over glibc: mean of the traces",
      measured: localityOver("glibc", locality),
      aim: 1,
    },
    {
      goal: "L1",
      figure: "the same over mimalloc",
      measured: localityOver("mimalloc", locality),
      aim: 0.95,
    },
  ]);
}

function patternGoals(threads: readonly NativeResult[]): GoalFigure[] {
  const over = (["mimalloc", "glibc"] as const).flatMap((peer) =>
    PATTERNS.map(
      (pattern): GoalFigure => ({
        goal: "T7",
        figure: `${pattern} natively, 1 to 8 threads, time over ${peer}: worst`,
        measured: worstOver(threads, pattern, peer),
        aim: PATTERN_OVER[peer],
      }),
    ),
  );
  const idle = IDLE_LOOPS.map(
    (loop): GoalFigure => ({
      goal: "T7",
      figure: `${loop} natively, beside a thread that waits over alone: time`,
      measured: besideOverAlone(threads, loop),
      aim: BESIDE_IDLE,
    }),
  );
  return [...over, ...idle];
}
