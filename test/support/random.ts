// Random numbers that a seed repeats.

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";

/** From 0, below `bound`; 0 if that is nothing. */
export function randomFrom(seed: number): (bound: number) => number {
  const generator = mersenne(seed);
  return (bound) => (bound < 1 ? 0 : uniformInt(generator, 0, bound - 1));
}
