// Workers: this thread and up to eight others, let loose on one heap, in every engine (test/runtimes).

import { describe, expect, it } from "vitest";
import { Heap } from "../../packages/morecore/src/index.ts";
import { seedOf } from "../support/seed.ts";
import { expectEmpty } from "../support/shadow.ts";
import { canStartThreads } from "../support/thread.ts";
import { type Part, Stress } from "./stress.ts";

const SEED = seedOf("workers");

interface How extends Pick<Part, "entry" | "rounds" | "calls" | "largest"> {
  readonly threads: number;
}

async function play(heap: Heap, { threads, ...how }: How): Promise<void> {
  const stress = new Stress(heap, { seed: SEED, number: 0, largest: how.largest });
  try {
    for (let number = 1; number <= threads; number++)
      await stress.add({ ...how, number, seed: SEED + number * 7919 });
    for (let round = 0; round < how.rounds; round++) {
      await stress.quiet();
      heap.check();
      stress.begin();
      stress.mine.play(how.calls);
    }
    await stress.finish();
  } finally {
    await stress.end();
  }
}

describe.skipIf(!canStartThreads)("this thread and Workers on one heap", () => {
  const cases: readonly (readonly [what: string, make: () => Heap, how: How])[] = [
    [
      "two Workers, in a memory that grows",
      () => Heap.create({ shared: true, maximum: 2 ** 28 }),
      { threads: 2, rounds: 6, calls: 20_000, entry: "index", largest: 300_000 },
    ],
    [
      "eight, in a memory that grows",
      () => Heap.create({ shared: true, maximum: 2 ** 28 }),
      { threads: 8, rounds: 4, calls: 6000, entry: "index", largest: 300_000 },
    ],
    [
      "four by the kernel in JavaScript, in a SharedArrayBuffer that is often full",
      () => Heap.create({ memory: new SharedArrayBuffer(2 ** 20) }),
      { threads: 4, rounds: 4, calls: 5000, entry: "js", largest: 30_000 },
    ],
    [
      "three by the kernel in JavaScript, in a memory that grows",
      () => Heap.create({ shared: true, maximum: 2 ** 28 }),
      { threads: 3, rounds: 4, calls: 5000, entry: "js", largest: 300_000 },
    ],
  ];

  it.each(cases)("%s lose no block and give none twice", async (_what, make, how) => {
    const heap = make();
    const { memorySize } = heap;
    await play(heap, how);
    expectEmpty(heap);
    if (how.largest === 300_000) expect(heap.memorySize).toBeGreaterThan(memorySize);
  });
});
