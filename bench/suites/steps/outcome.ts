// Outcome: the names of what a call does besides serving its caller.
//
// Owns:  the names, and which of them the goal of a constant leaves aside.
// Needs: nothing.

/**
 * The last that applies: nothing else; gave slabs back; began a slab ("refill"); the footprint grew ("growth"); memory was
 * asked for more and had none ("refused").
 */
export const OUTCOMES = ["plain", "gave back", "refill", "growth", "refused"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What "refill and growth aside" leaves. */
export function isOrdinary(work: Outcome): boolean {
  return work === "plain" || work === "gave back";
}
