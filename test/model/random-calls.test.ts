// Random calls: every program keeps every invariant, and every block what was written to it, in every kind of memory.

import fc from "fast-check";
import { Heap, type HeapSettings } from "morecore";
import { describe, expect, test } from "vitest";
import { type Call, call, Program, settings } from "../support/calls.ts";
import { MAKERS, refusingMemory } from "../support/memories.ts";
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
  { smallLimit: 256, growthStep: 4096 },
  { growthStep: 4096, advance: 0 },
  { trimThreshold: 0, growthStep: 4096 },
  { footprintLimit: 120_000 },
  { footprintLimit: 0 },
  { zeroSizeRealloc: "free" },
];

describe.each(MAKERS)("in $name", ({ make, grows }) => {
  const slab = (set: Partial<HeapSettings>, calls: readonly Call[]): void => {
    const heap = make(set);
    new Program(new Shadow(heap), grows ? CERTAIN : NOTHING_CERTAIN).run(calls);
  };

  test("any short program of calls leaves a sound heap after each", () => {
    const program = fc.array(call(MOST), { maxLength: 60, size: "max" });
    const property = fc.property(fc.constantFrom(...SETS), program, slab);
    fc.assert(property, { seed, numRuns: 120, ...LIMIT });
  });

  test("any long program of calls leaves a sound heap after each", () => {
    const program = fc.array(call(MOST), { maxLength: 500, size: "max" });
    const set = fc.oneof(fc.constantFrom(...SETS), settings(MOST));
    fc.assert(fc.property(set, program, slab), { seed, numRuns: 15, ...LIMIT });
  });
});

/**
 * Bytes of heaps so small that small requests fall back to chunks: there is room for next to nothing; for chunks but no
 * slab; for one slab; for the first slabs of a few size classes.
 */
const TIGHT = [2304, 2400, 3000, 4096, 8192, 12_288, 16_384, 24_576, 49_152];

test("any program of calls leaves a sound heap where most slabs have no room", () => {
  const small = { inSlabs: 0, fellBack: 0 };
  const program = fc.array(call(MOST), { maxLength: 150, size: "max" });
  const set = fc.oneof(fc.constantFrom(...SETS), settings(MOST));
  const slab = (bytes: number, settings: Partial<HeapSettings>, calls: readonly Call[]): void => {
    const heap = Heap.create({ memory: refusingMemory(new ArrayBuffer(16 + bytes)), ...settings });
    const program = new Program(new Shadow(heap), NOTHING_CERTAIN);
    program.run(calls);
    small.inSlabs += program.small.inSlabs;
    small.fellBack += program.small.fellBack;
  };
  fc.assert(fc.property(fc.constantFrom(...TIGHT), set, program, slab), { seed, numRuns: 300, ...LIMIT });
  expect(small.inSlabs, "some slabs had room").toBeGreaterThan(100);
  expect(small.fellBack, "some had not").toBeGreaterThan(100);
});
