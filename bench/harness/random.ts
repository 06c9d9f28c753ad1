// Random: numbers that a seed repeats.
//
// Owns:  which of pure-rand's generators is used: one whose numbers differ from the first on for seeds that are neighbours.
// Needs: pure-rand.
// Note:  a number costs some 40 ns: timed loops take theirs from a table that was drawn beforehand.

import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";

/** Whole numbers from 0 to below `bound`. */
export function countsFrom(seed: number): (bound: number) => number {
  const generator = mersenne(seed);
  return (bound) => uniformInt(generator, 0, bound - 1);
}

/** Numbers from 0 to below 1. */
export function fractionsFrom(seed: number): () => number {
  const generator = mersenne(seed);
  return () => uniformFloat64(generator);
}
