// Adversary: looks for the sequence of calls whose worst one takes the most steps.
//
// Owns:  the command, the targets, and making what was found short.
// Needs: #steps, search.

import { countedHeapIn, isOrdinary, type Outcome, OutcomeWatch, stepsSoFar } from "#steps";
import { fractionsFrom } from "../../harness/random.ts";
import { createSequence, mutateSequence } from "./mutate.ts";
import { climb, type Found } from "./search.ts";
import { type Burst, CALLS, formatSequence, type Letter, playSequence } from "./sequence.ts";
import { shorten } from "./shorten.ts";

export interface AdversaryOptions {
  readonly seed?: number;
  readonly seconds: number;
  readonly evaluations?: number;
  readonly play?: readonly Burst[];
  readonly json?: true;
}

const TARGETS = {
  "nothing else done": (work: Outcome) => work === "plain",
  "refill and growth aside": isOrdinary,
  "any call": () => true,
} as const;
export type TargetName = keyof typeof TARGETS;

interface WorstCall {
  readonly steps: number;
  readonly call: number;
  readonly letter: Letter;
  readonly bytes: number;
  readonly work: Outcome;
}

export interface Verdict {
  readonly target: TargetName;
  readonly seed?: number;
  readonly evaluations?: number;
  readonly worst: WorstCall | undefined;
  readonly sequence: string;
}

/** Large enough that growth within it is seen; what does not fit is answered with 0. */
const BUFFER = new ArrayBuffer(64 << 20);
export const TARGET_NAMES = Object.keys(TARGETS) as TargetName[]; // the keys of a constant

export function runAdversary(options: AdversaryOptions): void {
  const verdicts = options.play === undefined ? searchAll(options) : replay(options.play);
  if (options.json) console.log(JSON.stringify({ format: "morecore-adversary-1", verdicts }, undefined, 2));
  else for (const verdict of verdicts) console.log(describe(verdict));
}

function replay(bursts: readonly Burst[]): Verdict[] {
  const sequence = formatSequence(bursts);
  return TARGET_NAMES.map((target) => ({ target, worst: worstCall(bursts, target), sequence }));
}

/** For each target in turn, of which each has an equal part of the time. */
export function searchAll(
  { seed = Math.floor(Math.random() * 2 ** 32), seconds, evaluations }: AdversaryOptions,
  onTarget: (target: TargetName) => void = () => undefined,
): Verdict[] {
  return TARGET_NAMES.map((target) => {
    const deadline = performance.now() + (seconds * 1000) / TARGET_NAMES.length;
    const score = (bursts: readonly Burst[]): number => worstCall(bursts, target)?.steps ?? 0;
    const found: Found<readonly Burst[]> = climb(
      { create: createSequence, mutate: mutateSequence, score },
      fractionsFrom(seed),
      (count) => (evaluations === undefined ? performance.now() < deadline : count < evaluations),
    );
    onTarget(target);
    const short = shorten(found.best, (bursts) => score(bursts) >= found.score);
    return {
      target,
      seed,
      evaluations: found.evaluations,
      worst: worstCall(short, target),
      sequence: formatSequence(short),
    };
  });
}

/** The first of the calls with the most steps, of those that the target counts. */
function worstCall(bursts: readonly Burst[], target: TargetName): WorstCall | undefined {
  const heap = countedHeapIn(BUFFER);
  const watch = new OutcomeWatch(heap);
  const counts = TARGETS[target];
  let worst: WorstCall | undefined;
  let call = 0;
  let before = 0;
  playSequence(bursts, heap, {
    before: () => {
      before = stepsSoFar();
    },
    after: (letter, bytes) => {
      const steps = stepsSoFar() - before;
      const work = watch.since();
      if (steps > (worst?.steps ?? -1) && counts(work)) worst = { steps, call, letter, bytes, work };
      call++;
    },
  });
  return worst;
}

function describe(verdict: Verdict): string {
  const { target, worst, sequence } = verdict;
  const redo = redoText(verdict);
  const tried = redo === "" ? "" : ` (${redo})`;
  if (worst === undefined) return `${target}: no such call${tried}`;
  return `${target}: ${worst.steps} steps, ${worstText(verdict)}${tried}\n    --play "${sequence}"\n`;
}

/** "call 12, realloc of 100 bytes, plain" */
export function worstText({ worst }: Verdict): string {
  return worst === undefined
    ? "no such call"
    : `call ${worst.call}, ${CALLS[worst.letter]} of ${worst.bytes} bytes, ${worst.work}`;
}

/** The options that find the same again; none of a sequence that was given. */
export function redoText({ seed, evaluations }: Verdict): string {
  return seed === undefined ? "" : `--seed ${seed} --evaluations ${evaluations}`;
}
