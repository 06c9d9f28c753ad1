// Memory orders: memory that threads take from what is common, and give back.

import {
  AT_FOOTPRINT,
  AT_FOOTPRINT_LIMIT,
  AT_MAP,
  AT_MAX_FOOTPRINT,
  OF_CHUNKS,
  SLAB_UNIT,
  SLAB_UNIT_LOG2,
} from "../../packages/morecore/src/kernel/layout.ts";
import { type AnyScenario, scenario } from "./explore.ts";
import { mallocs, type Part, tries } from "./parts.ts";
import { blocks, freeAll, SIZE } from "./prepare.ts";
import type { World } from "./world.ts";

/** The map must say of units that they are the thread's that has taken them. */
function checkTaken(world: World, thread: number, from: number, to: number): void {
  const map = world.load(world.common + AT_MAP);
  for (let unit = from; unit < to; unit += SLAB_UNIT) {
    const word = world.load(map + ((unit >>> SLAB_UNIT_LOG2) << 2));
    if (word !== (world.heap(thread) | OF_CHUNKS))
      throw new Error(`unit ${unit.toString(16)} was taken by two`);
  }
}

/** Takes units for a heap, and goes back to what it had when all have come to their end. */
function takes(thread: number, units: number): Part {
  return function* (world) {
    const { kernel } = world;
    const m = world.machine(thread);
    const heap = world.heap(thread);
    const from = yield* world.call(thread, kernel.takeUnits(m, world.common, heap, units * SLAB_UNIT, heap));
    world.now(kernel.giveUnits(m, world.common, from, from + units * SLAB_UNIT));
  };
}

/** Takes units for a heap, and gives them back, as a thread does that has no use for them. */
function takesAndGives(thread: number, units: number): Part {
  return function* (world) {
    const m = world.machine(thread);
    const bytes = units * SLAB_UNIT;
    const from = yield* world.call(
      thread,
      world.kernel.takeUnits(m, world.common, world.heap(thread), bytes, 0),
    );
    checkTaken(world, thread, from, from === 0 ? 0 : from + bytes);
    if (from !== 0) yield* world.call(thread, world.kernel.giveUnits(m, world.common, from, from + bytes));
  };
}

function checkLimit(world: World): void {
  const limit = world.load(world.common + AT_FOOTPRINT_LIMIT);
  for (const word of [AT_FOOTPRINT, AT_MAX_FOOTPRINT]) {
    const footprint = world.load(world.common + word);
    if (footprint > limit) throw new Error(`a footprint of ${footprint} beyond a limit of ${limit}`);
  }
}

/** Each may grow, but not both. */
function littleLeft(world: World): number[] {
  world.allowMore(world.load(world.common + AT_FOOTPRINT), 5000);
  return [];
}

export const MEMORY_ORDERS: readonly AnyScenario[] = [
  scenario({
    name: "two threads take the same free units",
    shape: { threads: 2, size: 10 * SLAB_UNIT },
    prepare: () => [],
    threads: [takesAndGives(0, 2), takesAndGives(1, 3)],
  }),
  scenario({
    name: "three threads take the same free unit",
    shape: { threads: 3, size: 9 * SLAB_UNIT },
    prepare: () => [],
    threads: [takesAndGives(0, 1), takesAndGives(1, 1), takesAndGives(2, 1)],
  }),
  scenario({
    name: "one thread gives memory back while another takes some",
    shape: { threads: 2, size: 14 * SLAB_UNIT },
    prepare: (world) => {
      freeAll(world, 0, blocks(world, 0, 1, 3 * SLAB_UNIT));
      return [];
    },
    threads: [
      function* (world) {
        yield* world.call(0, world.kernel.trim(world.machine(0), world.heap(0), 0));
      },
      mallocs(1, 2 * SLAB_UNIT),
    ],
  }),
  scenario({
    name: "two threads take new units at once, in memory that grows",
    shape: { threads: 2, size: 65_536, most: 6 * 65_536, step: SLAB_UNIT },
    prepare: () => [],
    threads: [takes(0, 16), takesAndGives(1, 16)],
  }),
  scenario({
    name: "two threads grow at once, and the footprint limit lets one of them",
    shape: { threads: 2, size: 9 * SLAB_UNIT },
    prepare: littleLeft,
    threads: [tries(0, 3000), tries(1, 3000)],
    end: checkLimit,
  }),
  scenario({
    name: "a thread comes while another grows, and the footprint limit lets one of them",
    shape: { threads: 1, newcomers: 1, size: SIZE },
    prepare: (world) => {
      world.allowMore(world.load(world.common + AT_FOOTPRINT), 5800);
      return [];
    },
    threads: [
      tries(0, 3000),
      function* (world) {
        yield* world.join(1);
      },
    ],
    end: checkLimit,
  }),
  scenario({
    name: "the last memory is asked for by two threads",
    shape: { threads: 2, size: 8 * SLAB_UNIT },
    prepare: () => [],
    threads: [tries(0, SLAB_UNIT), tries(1, SLAB_UNIT)],
  }),
];
