// The benchmark of the typed layer: that what it compares does the same, and that its goals are told right. No times here.

import { describe, expect, it } from "vitest";
import { verdict } from "../harness/goal-figure.ts";
import { summarize } from "../harness/stats.ts";
import { typedGoals } from "../suites/typed/goals.ts";
import { VARIANTS } from "../suites/typed/graph/measure.ts";
import { timed } from "../suites/typed/graph/shape.ts";
import { GROUPS } from "../suites/typed/loops/all.ts";
import { GRAPH_NAMES, type GraphName } from "../suites/typed/protocol.ts";
import type { GraphFigures, TypedFigures } from "../suites/typed/run.ts";

function sumOf(name: GraphName, nodes: number): number {
  const variant = VARIANTS[name]();
  let sum = 0;
  for (let time = 0; time < 2; time++) {
    timed(() => variant.build(nodes));
    timed(() => {
      sum = variant.walk();
    });
    timed(() => variant.drop());
  }
  return sum;
}

describe("the graph", () => {
  it.each(GRAPH_NAMES)(
    "%s: builds and walks the same tree as plain objects, also the second time",
    (name) => {
      expect(sumOf("objects", 1000)).toBeGreaterThan(1000);
      expect(sumOf(name, 1000)).toBe(sumOf("objects", 1000));
    },
  );
});

describe.each(GROUPS)("$title", ({ loops }) => {
  it.each(loops)("$name: each variant runs, and gives a number", ({ variants }) => {
    for (const [name, make] of Object.entries(variants)) {
      const run = make();
      expect(Number.isFinite(run(1)) && Number.isFinite(run(2)), name).toBe(true);
    }
  });
});

describe("the goals", () => {
  const exact = (value: number) => summarize([value]);
  const figures = (ms: number, pauseMs: number, bytes: number): GraphFigures => ({
    buildMs: exact(ms),
    walkMs: exact(1),
    dropMs: exact(0),
    buildAndDropMs: exact(ms),
    residentBytes: exact(bytes),
    pauseMs: exact(pauseMs),
    gcMs: exact(0),
  });
  const results = (objects: GraphFigures, raw: GraphFigures): TypedFigures => ({
    graphs: [{ nodes: 5e6, figures: { nothing: figures(100, 0, 0), objects, raw } }],
    groups: [],
    remarks: [],
  });
  const verdicts = (of: TypedFigures): string[] => typedGoals(of).map(verdict);

  it("are met at their bounds, net of the calls", () => {
    expect(verdicts(results(figures(400, 20, 100), figures(200, 1, 50)))).toEqual(Array(3).fill("met"));
  });

  it("are missed just beyond them", () => {
    expect(verdicts(results(figures(399, 19.9, 100), figures(200, 1, 50.1)))).toEqual(
      Array(3).fill("missed"),
    );
  });

  it("are stated over typed arrays by hand, too, where a loop has both", () => {
    const figure = (ns: number) => ({ ns: exact(ns), heapBytes: 0 });
    const loop = {
      loop: "one",
      figures: { "typed array": figure(1), cursor: figure(1.5), reference: figure(1.6) },
    };
    const goals = typedGoals({ graphs: [], groups: [{ title: "Access", loops: [loop] }], remarks: [] });
    expect(goals.map((goal) => [goal.goal, goal.figure, verdict(goal)])).toEqual([
      ["T8", "one, reference: time over typed array", "missed"],
      ["T8", "one, cursor: time over typed array", "met"],
    ]);
  });
});
