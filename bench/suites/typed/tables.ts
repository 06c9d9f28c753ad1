// Tables: the typed layer's results as text, and its goals.
//
// Owns:  columns, number formats, and which figures are goals.
// Needs: results.
// Note:  a cell reads "median ±spread (minimum)"; times of the graph are those of the whole loop, only goals are net of its calls.

import { type Sample, scale } from "../../harness/stats.ts";
import { sampleText, type TextTable } from "../../harness/tables.ts";
import { GRAPH_NAMES, GRAPH_TEXTS } from "./protocol.ts";
import type { GraphFigures, GraphResult, GroupResult, LoopResult, TypedFigures } from "./run.ts";

export interface TypedGoal {
  readonly figure: string;
  readonly measured: number;
  readonly aim: number;
  /** Whether more is better. */
  readonly isLeast: boolean;
}

/** The goals are stated over this many nodes; the largest that was measured, if it was not. */
const GOAL_NODES = 5_000_000;
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

export function typedGoals({ graphs, groups }: TypedFigures): TypedGoal[] {
  const graph = graphs.find(({ nodes }) => nodes === GOAL_NODES) ?? graphs.at(-1);
  const loops = groups.flatMap((group) => group.loops).filter(({ figures }) => "plain object" in figures);
  return [...(graph === undefined ? [] : graphGoals(graph)), ...loops.flatMap(accessGoals)];
}

function graphGoals({ nodes, figures }: GraphResult): TypedGoal[] {
  const { objects, raw, nothing } = figures;
  if (objects === undefined || raw === undefined) return [];
  const loop = nothing?.buildAndDropMs.median ?? 0;
  const [slow, fast] = [objects.buildAndDropMs.median, raw.buildAndDropMs.median];
  const of = `${nodes / 1e6} million nodes in a Bump by raw pointers, over plain objects`;
  return [
    {
      figure: `${of}: building and dropping, how much faster, net of the loop (with it: ${(slow / fast).toFixed(2)})`,
      measured: (slow - loop) / (fast - loop),
      aim: 3,
      isLeast: true,
    },
    {
      figure: `${of}: longest pause, how much shorter`,
      measured: objects.pauseMs.median / raw.pauseMs.median,
      aim: 20,
      isLeast: true,
    },
    {
      figure: `${of}: resident memory`,
      measured: raw.residentBytes.median / objects.residentBytes.median,
      aim: 0.5,
      isLeast: false,
    },
  ];
}

function accessGoals({ loop, figures }: LoopResult): TypedGoal[] {
  const plain = figures["plain object"];
  if (plain === undefined) return [];
  const ratios = ["reference", "cursor"].flatMap((variant) => {
    const found = figures[variant];
    if (found === undefined) return [];
    const figure = `${loop}, ${variant}, checked`;
    const measured = found.ns.median / plain.ns.median;
    return [
      { figure: `${figure}: time over a plain object's`, measured, aim: 1.5, isLeast: false },
      {
        figure: `${figure}: bytes allocated for each`,
        measured: Math.round(found.heapBytes * 10) / 10,
        aim: 0,
        isLeast: false,
      },
    ];
  });
  return ratios;
}

export function goalText({ figure, measured, aim, isLeast }: TypedGoal): string {
  const reached = isLeast ? measured >= aim : measured <= aim;
  const sign = isLeast ? "≥" : "≤";
  return `${figure}: ${measured.toFixed(2)} (goal: ${sign} ${aim}, ${reached ? "reached" : "missed"})`;
}
