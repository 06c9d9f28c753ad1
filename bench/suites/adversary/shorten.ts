// Shorten: leaves out of a sequence what it can do without.
//
// Owns:  which shorter ones are tried.
// Needs: somebody who says whether a shorter one still does.

import type { Burst } from "./sequence.ts";

/** The sequence without the bursts, and with as few repetitions, as `stillDoes` lets it. Tries each cut again after each. */
export function shorten(
  bursts: readonly Burst[],
  stillDoes: (bursts: readonly Burst[]) => boolean,
): readonly Burst[] {
  let shortest = bursts;
  for (let isShorter = true; isShorter; ) {
    isShorter = false;
    for (let at = shortest.length - 1; at >= 0; at--) {
      const shorter = cuts(shortest, at).find(stillDoes);
      if (shorter === undefined) continue;
      shortest = shorter;
      isShorter = true;
    }
  }
  return shortest;
}

/** The sequence with one of its bursts shorter, the shortest first. */
function cuts(bursts: readonly Burst[], at: number): (readonly Burst[])[] {
  const burst = bursts[at];
  if (burst === undefined) return [];
  const [head, tail] = [bursts.slice(0, at), bursts.slice(at + 1)];
  const fewer = [1, burst.times >>> 1, burst.times - (burst.times >>> 3), burst.times - 1];
  const sensible = fewer.filter((times) => times > 0 && times < burst.times);
  const simpler = burst.step === 0 ? [] : [[...head, { ...burst, step: 0 }, ...tail]];
  return [
    [...head, ...tail],
    ...sensible.map((times) => [...head, { ...burst, times }, ...tail]),
    ...simpler,
  ];
}
