// Anomalies: that a run's worst call gets into the goals, from traces and from the search, and into the tables.

import { expect, test } from "vitest";
import { toMarkdown } from "../harness/tables.ts";
import {
  type Anomalies,
  adversaryIn,
  anomalyGoals,
  anomalyNotes,
  anomalyTables,
  findAnomalies,
  stepsOfAnomalies,
} from "../suites/adversary/anomalies.ts";

const TRACE = { name: "nginx", file: new URL("../../traces/nginx.mct.gz", import.meta.url).pathname };
const said: string[] = [];
const adversary = { seed: 1, seconds: 0, evaluations: 50 };
const plan = { traces: [TRACE], scale: [1024], adversary, onStep: (what: string) => said.push(what) };
const found: Anomalies = findAnomalies(plan);

test("each trace, each live set and each target of the adversary is a step of the run", () => {
  expect(said).toHaveLength(stepsOfAnomalies(plan));
  expect(said.slice(0, 2)).toEqual(["nginx, steps", "scale 1024, steps"]);
});

test("the goals have the worst calls of the traces, and those that the search has found", () => {
  const worst = (target: string) =>
    found.adversary.find((verdict) => verdict.target === target)?.worst?.steps;
  const [all] = found.steps.map(({ kinds: [every] }) => every);
  const goals = anomalyGoals(found);
  expect(goals.map(({ measured }) => measured)).toEqual([
    all?.worst.plain?.steps,
    all?.ordinary.max,
    worst("nothing else done"),
    worst("refill and growth aside"),
  ]);
  expect(goals.map(({ goal, aim, figure }) => [goal, aim, figure.split(",")[0]])).toEqual([
    ["A1", 200, "1 traces"],
    ["A1", 600, "1 traces"],
    ["A1", 200, "adversary"],
    ["A1", 600, "adversary"],
  ]);
});

test("a call that grew the heap is no matter of the goal", () => {
  const steps = found.steps.map((counted) => ({
    ...counted,
    kinds: counted.kinds.map((kind) => ({ ...kind, every: { ...kind.every, max: 1e6 } })),
  }));
  expect(anomalyGoals({ ...found, steps })).toEqual(anomalyGoals(found));
});

test("the tables have all calls of each trace in a line, and what the adversary has found", () => {
  const [steps = "", adversary = ""] = anomalyTables(found).map(toMarkdown);
  expect(steps).toMatch(/^\| trace +\|.*worst, plain \|/m);
  expect(steps.match(/^\| (nginx|scale 1024) +\|/gm)).toHaveLength(2);
  expect(adversary).toMatch(/^\| any call +\| +\d+ \| call \d+, .* \| --seed \d+ --evaluations \d+ +\|/m);
  expect(anomalyNotes(found).at(-1)).toMatch(/^adversary, any call: npm run bench -- adversary --play "/);
});

test("the adversary is left out when something else is named, and quick with --quick", () => {
  const named = (only: string) => (name: string) => name.includes(only);
  expect(adversaryIn(named("lua"), false)).toBeUndefined();
  const [quick, full] = [adversaryIn(named("adv"), true), adversaryIn(named(""), false)];
  expect(quick?.seconds).toBeLessThan(full?.seconds ?? 0);
  expect(anomalyTables({ steps: [], adversary: [] })).toEqual([]);
});
