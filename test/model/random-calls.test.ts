// Random calls: every program keeps every invariant, and every block what was written to it, in every kind of memory.

import fc from "fast-check";
import type { HeapSettings } from "morecore";
import { describe, test } from "vitest";
import { type Call, call, Program, settings } from "../support/calls.ts";
import { MAKERS } from "../support/memories.ts";
import { seedOf } from "../support/seed.ts";
import { Shadow } from "../support/shadow.ts";

const seed = seedOf("model");

/** Instead of no limit, in memories without a maximum. */
const MOST = 64 * 1024 * 1024;
/** What a growing memory serves in every program of these lengths. */
const CERTAIN = 100_000;
/** A memory that does not grow need not serve anything, not even a request for nothing. */
const NOTHING_CERTAIN = -1;

/** Shrinking a long program can take minutes; what has been found by then is short enough. Slabs that pass take one second. */
const LIMIT = { interruptAfterTimeLimit: 30_000 };

const SETS: readonly Partial<HeapSettings>[] = [
  {},
  { smallLimit: 0 },
  { smallLimit: 16 },
  { smallLimit: 64 },
  { smallLimit: 496, growthStep: 4096 },
  // From 992 KiB on the largest small blocks are in slabs, too.
  { growthStep: 1 << 20 },
  { growthStep: 4096, advance: 0 },
  { trimThreshold: 0, growthStep: 4096 },
  { footprintLimit: 120_000 },
  { footprintLimit: 0 },
  { zeroSizeRealloc: "free" },
];

describe.each(MAKERS)("in $name", ({ make, grows }) => {
  const play = (set: Partial<HeapSettings>, calls: readonly Call[]): void => {
    const heap = make(set);
    new Program(new Shadow(heap), grows ? CERTAIN : NOTHING_CERTAIN).run(calls);
  };

  test("any short program of calls leaves a sound heap after each", () => {
    const program = fc.array(call(MOST), { maxLength: 60, size: "max" });
    const property = fc.property(fc.constantFrom(...SETS), program, play);
    fc.assert(property, { seed, numRuns: 100, ...LIMIT });
  });

  test("any long program of calls leaves a sound heap after each", () => {
    const program = fc.array(call(MOST), { maxLength: 500, size: "max" });
    const set = fc.oneof(fc.constantFrom(...SETS), settings(MOST));
    fc.assert(fc.property(set, program, play), { seed, numRuns: 12, ...LIMIT });
  });
});
