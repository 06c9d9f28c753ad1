// Works: the names of what a call does besides serving its caller.
//
// Owns:  the names, and which of them the goal of a constant leaves aside.
// Needs: nothing.

/**
 * The last that applies: nothing else; gave runs back; began a run ("refill"); the footprint grew ("growth"); memory was
 * asked for more and had none ("refused").
 */
export const WORKS = ["plain", "gave back", "refill", "growth", "refused"] as const;
export type Work = (typeof WORKS)[number];

/** What "refill and growth aside" leaves. */
export function isOrdinary(work: Work): boolean {
  return work === "plain" || work === "gave back";
}
