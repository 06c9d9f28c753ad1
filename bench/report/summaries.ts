// Summaries: small tables for people who want to know what they gain, by name.
//
// Owns:  their rows and words.
// Needs: figures. A row whose figures are missing is left out, and a table without rows.

import type { TextTable } from "../harness/tables.ts";
import type { Figures } from "./figures.ts";

export const SUMMARY_NAMES = ["all", "traces", "space", "programs", "native", "typed"] as const;
export type SummaryName = (typeof SUMMARY_NAMES)[number];

interface Row {
  readonly words: readonly string[];
  /** Names; "" for an empty cell. */
  readonly figures: readonly string[];
}

interface Summary {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly Row[];
}

const SUMMARIES: Readonly<Record<SummaryName, Summary>> = {
  all: {
    title: "In short",
    head: ["what was compared", "beside", "mean", "worst"],
    rows: [
      row(
        ["time, calls of real programs from JavaScript", "dlmalloc"],
        "traces-warm-dlmalloc",
        "traces-warm-worst-dlmalloc",
      ),
      row(["the same", "mimalloc"], "traces-warm-mimalloc", "traces-warm-worst-mimalloc"),
      row(["time, the same on a new heap", "dlmalloc"], "traces-cold-dlmalloc", "traces-cold-worst-dlmalloc"),
      row(["the same on a new heap", "mimalloc"], "traces-cold-mimalloc", "traces-cold-worst-mimalloc"),
      row(["memory, the same programs", "dlmalloc"], "space-dlmalloc", "space-worst-dlmalloc"),
      row(["time, Lua compiled to WebAssembly", "dlmalloc"], "lua-dlmalloc", ""),
      row(
        ["time, programs run with `LD_PRELOAD`", "glibc"],
        "native-programs-glibc",
        "native-programs-worst-glibc",
      ),
      row(["the same", "mimalloc"], "native-programs-mimalloc", "native-programs-worst-mimalloc"),
      row(["time, a tree built and dropped in a `Bump`", "plain objects"], "tree-time-objects", ""),
      row(["memory, the same tree", "plain objects"], "tree-memory-objects", ""),
    ],
  },
  traces: {
    title: "Calls of real programs, from JavaScript: time of morecore over",
    head: ["", "dlmalloc", "worst", "mimalloc", "worst", "tlsf", "worst"],
    rows: ["warm", "warm-touched", "cold", "cold-touched"].map((way) =>
      row(
        [way.replace("-", ", ")],
        ...["dlmalloc", "mimalloc", "tlsf"].flatMap((peer) => [
          `traces-${way}-${peer}`,
          `traces-${way}-worst-${peer}`,
        ]),
      ),
    ),
  },
  space: {
    title: "Peak memory of the same programs: morecore over",
    head: ["", "dlmalloc", "mimalloc", "tlsf"],
    rows: [
      row(["mean"], "space-dlmalloc", "space-mimalloc", "space-tlsf"),
      row(["worst"], "space-worst-dlmalloc", "space-worst-mimalloc", "space-worst-tlsf"),
    ],
  },
  programs: {
    title: "Programs in WebAssembly: morecore over",
    head: ["", "dlmalloc: time", "memory", "mimalloc: time", "memory"],
    rows: ["lua", "mujs", "duktape", "sqlite"].map((name) =>
      row(
        [name],
        `${name}-dlmalloc`,
        `${name}-memory-dlmalloc`,
        `${name}-mimalloc`,
        `${name}-memory-mimalloc`,
      ),
    ),
  },
  native: {
    title: "Native programs and traces: morecore over",
    head: ["", "glibc", "mimalloc", "jemalloc"],
    rows: [
      row(["traces, time"], "native-traces-glibc", "native-traces-mimalloc", "native-traces-jemalloc"),
      row(
        ["programs of one thread, time"],
        "native-programs-glibc",
        "native-programs-mimalloc",
        "native-programs-jemalloc",
      ),
      row(
        ["the same, worst"],
        "native-programs-worst-glibc",
        "native-programs-worst-mimalloc",
        "native-programs-worst-jemalloc",
      ),
      row(["the same, peak memory"], "native-peak-glibc", "native-peak-mimalloc", "native-peak-jemalloc"),
      row(["misses of the last cache"], "locality-glibc", "locality-mimalloc", "locality-jemalloc"),
    ],
  },
  typed: {
    title: "A tree in a `Bump`, by raw pointers, beside plain objects",
    head: ["", "over plain objects"],
    rows: [
      row(["time to build and drop it"], "tree-time-objects"),
      row(["the same without the loop itself"], "tree-time-net-objects"),
      row(["memory"], "tree-memory-objects"),
    ],
  },
};

/** Undefined: nothing of it was measured. */
export function summary(name: SummaryName, figures: Figures): TextTable | undefined {
  const { title, head, rows } = SUMMARIES[name];
  const filled = rows.flatMap(({ words, figures: names }) => {
    const texts = names.map((name) => (name === "" ? "" : (figures.get(name) ?? "–")));
    return texts.every((text) => text === "–" || text === "") ? [] : [[...words, ...texts]];
  });
  return filled.length === 0 ? undefined : { title, head, rows: filled };
}

function row(words: readonly string[], ...figures: string[]): Row {
  return { words, figures };
}
