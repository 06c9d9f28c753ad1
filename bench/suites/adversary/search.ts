// Search: hill climbing with restarts, for anything that can be mutated and scored.
//
// Owns:       when to keep, when to start anew.
// Needs:      nothing.
// Invariants: A1  the same seed tries the same candidates in the same order
//
// A step sideways is taken: scores have plateaus, as the worst call stays the worst while others change.

export type Random = () => number;

export interface Subject<T> {
  create(random: Random): T;
  mutate(candidate: T, random: Random): T;
  score(candidate: T): number;
}

export interface Found<T> {
  readonly best: T;
  readonly score: number;
  readonly evaluations: number;
}

/** After so many candidates without a better one, another beginning is tried. */
const PATIENCE = 500;
/** Of the new beginnings, so many are the best one so far, shaken. */
const FROM_BEST = 0.5;
const SHAKES = 12;

/** Tries candidates for as long as it may. */
export function climb<T>(
  subject: Subject<T>,
  random: Random,
  mayGoOn: (evaluations: number) => boolean,
): Found<T> {
  let current = subject.create(random);
  let currentScore = subject.score(current);
  let best = current;
  let bestScore = currentScore;
  let evaluations = 1;
  let since = 0;
  while (mayGoOn(evaluations)) {
    const isRestart = since >= PATIENCE;
    const candidate = isRestart ? beginning(subject, best, random) : subject.mutate(current, random);
    const score = subject.score(candidate);
    evaluations++;
    since = isRestart || score > currentScore ? 0 : since + 1;
    if (isRestart || score >= currentScore) {
      current = candidate;
      currentScore = score;
    }
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return { best, score: bestScore, evaluations };
}

function beginning<T>(subject: Subject<T>, best: T, random: Random): T {
  if (random() >= FROM_BEST) return subject.create(random);
  let shaken = best;
  for (let count = 0; count < SHAKES; count++) shaken = subject.mutate(shaken, random);
  return shaken;
}
