// Terminated: a Worker is ended at any moment while others play. They go on, and lose nothing. Its place is taken back when it is still.
//
// Engines differ in what they end: in some the Worker goes on, and writes, for seconds or for good (docs/RUNTIMES.md). No test here
// knows which. It looks whether the Worker still makes steps.

import { describe, expect, it } from "vitest";
import { Heap } from "../../packages/morecore/src/index.ts";
import { seedOf } from "../support/seed.ts";
import { expectEmpty } from "../support/shadow.ts";
import { canStartThreads } from "../support/thread.ts";
import { stampAt } from "./player.mjs";
import { type Leashed, type Part, Stress } from "./stress.ts";

const SEED = seedOf("workers/terminated");
/** Milliseconds. Longer than a busy machine lets a thread stand still that has not been stopped. */
const LEASE = 1000;
const OTHERS = 2;
/** One after the other, a round for each. */
const VICTIMS = 4;
/** Players that are terminated have higher numbers. */
const FIRST_VICTIM = 8;
/** What a call that is not finished may have in its hands: of a realloc, the block as it was and as it will be. */
const IN_HAND = 2;

const PART = { entry: "index", rounds: VICTIMS, calls: Number.POSITIVE_INFINITY, largest: 100_000 } as const;

/** A turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

const partOf = (number: number): Part => ({ ...PART, number, seed: SEED + number * 7919 });

/**
 * Tries to take the place back until that is done, and plays on. As long as the Worker makes steps it must not be: that is looked at for two leases,
 * then it is stopped.
 */
async function takenBack(stress: Stress, victim: Leashed): Promise<void> {
  const ended = Date.now();
  const { steps } = victim;
  while (!stress.heap.release(victim.thread)) {
    if (victim.steps > steps && Date.now() - ended > 2 * LEASE) victim.stop();
    stress.mine.play(20);
    await turn();
  }
}

describe.skipIf(!canStartThreads)("a Worker that is terminated in the middle", () => {
  it("leaves a sound heap to the others, and its place when it is still", async () => {
    const heap = Heap.create({ shared: true, maximum: 2 ** 28, lease: LEASE });
    const stress = new Stress(heap, partOf(0));
    const stills: (() => void)[] = [];
    try {
      for (let number = 1; number <= OTHERS; number++) await stress.add(partOf(number));
      for (let round = 0; round < VICTIMS; round++) {
        await stress.quiet();
        heap.check();
        stress.begin();
        const victim = await stress.addLeashed(partOf(FIRST_VICTIM + round));
        const moment = victim.steps + ((SEED >>> round) % 1000);
        while (victim.steps < moment) {
          stress.mine.play(20);
          await turn();
        }
        await victim.terminate();
        await takenBack(stress, victim);
        const { steps } = victim;
        stills.push(() => expect(victim.steps, "steps after its place was taken back").toBe(steps));
        expect(heap.threads().some(({ thread }) => thread === victim.thread)).toBe(false);
        stress.mine.play(1000);
        stress.cut();
      }
      await stress.finish();
      for (const expectStill of stills) expectStill();
    } finally {
      await stress.end();
    }
    // Each place served the next Worker.
    expect(heap.threads()).toHaveLength(1 + OTHERS + 1);
    freeOfVictims(heap);
    await trimPlaces(heap);
    expectEmpty(heap);
  });
});

/** What is live is what the terminated had: whole blocks of theirs, and what their last call had in its hands. */
function freeOfVictims(heap: Heap): void {
  const live: number[] = [];
  heap.inspectAll(({ state, ptr }) => {
    if (state === "live") live.push(ptr);
  });
  const isTheirs = (ptr: number): boolean => (stampAt(heap, ptr) ?? 0) >= FIRST_VICTIM;
  expect(live.filter((ptr) => !isTheirs(ptr)).length).toBeLessThanOrEqual(VICTIMS * IN_HAND);
  for (const ptr of live) heap.free(ptr);
}

/** Lets a Worker come to each place that was left: it takes in what others have freed of its blocks, and trims. */
async function trimPlaces(heap: Heap): Promise<void> {
  const left = heap.threads().filter(({ thread }) => thread === 0);
  const stress = new Stress(heap, partOf(0));
  try {
    for (const [index] of left.entries()) await stress.add({ ...partOf(index + 1), rounds: 0 });
    await stress.finish();
  } finally {
    await stress.end();
  }
}
