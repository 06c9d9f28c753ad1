// Heap orders: chunks that others free, heaps that threads come to and leave, and memory that they take from what is common.

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
import type { Steps } from "./machine.ts";
import { at, BYTES, blocks, CHUNK, currentSlab, freeAll, fullSlab, SIZE } from "./prepare.ts";
import type { World } from "./world.ts";

const TWO = { threads: 2, size: SIZE };
const THREE = { threads: 3, size: SIZE };
/** A thread's heap begins with a unit, most of which its first chunk may have. */
const NEW = { threads: 0, newcomers: 2, size: 7 * SLAB_UNIT, step: SLAB_UNIT };

type Part = (world: World, ptrs: number[]) => Steps<unknown>;

function frees(thread: number, ...indices: readonly number[]): Part {
  return function* (world, ptrs) {
    for (const index of indices) yield* world.free(thread, at(ptrs, index));
  };
}

function mallocs(thread: number, ...sizes: readonly number[]): Part {
  return function* (world) {
    for (const bytes of sizes) yield* world.malloc(thread, bytes);
  };
}

/** A malloc that may find no memory. */
function tries(thread: number, bytes: number): Part {
  return function* (world) {
    yield* world.malloc(thread, bytes, false);
  };
}

function joins(thread: number, ...sizes: readonly number[]): Part {
  return function* (world) {
    const heap = yield* world.join(thread);
    if (heap === 0) throw new Error("no memory for a heap");
    for (const bytes of sizes) yield* world.malloc(thread, bytes);
  };
}

const leaves: Part = (world) => world.leave(0);

/** Chunks of thread 0's, and blocks that keep them apart. */
function chunks(world: World, count: number): number[] {
  const ptrs = blocks(world, 0, count * 2, CHUNK);
  return ptrs.filter((_, index) => index % 2 === 0);
}

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

const CHUNK_ORDERS: readonly AnyScenario[] = [
  scenario({
    name: "the owner takes a chunk while another frees one",
    shape: TWO,
    prepare: (world) => chunks(world, 2),
    threads: [mallocs(0, CHUNK), frees(1, 0)],
  }),
  scenario({
    name: "the owner takes a chunk while two others free one each",
    shape: THREE,
    prepare: (world) => chunks(world, 3),
    threads: [mallocs(0, CHUNK), frees(1, 0), frees(2, 1)],
  }),
  scenario({
    name: "the owner reads its mail while two others free neighbours",
    shape: THREE,
    prepare: (world) => blocks(world, 0, 4, CHUNK),
    threads: [
      (world) => world.call(0, world.kernel.readMail(world.machine(0), world.heap(0))),
      frees(1, 0, 2),
      frees(2, 1),
    ],
  }),
  scenario({
    name: "another frees a chunk while the owner frees both neighbours",
    shape: TWO,
    prepare: (world) => blocks(world, 0, 4, CHUNK),
    threads: [frees(0, 0, 2), frees(1, 1)],
  }),
  scenario({
    name: "another frees the last chunk while the owner cuts top, and lets it go",
    shape: TWO,
    prepare: (world) => blocks(world, 0, 2, CHUNK),
    threads: [
      function* (world) {
        const ptr = yield* world.malloc(0, CHUNK);
        yield* world.free(0, ptr);
      },
      frees(1, 1),
    ],
  }),
  scenario({
    name: "another frees a chunk while the owner goes on in a new segment",
    shape: TWO,
    prepare: (world) => blocks(world, 0, 2, CHUNK),
    threads: [mallocs(0, 3 * SLAB_UNIT), frees(1, 1)],
  }),
  scenario({
    name: "another's chunk gets another size while the owner allocates",
    shape: TWO,
    prepare: (world) => chunks(world, 2),
    threads: [
      mallocs(0, CHUNK),
      function* (world, ptrs) {
        yield* world.realloc(1, at(ptrs, 0), CHUNK / 7);
      },
    ],
  }),
  scenario({
    name: "a chunk grows in place while another frees the one behind it",
    shape: TWO,
    prepare: (world) => blocks(world, 0, 3, CHUNK),
    threads: [
      function* (world, ptrs) {
        yield* world.realloc(0, at(ptrs, 0), 2 * CHUNK);
      },
      frees(1, 1),
    ],
  }),
];

const JOIN_ORDERS: readonly AnyScenario[] = [
  scenario({
    name: "two threads come at once",
    shape: NEW,
    prepare: () => [],
    threads: [joins(0), joins(1)],
  }),
  scenario({
    name: "two threads come at once to one heap that was left",
    shape: { ...NEW, threads: 1 },
    prepare: (world) => {
      world.now(world.leave(0));
      return [];
    },
    threads: [joins(1, BYTES), joins(2, BYTES)],
  }),
  scenario({
    name: "two threads come at once, and memory grows",
    shape: { threads: 0, newcomers: 2, size: 65_536, most: 4 * 65_536, step: 4096 },
    prepare: () => [],
    threads: [joins(0), joins(1)],
  }),
  scenario({
    name: "a thread comes while another leaves",
    shape: { threads: 1, newcomers: 1, size: SIZE },
    prepare: (world) => fullSlab(world, 0),
    threads: [leaves, joins(1, BYTES)],
  }),
  scenario({
    name: "a thread leaves while another frees a chunk of its own, and a small block",
    shape: TWO,
    prepare: (world) => [...chunks(world, 2).slice(0, 1), ...fullSlab(world, 0)],
    threads: [leaves, frees(1, 0, 1)],
  }),
  scenario({
    name: "a thread leaves and another comes while a third frees a block",
    shape: { threads: 2, newcomers: 1, size: SIZE },
    prepare: (world) => currentSlab(world, 0),
    threads: [leaves, frees(1, 0), joins(2, BYTES)],
  }),
];

const MEMORY_ORDERS: readonly AnyScenario[] = [
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

export const HEAP_ORDERS: readonly AnyScenario[] = [...CHUNK_ORDERS, ...JOIN_ORDERS, ...MEMORY_ORDERS];
