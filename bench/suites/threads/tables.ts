// Tables: patterns with several threads, and one thread on a shared heap.
//
// Owns:  columns, and what is a ratio.
// Note:  a cell reads "median ±spread (least)", then of peers morecore's least over the peer's, and of several threads how many
//        times the throughput of one they have, by the leasts.

import { VARIANTS } from "../../harness/results.ts";
import { geometricMean, largest } from "../../harness/stats.ts";
import { ratioText, sampleText, type TextTable } from "../../harness/tables.ts";
import { THREAD_ALLOCATORS, type ThreadAllocator } from "../../programs/threads.ts";
import { CALLERS, type Caller, SHAPES, type Shape } from "./protocol.ts";
import { ONE_THREAD, overPeer, sharedOverAlone, speedUp, tracesSharedOverAlone } from "./ratios.ts";
import type { OneThread, ThreadsPattern, ThreadsResults } from "./results.ts";

const CALLED: Readonly<Record<Caller, string>> = {
  wasm: "within wasm, loop included",
  javascript: "from JavaScript, loop included",
};

export function threadsTables({ patterns, one }: Pick<ThreadsResults, "patterns" | "one">): TextTable[] {
  const callers = CALLERS.flatMap((caller) => {
    const those = patterns.filter((pattern) => pattern.caller === caller);
    return those.length > 0 ? [patternTable(caller, those)] : [];
  });
  return [...callers, ...oneThreadTables(one)];
}

function patternTable(caller: Caller, patterns: readonly ThreadsPattern[]): TextTable {
  const kinds = THREAD_ALLOCATORS.filter((kind) => patterns.some(({ nsPerBlock }) => nsPerBlock[kind]));
  const rows = patterns.flatMap((pattern) =>
    SHAPES.filter((shape) => kinds.some((kind) => pattern.nsPerBlock[kind]?.[shape])).map((shape) => [
      pattern.pattern,
      shape,
      ...kinds.map((kind) => cellOf(pattern, kind, shape)),
    ]),
  );
  return {
    title:
      `Several threads ${CALLED[caller]}: ns on the wall for a block of any of them, median ±spread (least) ` +
      "morecore/peer, ×throughput of one thread; apart: each in a memory of its own",
    head: ["pattern", "threads", ...kinds.map((kind) => (kind === "merged" ? "morecore" : kind))],
    rows,
  };
}

function cellOf(pattern: ThreadsPattern, kind: ThreadAllocator, shape: Shape): string {
  const sample = pattern.nsPerBlock[kind]?.[shape];
  if (sample === undefined) return "–";
  const ratio = kind === "merged" ? "" : ` ${ratioText(overPeer(pattern, shape, kind))}`;
  const times = shape === "1" ? "" : ` ×${ratioText(speedUp(pattern, shape, kind))}`;
  return `${sampleText(sample, 1)}${ratio}${times}`;
}

function oneThreadTables(one: OneThread): TextTable[] {
  const head = ["not shared", "shared", "shared/not"];
  const tables: TextTable[] = [];
  if (one.patterns.length > 0)
    tables.push({
      title:
        "One thread within wasm: ns for a malloc and a free, net of the calls, median ±spread (least of slices)",
      head: ["pattern", ...head],
      rows: one.patterns.map(({ pattern, nsPerPair }) => [
        pattern,
        ...ONE_THREAD.map((kind) => (nsPerPair[kind] ? sampleText(nsPerPair[kind], 1) : "–")),
        ratioText(sharedOverAlone(nsPerPair)),
      ]),
    });
  if (one.traces.length > 0) tables.push(traceTable(one, head));
  return tables;
}

function traceTable(one: OneThread, head: readonly string[]): TextTable {
  const rows = one.traces.flatMap(({ input, nsPerCall }) =>
    VARIANTS.map((variant) => [
      `${input.name}, ${variant}`,
      ...ONE_THREAD.map((kind) => {
        const sample = nsPerCall[variant][kind];
        return sample === undefined ? "–" : sampleText(sample, 1);
      }),
      ratioText(sharedOverAlone(nsPerCall[variant])),
    ]),
  );
  const means = VARIANTS.flatMap((variant) => {
    const ratios = tracesSharedOverAlone(one, variant);
    if (ratios.length === 0) return [];
    return [
      [`whole traces, ${variant}: mean`, "", "", ratioText(geometricMean(ratios))],
      [`whole traces, ${variant}: worst`, "", "", ratioText(largest(ratios))],
    ];
  });
  return {
    title: "One thread, traces within wasm: net ns for a call, median ±spread (least of slices)",
    head: ["trace", ...head],
    rows: [...rows, ...means],
  };
}
