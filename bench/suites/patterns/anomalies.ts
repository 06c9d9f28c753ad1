// Anomalies: whether any single call takes long, in loads and stores of the kernel, in all traces and after a search for
// such a call. Goal A1. No clock is looked at.
//
// Owns:  what is counted in a whole run, its tables, its notes, and what was aimed at.
// Needs: steps, adversary.

import { SCALE_LIVE } from "../../harness/patterns.ts";
import { largest } from "../../harness/stats.ts";
import type { TextTable } from "../../harness/tables.ts";
import type { GoalFigure } from "../../report/goal-figure.ts";
import {
  type AdversaryOptions,
  redoText,
  searchAll,
  TARGET_NAMES,
  type Verdict,
  worstText,
} from "../adversary/main.ts";
import { countScale, countTrace, SCALE_NAME } from "../steps/main.ts";
import { callTable, type TraceSteps } from "../steps/tables.ts";

export interface Anomalies {
  /** Of each trace, all its calls together; `npm run bench -- steps` has them by kind. */
  readonly steps: readonly TraceSteps[];
  readonly adversary: readonly Verdict[];
}

export interface AnomalyPlan {
  readonly traces: readonly { readonly name: string; readonly file: string }[];
  /** Counts of live blocks. */
  readonly scale: readonly number[];
  /** Undefined: it does not search. */
  readonly adversary: AdversaryOptions | undefined;
  readonly onStep: (what: string) => void;
}

/** Refill and growth aside. */
const STEPS_AIM = 200;
const ADVERSARY = "adversary";
const SECONDS = 30;
const QUICK_SECONDS = 6;

/** What the adversary is to do in a run of which only some names may be wanted. */
export function adversaryIn(
  isNamed: (name: string) => boolean,
  quick: boolean,
): AdversaryOptions | undefined {
  return isNamed(ADVERSARY) ? { seconds: quick ? QUICK_SECONDS : SECONDS } : undefined;
}

/** How often onStep will be called. */
export function stepsOfAnomalies({ traces, scale, adversary }: Omit<AnomalyPlan, "onStep">): number {
  return traces.length + scale.length + (adversary === undefined ? 0 : TARGET_NAMES.length);
}

export function findAnomalies({ traces, scale, adversary, onStep }: AnomalyPlan): Anomalies {
  const steps: TraceSteps[] = [];
  const add = (counted: TraceSteps) => {
    steps.push({ ...counted, kinds: counted.kinds.slice(0, 1) });
    onStep(`${counted.trace}, steps`);
  };
  for (const { name, file } of traces) add(countTrace(name, file));
  for (const live of SCALE_LIVE) if (scale.includes(live)) add(countScale(live));
  const onTarget = (target: string) => onStep(`${ADVERSARY}, ${target}`);
  return { steps, adversary: adversary === undefined ? [] : searchAll(adversary, onTarget) };
}

export function anomalyGoals({ steps, adversary }: Anomalies): GoalFigure[] {
  const traces = steps.filter(({ trace }) => !trace.startsWith(SCALE_NAME));
  const found = adversary.flatMap(({ target, worst }) =>
    target === "refill and growth aside" && worst !== undefined ? worst.steps : [],
  );
  const ofTraces = traces.map(({ kinds: [all] }) => all?.ordinary.max ?? Number.NaN);
  const figure = "steps of the worst call, refill and growth aside";
  return [
    {
      goal: "A1",
      figure: `${traces.length} traces, ${figure}`,
      measured: largest(ofTraces),
      aim: STEPS_AIM,
      digits: 0,
    },
    { goal: "A1", figure: `${ADVERSARY}, ${figure}`, measured: largest(found), aim: STEPS_AIM, digits: 0 },
  ];
}

export function anomalyTables({ steps, adversary }: Anomalies): TextTable[] {
  const tables = steps.length > 0 ? [callTable(steps)] : [];
  if (adversary.length === 0) return tables;
  const rows = adversary.map((verdict) => [
    verdict.target,
    String(verdict.worst?.steps ?? "–"),
    worstText(verdict),
    redoText(verdict),
  ]);
  return [
    ...tables,
    {
      title: "Adversary: steps of the worst call that a search has found",
      head: ["of the calls", "steps", "which", "found by npm run bench -- adversary with"],
      rows,
    },
  ];
}

/** The sequences, which are too long for a table. */
export function anomalyNotes({ adversary }: Anomalies): string[] {
  return adversary.map(
    ({ target, sequence }) => `adversary, ${target}: npm run bench -- adversary --play "${sequence}"`,
  );
}
