// Random calls, looked at by what only this design promises: exact sizes, free memory that is used, slabs where there is room.

import fc from "fast-check";
import { Heap, type HeapSettings } from "morecore";
import { describe, expect, test } from "vitest";
import { type Call, call, settings } from "../../../../test/support/calls.ts";
import { MAKERS, refusingMemory } from "../../../../test/support/memories.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { MIN_REGION } from "../../src/kernel/layout.ts";
import { SlabProgram } from "./slab-shadow.ts";

const seed = seedOf("design");
/** Instead of no limit, in memories without a maximum. */
const MOST = 64 * 1024 * 1024;
/** What a growing memory serves in every program of these lengths. */
const CERTAIN = 100_000;
const NOTHING_CERTAIN = -1;
const LIMIT = { interruptAfterTimeLimit: 30_000 };

const SETS: readonly Partial<HeapSettings>[] = [
  {},
  { smallLimit: 0 },
  { smallLimit: 64 },
  { growthStep: 65_536 },
];
const set = fc.oneof(fc.constantFrom(...SETS), settings(MOST));

describe.each(MAKERS)("in $name", ({ make, grows }) => {
  test("any program gives blocks of exact sizes, and none is refused that free memory could serve", () => {
    const program = fc.array(call(MOST), { maxLength: 100, size: "max" });
    const play = (given: Partial<HeapSettings>, calls: readonly Call[]): void =>
      new SlabProgram(make(given), grows ? CERTAIN : NOTHING_CERTAIN).run(calls);
    fc.assert(fc.property(set, program, play), { seed, numRuns: 40, ...LIMIT });
  });
});

/**
 * Bytes of heaps so small that small requests fall back to chunks: there is room for next to nothing; for chunks but no
 * slab; for one slab; for the first slabs of a few size classes.
 */
const TIGHT = [MIN_REGION, MIN_REGION + 96, MIN_REGION + 704, 4608, 8192, 12_288, 16_384, 24_576, 49_152];

test("any program of calls leaves a sound heap where most slabs have no room", () => {
  const small = { inSlabs: 0, fellBack: 0 };
  const program = fc.array(call(MOST), { maxLength: 150, size: "max" });
  const play = (bytes: number, given: Partial<HeapSettings>, calls: readonly Call[]): void => {
    const heap = Heap.create({ memory: refusingMemory(new ArrayBuffer(16 + bytes)), ...given });
    const each = new SlabProgram(heap, NOTHING_CERTAIN);
    each.run(calls);
    small.inSlabs += each.small.inSlabs;
    small.fellBack += each.small.fellBack;
  };
  fc.assert(fc.property(fc.constantFrom(...TIGHT), set, program, play), { seed, numRuns: 300, ...LIMIT });
  expect(small.inSlabs, "some slabs had room").toBeGreaterThan(100);
  expect(small.fellBack, "some had not").toBeGreaterThan(100);
});

test("any program of calls leaves a sound heap that is large enough for slabs of wide blocks, and for few of them", () => {
  const small = { wide: 0, fellBack: 0 };
  const program = fc.array(call(MOST), { maxLength: 100, size: "max" });
  const play = (bytes: number, calls: readonly Call[]): void => {
    const heap = Heap.create({
      memory: refusingMemory(new ArrayBuffer(16 + bytes)),
      trimThreshold: Number.POSITIVE_INFINITY,
    });
    heap.free(heap.malloc(bytes - 8192));
    const each = new SlabProgram(heap, NOTHING_CERTAIN);
    each.run(calls);
    small.wide += each.small.wide;
    small.fellBack += each.small.fellBack;
  };
  // Some wide classes may have slabs; all of them, while nothing is trimmed; all of them, also while less than half is.
  const sizes = fc.constantFrom(786_432, 1_081_344, 2_097_152);
  fc.assert(fc.property(sizes, program, play), { seed, numRuns: 250, ...LIMIT });
  expect(small.wide, "some wide blocks were in slabs").toBeGreaterThan(50);
  expect(small.fellBack, "some small ones were not").toBeGreaterThan(50);
});
