// Tables: the typed layer's results as text.
//
// Owns:  columns, number formats.
// Needs: results.
// Note:  a cell reads "median ±spread (minimum)"; times of the graph are those of the whole loop, with its calls.

import { type Sample, scale } from "../../harness/stats.ts";
import { sampleText, type TextTable } from "../../harness/tables.ts";
import { GRAPH_NAMES, GRAPH_TEXTS } from "./protocol.ts";
import type { GraphFigures, GraphResult, GroupResult, TypedFigures } from "./run.ts";

const LAYOUT_UNIT = 1e-3;
const MB = 1e-6;

export function typedTables({ graphs, groups }: TypedFigures): TextTable[] {
  return [...graphs.map(graphTable), ...groups.map(groupTable)];
}

function graphTable({ nodes, figures }: GraphResult): TextTable {
  const rows = GRAPH_NAMES.flatMap((name) => {
    const found = figures[name];
    return found === undefined ? [] : [[GRAPH_TEXTS[name], ...graphCells(found)]];
  });
  return {
    title: `A tree of ${nodes / 1e6} million nodes`,
    head: [
      "kept as",
      "build, ms",
      "walk, ms",
      "drop, ms",
      "resident, MB",
      "longest pause, ms",
      "collector's longest, ms",
    ],
    rows,
  };
}

function graphCells(figures: GraphFigures): string[] {
  const { buildMs, walkMs, dropMs, residentBytes, pauseMs, gcMs } = figures;
  return [
    cell(buildMs, 0),
    cell(walkMs, 0),
    cell(dropMs, 1),
    cell(scale(residentBytes, MB), 0),
    cell(pauseMs, 1),
    cell(gcMs, 1),
  ];
}

function groupTable({ title, loops }: GroupResult): TextTable {
  const variants = Object.keys(loops[0]?.figures ?? {});
  const rows = loops.map(({ loop, figures }) => [
    loop,
    ...variants.map((variant) => {
      const found = figures[variant];
      if (found === undefined) return "–";
      if (title.startsWith("Layouts")) return cell(scale(found.ns, LAYOUT_UNIT), 0);
      const time = cell(found.ns, 1);
      return title.startsWith("Field") ? `${time}, ${found.heapBytes.toFixed(1)} B` : time;
    }),
  ]);
  return { title, head: ["", ...variants], rows };
}

/** Of what is always 0 there is no spread. */
function cell(sample: Sample, digits: number): string {
  return sample.median === 0 ? "0" : sampleText(sample, digits);
}
