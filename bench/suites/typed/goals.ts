// Goals: T8, the typed layer beside plain objects and beside typed arrays by hand.
//
// Owns:  what is aimed at.
// Needs: results.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import type { GraphResult, LoopFigures, LoopResult, TypedFigures } from "./run.ts";

/** The goals are stated over this many nodes; the largest that was measured, if it was not. */
const GOAL_NODES = 5_000_000;
/** Over plain objects: how much faster a tree is built and dropped, how much shorter its longest pause is, its memory. */
const TREE_AIMS = { time: 3, pause: 20, memory: 0.5 } as const;
/** Over plain objects and over typed arrays by hand. */
const ACCESS_AIM = 1.5;

/** What stands for "by hand" beside each way of the typed layer. */
const BY_HAND: Readonly<Record<string, string>> = {
  reference: "typed array",
  cursor: "typed array",
  "structs, cursor": "structs by hand",
  "Columns, row": "columns by hand",
  "Columns, arrays": "columns by hand",
};

export function typedGoals({ graphs, groups }: TypedFigures): GoalFigure[] {
  const tree = goalTree(graphs);
  const loops = groups.flatMap((group) => group.loops);
  const figures = [
    ...(tree === undefined ? [] : treeGoals(tree)),
    ...loops.flatMap(objectGoals),
    ...loops.flatMap(byHandGoals),
  ];
  return known(figures.map((figure) => ({ goal: "T8", digits: 2, ...figure })));
}

/** The tree that the goals, and the figures for users, are about. */
export function goalTree(graphs: readonly GraphResult[]): GraphResult | undefined {
  return graphs.find(({ nodes }) => nodes === GOAL_NODES) ?? graphs.at(-1);
}

/** A Bump by raw pointers, over plain objects; undefined where one of them has no figures. */
export function treeRatios({ figures }: GraphResult): TreeRatios | undefined {
  const { objects, raw, nothing } = figures;
  if (objects === undefined || raw === undefined) return undefined;
  const loop = nothing?.buildAndDropMs.median ?? 0;
  const [slow, fast] = [objects.buildAndDropMs.median, raw.buildAndDropMs.median];
  return {
    time: fast / slow,
    netTime: (fast - loop) / (slow - loop),
    pause: raw.pauseMs.median / objects.pauseMs.median,
    memory: raw.residentBytes.median / objects.residentBytes.median,
  };
}

export interface TreeRatios {
  /** Building and dropping. */
  readonly time: number;
  /** The same without the calls that are made for no nodes, too. */
  readonly netTime: number;
  readonly pause: number;
  readonly memory: number;
}

type Unnamed = Omit<GoalFigure, "goal">;

function treeGoals(tree: GraphResult): Unnamed[] {
  const ratios = treeRatios(tree);
  if (ratios === undefined) return [];
  const of = `${tree.nodes / 1e6} million nodes in a Bump by raw pointers, over plain objects`;
  const whole = (1 / ratios.time).toFixed(2);
  return [
    {
      figure: `${of}: building and dropping, how much faster, net of the loop (with it: ${whole})`,
      measured: 1 / ratios.netTime,
      aim: TREE_AIMS.time,
      isLeast: true,
    },
    {
      figure: `${of}: longest pause, how much shorter`,
      measured: 1 / ratios.pause,
      aim: TREE_AIMS.pause,
      isLeast: true,
    },
    { figure: `${of}: resident memory`, measured: ratios.memory, aim: TREE_AIMS.memory },
  ];
}

function objectGoals({ loop, figures }: LoopResult): Unnamed[] {
  const plain = figures["plain object"];
  if (plain === undefined) return [];
  return ["reference", "cursor"].flatMap((variant) => {
    const found = figures[variant];
    if (found === undefined) return [];
    const figure = `${loop}, ${variant}, checked`;
    return [
      { figure: `${figure}: time over a plain object's`, measured: over(found, plain), aim: ACCESS_AIM },
      {
        figure: `${figure}: bytes allocated for each`,
        measured: Math.round(found.heapBytes * 10) / 10,
        aim: 0,
      },
    ];
  });
}

function byHandGoals({ loop, figures }: LoopResult): Unnamed[] {
  return Object.entries(BY_HAND).flatMap(([variant, byHand]) => {
    const [found, other] = [figures[variant], figures[byHand]];
    if (found === undefined || other === undefined) return [];
    return {
      figure: `${loop}, ${variant}: time over ${byHand}`,
      measured: over(found, other),
      aim: ACCESS_AIM,
    };
  });
}

function over(one: LoopFigures, other: LoopFigures): number {
  return one.ns.median / other.ns.median;
}
