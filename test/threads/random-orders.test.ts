// Random orders: long programs of some threads, which stop before any access at random. Blocks are stamped, and go from thread to
// thread. After each program all memory comes back, as after each order of orders.test.ts.

import { beforeAll, describe, expect, test } from "vitest";
import { AT_FOOTPRINT, SLAB_UNIT } from "../../packages/morecore/src/kernel/layout.ts";
import { randomFrom } from "../support/os.ts";
import { roundsOf, seedOf } from "../support/seed.ts";
import { auditToTheEnd } from "./audit.ts";
import type { Steps } from "./machine.ts";
import { SIZE } from "./prepare.ts";
import { type ScheduledKernel, scheduledKernel } from "./scheduled.ts";
import { type Shape, World } from "./world.ts";

const seed = seedOf("random orders");
const CALLS = 120;
const MOST_LIVE = 150;

type Random = (bound: number) => number;

let kernel: ScheduledKernel;

beforeAll(async () => {
  kernel = await scheduledKernel();
});

/** Mostly small blocks of few sizes, so that slabs fill. */
function anySize(random: Random): number {
  const kind = random(20);
  if (kind < 12) return [16, 176, 144, 240][random(4)] as number;
  return kind < 16 ? random(500) : random(3000);
}

function* anyCall(world: World, thread: number, random: Random): Steps<void> {
  const live = [...world.live.keys()];
  const ptr = live[random(live.length)];
  const kind = random(live.length < MOST_LIVE ? 40 : 20);
  if (ptr !== undefined && kind < 16) yield* world.free(thread, ptr);
  else if (ptr !== undefined && kind < 18) yield* world.realloc(thread, ptr, 1 + anySize(random), false);
  else if (kind === 18) yield* seldomCalled(world, thread, random);
  else if (kind % 8 === 0) yield* world.calloc(thread, anySize(random), false);
  else yield* world.malloc(thread, anySize(random), false);
}

function* seldomCalled(world: World, thread: number, random: Random): Steps<void> {
  const m = world.machine(thread);
  const heap = world.heap(thread);
  const kind = random(4);
  if (kind === 0) yield* world.call(thread, world.kernel.readMail(m, heap));
  if (kind === 1) yield* world.call(thread, world.kernel.collectListed(m, heap));
  if (kind === 2) yield* world.call(thread, world.kernel.trim(m, heap, 0));
  if (kind === 3) {
    yield* world.leave(thread);
    yield* world.join(thread);
  }
}

function* program(world: World, thread: number, random: Random): Steps<void> {
  // A heap that cannot begin again for want of memory ends the program.
  for (let call = 0; call < CALLS && world.heap(thread) !== 0; call++) yield* anyCall(world, thread, random);
}

/** Plays one program of each thread; how often another thread went on. */
function play(shape: Shape, number: number): number {
  const random = randomFrom(number);
  const world = new World(kernel, shape);
  // Nothing, now and then: the threads have come already.
  if (random(3) === 0) world.allowMore(world.load(world.common + AT_FOOTPRINT), random(60_000));
  world.memory.begin();
  let left = 1;
  for (const machine of world.machines) {
    machine.stops = () => {
      left -= 1;
      if (left > 0) return false;
      left = 1 + random(random(2) === 0 ? 4 : 80);
      return true;
    };
  }
  const running = world.machines.map((_, thread) => program(world, thread, random));
  let switches = 0;
  while (running.length > 0) {
    const thread = random(running.length);
    if ((running[thread] as Steps<void>).next().done === true) running.splice(thread, 1);
    switches += 1;
  }
  auditToTheEnd(world);
  return switches;
}

describe.each([
  { where: "in a fixed region", shape: { size: SIZE } },
  { where: "in a small region, without slabs", shape: { size: 20 * SLAB_UNIT } },
  {
    where: "in memory that grows",
    shape: { size: 65_536, most: 40 * 65_536, step: 4096, trimThreshold: 8192 },
  },
])("$where", ({ shape }) => {
  test.each([2, 3, 4])(
    "%i threads whose calls stop anywhere lose no block and give none twice",
    (threads) => {
      let switches = 0;
      for (let round = 0; round < roundsOf(12); round++) {
        const number = (seed + round) >>> 0;
        try {
          switches += play({ ...shape, threads }, number);
        } catch (error) {
          throw new Error(`MORECORE_SEED=${number}, round 0`, { cause: error });
        }
      }
      expect(switches).toBeGreaterThan(5000);
    },
  );
});
