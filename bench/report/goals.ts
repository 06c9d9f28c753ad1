// Goals: what T1 to A1 are, in words, and the figures of each.
//
// Owns:  the words, and the goals' order.
// Needs: saved results; each suite says what it aims at.

import { aimText, type GoalFigure, verdict } from "../harness/goal-figure.ts";
import type { TextTable } from "../harness/tables.ts";
import { anomalyGoals } from "../suites/adversary/anomalies.ts";
import { nativeGoals } from "../suites/native/goals.ts";
import { patternGoals } from "../suites/patterns/goals.ts";
import { programGoals } from "../suites/programs/goals.ts";
import type { Results } from "../suites/results.ts";
import { sizeGoals } from "../suites/sizes/sizes.ts";
import { threadsGoals } from "../suites/threads/goals.ts";
import { traceGoals } from "../suites/traces/goals.ts";
import { typedGoals } from "../suites/typed/goals.ts";
import { withinGoals } from "../suites/within/goals.ts";
import type { Saved } from "./saved.ts";

/** Those that this bench measures, in the order in which they are told. */
export const GOALS: Readonly<Record<string, string>> = {
  T1: "**A malloc and a free within WebAssembly.** The kernel is merged into the caller: small loops that do nothing else, and a player of the traces.",
  T2: "**The calls of real programs, from JavaScript.** Recorded traces are played on a new heap (cold) and on one that has played them (warm).",
  T4: "**Whole programs in WebAssembly.** Lua, MuJS, Duktape and SQLite do their work on morecore, and the same on another malloc.",
  T5: "**Scale.** A call with a million live blocks must not take much longer than one with a thousand.",
  T6: "**Native code.** Traces and real programs on `libmorecore.so`, by `LD_PRELOAD`.",
  T7: "**Threads.** Native programs and patterns whose threads allocate at the same time.",
  T8: "**The typed layer.** Structs, references and containers beside plain objects, and beside typed arrays by hand.",
  T9: "**Threads within WebAssembly.** Workers allocate in one shared memory at the same time, and free each other's blocks.",
  S1: "**Space.** The most that a heap took over the most that was live.",
  S2: "**Size.** The code that a user gets.",
  L1: "**Locality.** How often programs miss the caches on what malloc gave them, counted in a model of the caches.",
  A1: "**No anomalies.** The loads and stores of the worst single call: in the traces, and after a search for a bad one.",
};

export function goalFigures(results: Results): GoalFigure[] {
  return inOrder([
    ...withinGoals({ traces: [], ...results.wasm }),
    ...programGoals(results.wasm),
    ...traceGoals(results),
    ...patternGoals(results),
    ...(results.sizes === undefined ? [] : sizeGoals(results.sizes)),
    ...(results.anomalies === undefined ? [] : anomalyGoals(results.anomalies)),
  ]);
}

/** Of all suites. */
export function savedGoals(saved: Saved): GoalFigure[] {
  const native = [
    saved["native-programs"],
    saved["native-traces"],
    saved["native-locality"],
    saved["native-threads"],
  ];
  return inOrder([
    ...(saved.main === undefined ? [] : goalFigures(saved.main)),
    ...native.flatMap((results) => (results === undefined ? [] : nativeGoals(results))),
    ...(saved.typed === undefined ? [] : typedGoals(saved.typed)),
    ...(saved.threads === undefined ? [] : threadsGoals(saved.threads)),
  ]);
}

export function goalTable(figures: readonly GoalFigure[]): TextTable {
  const rows = figures.map((figure) => [
    figure.goal,
    figure.figure,
    figure.measured.toFixed(figure.digits ?? 3),
    aimText(figure),
    verdict(figure),
  ]);
  return { title: "Goals", head: ["", "figure of morecore", "measured", "goal", ""], rows };
}

function inOrder(figures: readonly GoalFigure[]): GoalFigure[] {
  return Object.keys(GOALS).flatMap((name) => figures.filter(({ goal }) => goal === name));
}
