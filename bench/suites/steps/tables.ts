// Tables: the steps of traces as text, and as JSON, whose names are an interface: `format` says which.
//
// Owns:  columns and words.
// Needs: profiles. Does not count, so it may be in any bundle.

import type { TextTable } from "../../harness/tables.ts";
import { OUTCOMES } from "./outcome.ts";
import type { KindProfile, StepProfile } from "./profile.ts";
import type { CountedCall } from "./spread.ts";

export interface TraceSteps extends StepProfile {
  readonly trace: string;
}

/** One line for each trace, then one for each kind of its calls. */
export function stepsTables(results: readonly TraceSteps[]): TextTable[] {
  return [callTable(results), kindTable(results)];
}

export function stepsJson(results: readonly TraceSteps[]): string {
  return JSON.stringify({ format: "morecore-steps-1", traces: results }, undefined, 2);
}

/** One line for each trace. */
export function callTable(results: readonly TraceSteps[]): TextTable {
  const rows = results.flatMap(({ trace, calls, kinds: [all] }) => {
    if (all === undefined) return [];
    const worsts = OUTCOMES.map((work) => String(all.worst[work]?.steps ?? "–"));
    return [[trace, String(calls), ...spreadCells(all), ...worsts, callText(all.ordinary.worst)]];
  });
  const works = OUTCOMES.map((work) => `worst,\n${work}`);
  return {
    title:
      "Steps (loads and stores) for a call. plain: it served its caller and no more; gave back: it ended a slab; refill: it began one; growth: the footprint grew; refused: the memory had no more",
    head: ["trace", "calls", "mean", "p50", "p99", "p99.9", ...works, "the worst, refill and growth aside"],
    rows,
  };
}

function kindTable(results: readonly TraceSteps[]): TextTable {
  const rows = results.flatMap(({ trace, kinds }) =>
    kinds.slice(1).map((profile) => {
      const { kind, every, ordinary } = profile;
      const cells = [String(every.max), String(ordinary.p999), String(ordinary.max)];
      return [
        trace,
        kind,
        String(every.calls),
        ...spreadCells(profile),
        ...cells,
        callText(every.worst),
        callText(ordinary.worst),
      ];
    }),
  );
  return {
    title: "The same, by kind of call; aside: refill and growth aside",
    head: [
      "trace",
      "kind",
      "calls",
      "mean",
      "p50",
      "p99",
      "p99.9",
      "max",
      "p99.9,\naside",
      "max,\naside",
      "the worst",
      "the worst, aside",
    ],
    rows,
  };
}

function spreadCells({ every }: KindProfile): string[] {
  return [every.mean.toFixed(1), String(every.p50), String(every.p99), String(every.p999)];
}

/** "malloc(4800), call 352678, gave back" */
function callText(call: CountedCall | undefined): string {
  if (call === undefined) return "–";
  return `${call.kind}(${call.bytes}), call ${call.call}${call.work === "plain" ? "" : `, ${call.work}`}`;
}
