// Tables: patterns, and traces in four ways, whose caller is in WebAssembly.
//
// Owns:  columns, means and worst rows.
// Note:  a cell reads "median ±spread (least) ratio": least is the sum of the slices' least times, and the ratio is merged's
//        least over the peer's.

import { VARIANTS, type Variant } from "../../harness/results.ts";
import { geometricMean, largest, type Sample } from "../../harness/stats.ts";
import { ratioText, sampleText, type TextTable } from "../../harness/tables.ts";
import { KINDS, type Kind, type PerKind } from "./protocol.ts";
import { callsOf, patternRatio, patternRatioWithCalls, ratiosWithin } from "./ratios.ts";
import type { WithinPattern, WithinResults } from "./results.ts";

const ALONE: readonly Kind[] = ["loop", "nothing"];

export function withinTables(results: Pick<WithinResults, "patterns" | "traces">): TextTable[] {
  return [
    ...(results.patterns.length > 0 ? [patternTable(results.patterns)] : []),
    ...(results.traces.length > 0 ? VARIANTS.map((variant) => traceTable(results, variant)) : []),
  ];
}

function patternTable(patterns: readonly WithinPattern[]): TextTable {
  const kinds = kindsIn(patterns.map(({ nsPerPair }) => nsPerPair)).filter((kind) => !ALONE.includes(kind));
  const rows = patterns.map((pattern) => [
    pattern.pattern,
    Number.isNaN(callsOf(pattern)) ? "–" : callsOf(pattern).toFixed(1),
    ...kinds.map((kind) => patternCell(pattern, kind)),
    ratioText(patternRatioWithCalls(pattern, "dlmalloc")),
  ]);
  return {
    title:
      "Patterns within wasm: ns for a malloc and a free, net of the calls, which every allocator pays; median ±spread (least of slices) merged/peer",
    head: ["pattern", "the calls", ...kinds, "merged/dlmalloc with the calls"],
    rows,
  };
}

function patternCell(pattern: WithinPattern, kind: Kind): string {
  const sample = pattern.nsPerPair[kind];
  return sample === undefined ? "–" : withRatio(sampleText(sample, 1), kind, patternRatio(pattern, kind));
}

function traceTable(results: Pick<WithinResults, "traces">, variant: Variant): TextTable {
  const kinds = kindsIn(results.traces.map(({ nsPerCall }) => nsPerCall[variant]));
  const rows = results.traces.map(({ input, opCount, nsPerCall }) => [
    input.name,
    String(opCount),
    ...kinds.map((kind) => traceCell(nsPerCall[variant], kind)),
  ]);
  const summary = (label: string, of: (values: readonly number[]) => number) => [
    label,
    "",
    ...kinds.map((kind) => withRatio("", kind, of(ratiosWithin(results, variant, kind))).trim()),
  ];
  if (results.traces.some(({ input }) => !input.isShort))
    rows.push(summary("whole traces: mean", geometricMean), summary("whole traces: worst", largest));
  return {
    title: `Traces within wasm, ${variant}: net ns for a call, median ±spread (least of slices) merged/peer`,
    head: ["trace", "calls", ...kinds.map(headOf)],
    rows,
  };
}

function traceCell(times: PerKind<Sample>, kind: Kind): string {
  const time = times[kind];
  if (time === undefined) return "–";
  return withRatio(sampleText(time, 1), kind, (times.merged?.min ?? Number.NaN) / time.min);
}

function headOf(kind: Kind): string {
  return kind === "nothing" ? "loop and calls" : kind;
}

function withRatio(text: string, kind: Kind, ratio: number): string {
  return kind === "merged" || ALONE.includes(kind) ? text : `${text} ${ratioText(ratio)}`;
}

/** In the order of the columns; only those that took part. */
function kindsIn(figures: readonly PerKind<Sample>[]): Kind[] {
  return KINDS.filter((kind) => figures.some((times) => times[kind] !== undefined));
}
