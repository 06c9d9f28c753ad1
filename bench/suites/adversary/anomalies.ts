// Anomalies: whether any single call takes long, in loads and stores of the kernel, in all traces and after a search for
// such a call. Goal A1. No clock is looked at.
//
// Owns:  what is counted in a whole run, its tables, its notes, and what was aimed at.
// Needs: steps, adversary.

import { type GoalFigure, known } from "../../harness/goal-figure.ts";
import { SCALE_LIVE } from "../../harness/patterns.ts";
import { largest } from "../../harness/stats.ts";
import type { TextTable } from "../../harness/tables.ts";
import { countScale, countTrace, SCALE_NAME } from "../steps/main.ts";
import { callTable, type TraceSteps } from "../steps/tables.ts";
import {
  type AdversaryOptions,
  redoText,
  searchAll,
  TARGET_NAMES,
  type TargetName,
  type Verdict,
  worstText,
} from "./main.ts";

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

/** Of a call that does nothing besides; of one that may give a slab back, too. */
const PLAIN_AIM = 200;
const ORDINARY_AIM = 600;
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
  const stepsOf = (target: TargetName) =>
    adversary.find((found) => found.target === target)?.worst?.steps ?? Number.NaN;
  const plain = traces.map(({ kinds: [all] }) => all?.worst.plain?.steps ?? 0);
  const ordinary = traces.map(({ kinds: [all] }) => all?.ordinary.max ?? 0);
  const [plainText, ordinaryText] = [
    "steps of the worst plain call",
    "steps of the worst, refill and growth aside",
  ];
  const ofTraces = `${traces.length} traces`;
  const figures = [
    { figure: `${ofTraces}, ${plainText}`, measured: largest(plain), aim: PLAIN_AIM },
    { figure: `${ofTraces}, ${ordinaryText}`, measured: largest(ordinary), aim: ORDINARY_AIM },
    { figure: `${ADVERSARY}, ${plainText}`, measured: stepsOf("nothing else done"), aim: PLAIN_AIM },
    {
      figure: `${ADVERSARY}, ${ordinaryText}`,
      measured: stepsOf("refill and growth aside"),
      aim: ORDINARY_AIM,
    },
  ];
  return known(figures.map((figure) => ({ goal: "A1", ...figure, digits: 0 })));
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
