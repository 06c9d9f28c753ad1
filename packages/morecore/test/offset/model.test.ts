// Random calls beside the shadow: nothing overlaps, every refusal is right, every count is, and a loaded allocator goes on
// as the saved one does.

import fc from "fast-check";
import { expect, test } from "vitest";
import { seedOf } from "../../../../test/support/seed.ts";
import { binOf, sureBinOf } from "../../src/offset/bins.ts";
import { type Allocation, OffsetAllocator } from "../../src/offset/index.ts";
import { BIN_COUNT } from "../../src/offset/state.ts";
import { OffsetShadow } from "./shadow.ts";

const seed = seedOf("offset model");

type Step =
  | { readonly kind: "allocate"; readonly bytes: number; readonly alignment: number }
  | { readonly kind: "free"; readonly which: number }
  | { readonly kind: "grow"; readonly bytes: number }
  | { readonly kind: "reset" | "reload" };

/** Ranges and requests of one scale, small enough a range that refusals are common. */
const SCALES = [1, 4, 1000, 2 ** 20, 2 ** 44 + 12_345].map((unit) => {
  const bytes = fc.oneof(
    fc.integer({ min: 1, max: 40 }).map((units) => units * unit),
    // Not at a bin's edge: where rounding up and down part.
    fc.integer({ min: 10 * unit, max: 11 * unit }),
  );
  const alignment = fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 2, arbitrary: fc.constantFrom(2, 4, 12, 256, 1000, 2 ** 31, 7 * unit, 16 * unit) },
  );
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 50, arbitrary: fc.record({ kind: fc.constant("allocate" as const), bytes, alignment }) },
    { weight: 40, arbitrary: fc.record({ kind: fc.constant("free" as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("grow" as const), bytes }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: "reset" as const }, { kind: "reload" as const }) },
  );
  const range = fc.integer({ min: 0, max: 300 }).map((units) => units * unit);
  return fc.record({ range, steps: fc.array(step, { maxLength: 120, size: "max" }) });
});

/** What came up over all runs: a property that nothing puts to the test is no property. */
const seen = { refused: 0, lastResort: 0, reloaded: 0 };

/** Several allocators that have had the same calls, and the shadow. */
class Run {
  readonly shadow: OffsetShadow;
  twins: OffsetAllocator[];

  constructor(range: number) {
    this.shadow = new OffsetShadow(range);
    // Room for no region: the columns grow in the course of the run.
    this.twins = [new OffsetAllocator(range, { regions: 0, tag: 7 })];
  }

  step(step: Step): void {
    switch (step.kind) {
      case "allocate":
        this.allocate(step.bytes, step.alignment);
        break;
      case "free": {
        const { live } = this.shadow;
        const allocation = live[step.which % live.length];
        if (allocation === undefined) break;
        this.shadow.remove(allocation);
        for (const twin of this.twins) twin.free(allocation);
        for (const twin of this.twins) expect(() => twin.free(allocation)).toThrow(/double-free/);
        break;
      }
      case "grow":
        this.shadow.grow(step.bytes);
        for (const twin of this.twins) twin.grow(step.bytes);
        break;
      case "reset":
        this.shadow.reset();
        for (const twin of this.twins) twin.reset();
        break;
      case "reload":
        seen.reloaded += 1;
        this.twins = [
          ...this.twins.slice(0, 1),
          ...this.twins.map((twin) => OffsetAllocator.load(twin.save())),
        ];
    }
    for (const twin of this.twins) this.shadow.expectAgreement(twin);
  }

  allocate(bytes: number, alignment: number): void {
    const { shadow } = this;
    const hasRoom = shadow.hasRoom(bytes, alignment);
    const promised = sureBinOf(bytes + alignment - 1);
    const served = this.twins.map((twin) => twin.allocate(bytes, alignment));
    const [allocation] = served;
    expect(new Set(served).size, "all twins gave the same handle").toBe(1);
    expect(allocation !== undefined, `served <=> a hole has room for ${bytes} at ${alignment}`).toBe(hasRoom);
    if (allocation === undefined) {
      seen.refused += 1;
      return;
    }
    if (promised >= BIN_COUNT || shadow.holes.every((hole) => binOf(hole.bytes) < promised))
      seen.lastResort += 1;
    this.#book(allocation, bytes, alignment);
  }

  #book(allocation: Allocation, bytes: number, alignment: number): void {
    const [first] = this.twins;
    const offset = first?.offsetOf(allocation) ?? Number.NaN;
    for (const twin of this.twins) {
      expect(twin.offsetOf(allocation)).toBe(offset);
      expect(twin.sizeOf(allocation)).toBe(bytes);
    }
    expect(offset % alignment).toBe(0);
    this.shadow.add(allocation, offset, bytes);
  }
}

test("in every program regions are apart, refusals right, reports true, and a loaded allocator goes on alike", () => {
  const run = ({ range, steps }: { range: number; steps: readonly Step[] }) => {
    const run = new Run(range);
    for (const step of steps) run.step(step);
    for (const allocation of run.shadow.live) {
      run.shadow.remove(allocation);
      for (const twin of run.twins) twin.free(allocation);
    }
    for (const twin of run.twins) run.shadow.expectAgreement(twin);
    expect(run.shadow.holes.length, "all freed: one hole again").toBe(run.shadow.bytes > 0 ? 1 : 0);
  };
  fc.assert(fc.property(fc.oneof(...SCALES), run), { seed, numRuns: 200, interruptAfterTimeLimit: 40_000 });
  console.log("offset model:", JSON.stringify(seen));
  expect(seen.refused, "requests were refused").toBeGreaterThan(100);
  expect(seen.lastResort, "requests were served that no bin promised").toBeGreaterThan(100);
  expect(seen.reloaded, "allocators were saved and loaded").toBeGreaterThan(10);
});
