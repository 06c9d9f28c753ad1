// Command: `npm run bench -- within`.
//
// Owns:  which patterns are played, and how often.

import { type Asked, type ModulesOptions, type ModulesRun, runModules } from "../modules.ts";
import { measureWithin, type WithinPlan } from "./measure.ts";
import { PATTERN_NAMES } from "./protocol.ts";
import type { WithinResults } from "./results.ts";

export interface WithinOptions extends ModulesOptions {
  /** A folder as build/programs/merged is one. */
  readonly before?: string;
}

export type WithinRun = WithinResults & ModulesRun;

type Sizes = Omit<WithinPlan, "onStep">;

export const SIZES: Sizes = { rounds: 5, targetMs: 100, warmPlays: 3 };
export const QUICK: Sizes = { rounds: 2, targetMs: 30, warmPlays: 2 };

export function runWithin(asked: Asked<WithinOptions>): Promise<WithinRun> {
  const { before } = asked.options;
  return runModules(asked, { usual: SIZES, quick: QUICK }, {}, ({ isNamed, traces, sizes, progress }) => {
    const patterns = PATTERN_NAMES.filter(isNamed);
    progress.start(patterns.length + traces.length);
    const plan = { ...sizes, onStep: (what: string) => progress.done(what) };
    return measureWithin(plan, { patterns, traces, ...(before === undefined ? {} : { before }) });
  });
}
