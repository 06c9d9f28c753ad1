// Slab orders: one thread's slabs, in which others free. Thread 0 is the owner, the others are 1 and 2.

import { type AnyScenario, scenario } from "./explore.ts";
import type { Steps } from "./machine.ts";
import { collects, frees, mallocs, type Part, readsMail, THREE, TWO } from "./parts.ts";
import { at, BYTES, blocks, CHUNK, currentSlab, freeAll, fullSlab, OTHER_BYTES } from "./prepare.ts";
import type { World } from "./world.ts";

const flushes: Part = (world) => world.call(0, world.kernel.flushSlabs(world.machine(0), world.heap(0)));

function* both(first: Steps<unknown>, second: Steps<void>): Steps<void> {
  yield* first;
  yield* second;
}

function* nothing(): Steps<void> {}

/** One part after the other, by one thread. */
function then(...parts: readonly Part[]): Part {
  return (world, ptrs) => parts.reduceRight((rest, part) => both(part(world, ptrs), rest), nothing());
}

/** A slab of which the owner has freed the first block: it is listed, and may end. */
function listedSlab(world: World): number[] {
  const ptrs = fullSlab(world, 0);
  freeAll(world, 0, ptrs.slice(0, 1));
  return ptrs;
}

/** A slab in the owner's mail: thread 1 has freed its first block. */
function toldSlab(world: World): number[] {
  const ptrs = fullSlab(world, 0);
  freeAll(world, 1, ptrs.slice(0, 1));
  return ptrs;
}

/** A told and listed slab, of which only the last block lives. */
function lastOfTold(world: World): number[] {
  const ptrs = toldSlab(world);
  freeAll(world, 0, ptrs.slice(1, -1));
  return ptrs.slice(-1);
}

/** A full slab, and one that malloc takes from, which has no free block either. */
function fullAndCurrent(world: World): number[] {
  const ptrs = currentSlab(world, 0);
  currentSlab(world, 0);
  return ptrs;
}

export const SLAB_ORDERS: readonly AnyScenario[] = [
  scenario({
    name: "the owner and another free blocks of a full slab",
    shape: TWO,
    prepare: (world) => fullSlab(world, 0),
    threads: [frees(0, 0), frees(1, 1)],
  }),
  scenario({
    name: "the owner and two others free blocks of a full slab",
    shape: THREE,
    prepare: (world) => fullSlab(world, 0),
    threads: [frees(0, 0), frees(1, 1), frees(2, 2)],
  }),
  scenario({
    name: "the owner goes away from a slab in which another frees",
    shape: TWO,
    prepare: (world) => currentSlab(world, 0),
    threads: [mallocs(0, BYTES), frees(1, 0)],
  }),
  scenario({
    name: "the owner goes away from a slab in which two others free",
    shape: THREE,
    prepare: (world) => currentSlab(world, 0),
    threads: [mallocs(0, BYTES), frees(1, 0), frees(2, 1)],
  }),
  scenario({
    name: "the owner goes away, and comes back by its mail, while another frees two blocks",
    shape: TWO,
    prepare: (world) => currentSlab(world, 0),
    threads: [then(mallocs(0, BYTES), readsMail), frees(1, 0, 1)],
  }),
  scenario({
    name: "the owner reads its mail while another frees in the slab that stands there",
    shape: TWO,
    prepare: toldSlab,
    threads: [readsMail, frees(1, 1)],
  }),
  scenario({
    name: "the owner reads its mail while others free in the slab that stands there, and in a full one",
    shape: THREE,
    prepare: (world) => {
      const full = fullSlab(world, 0, OTHER_BYTES);
      return [...toldSlab(world).slice(0, 2), ...full];
    },
    threads: [readsMail, frees(1, 1), frees(2, 2)],
  }),
  scenario({
    name: "two others put two slabs into one mail, which is read",
    shape: THREE,
    prepare: (world) => [...fullSlab(world, 0), ...fullSlab(world, 0, OTHER_BYTES)],
    threads: [readsMail, frees(1, 0), frees(2, 8)],
  }),
  scenario({
    name: "the owner frees in a told slab while another frees there, and then reads its mail",
    shape: TWO,
    prepare: toldSlab,
    threads: [then(frees(0, 1), readsMail), frees(1, 2)],
  }),
  scenario({
    name: "the last block of a listed slab is freed by another while the owner looks through its slabs",
    shape: TWO,
    prepare: (world) => {
      const ptrs = listedSlab(world);
      freeAll(world, 1, ptrs.slice(2));
      return ptrs;
    },
    threads: [then(collects, mallocs(0, OTHER_BYTES, BYTES)), frees(1, 1)],
  }),
  scenario({
    name: "the last block of a told slab is freed by another while the owner reads its mail and begins a new slab",
    shape: TWO,
    prepare: (world) => {
      const ptrs = fullSlab(world, 0);
      freeAll(world, 1, ptrs.slice(1));
      return ptrs;
    },
    threads: [then(readsMail, mallocs(0, OTHER_BYTES)), frees(1, 0)],
  }),
  scenario({
    name: "the last two blocks of a full slab are freed by two others, and the owner begins new slabs",
    shape: THREE,
    prepare: (world) => {
      const ptrs = listedSlab(world);
      freeAll(world, 0, ptrs.slice(3));
      return ptrs;
    },
    threads: [then(collects, mallocs(0, OTHER_BYTES)), frees(1, 1), frees(2, 2)],
  }),
  scenario({
    name: "two others free all of a slab of two live blocks while the owner takes it back and ends it",
    shape: THREE,
    prepare: (world) => {
      const ptrs = fullSlab(world, 0);
      freeAll(world, 1, ptrs.slice(2));
      return ptrs;
    },
    threads: [then(readsMail, collects, mallocs(0, OTHER_BYTES)), frees(1, 0), frees(2, 1)],
  }),
  scenario({
    name: "the owner frees the last block of a slab while another frees the one before",
    shape: TWO,
    prepare: (world) => {
      const ptrs = listedSlab(world);
      freeAll(world, 0, ptrs.slice(3));
      return ptrs;
    },
    threads: [then(frees(0, 1), collects), frees(1, 2)],
  }),
  scenario({
    name: "a slab that another is about to tell of is taken from, and full again",
    shape: TWO,
    prepare: fullAndCurrent,
    threads: [then(frees(0, 1), mallocs(0, BYTES, BYTES, BYTES), readsMail), frees(1, 0)],
  }),
  scenario({
    name: "the last block of a slab in the mail is freed by another while the owner looks through its slabs",
    shape: TWO,
    prepare: lastOfTold,
    threads: [then(collects, mallocs(0, OTHER_BYTES), readsMail), frees(1, 0)],
  }),
  scenario({
    name: "a small block is asked for as a chunk, with mail to read",
    shape: THREE,
    prepare: toldSlab,
    threads: [mallocs(0, CHUNK), frees(1, 1), frees(2, 2)],
  }),
  scenario({
    name: "the owner takes from no slab of a class any more while another frees in the current one",
    shape: TWO,
    prepare: (world) => currentSlab(world, 0),
    threads: [
      (world) => world.call(0, world.kernel.leaveClasses(world.machine(0), world.heap(0), 1)),
      frees(1, 0),
    ],
  }),
  scenario({
    name: "the owner gives its unused slabs back while another frees the last block of the current one",
    shape: TWO,
    prepare: (world) => {
      const ptrs = currentSlab(world, 0);
      freeAll(world, 0, ptrs.slice(1));
      return ptrs;
    },
    threads: [then(collects, flushes, mallocs(0, OTHER_BYTES)), frees(1, 0)],
  }),
  scenario({
    name: "another frees two blocks of a full slab, one of them in bulk, and the owner two of its own",
    shape: TWO,
    prepare: (world) => {
      const full = fullSlab(world, 0);
      return [...blocks(world, 1, 2), ...blocks(world, 0, 1), ...full];
    },
    threads: [
      (world, ptrs) => world.bulkFree(0, at(ptrs, 2), [at(ptrs, 5), at(ptrs, 6)]),
      (world, ptrs) => world.bulkFree(1, at(ptrs, 1), [at(ptrs, 3), at(ptrs, 0), at(ptrs, 4)]),
    ],
  }),
  scenario({
    name: "another's small block gets another size while the owner frees and allocates in its slab",
    shape: TWO,
    prepare: (world) => fullSlab(world, 0),
    threads: [
      then(frees(0, 1), mallocs(0, BYTES)),
      function* (world, ptrs) {
        yield* world.realloc(1, at(ptrs, 0), OTHER_BYTES / 3);
      },
    ],
  }),
  scenario({
    name: "calloc takes a block that another has just freed",
    shape: TWO,
    prepare: (world) => currentSlab(world, 0),
    threads: [
      function* (world) {
        yield* world.calloc(0, BYTES);
      },
      frees(1, 0),
    ],
  }),
  scenario({
    name: "a slab ends beside a chunk that another frees, and its descriptor becomes a block",
    shape: TWO,
    prepare: (world) => {
      const before = blocks(world, 0, 2, CHUNK);
      const slab = currentSlab(world, 0);
      const after = blocks(world, 0, 3, CHUNK);
      freeAll(world, 0, [...slab, ...before.slice(1)]);
      return after.slice(1);
    },
    threads: [
      function* (world) {
        yield* flushes(world, []);
        // What lies before the descriptor, and the descriptor.
        yield* world.calloc(0, CHUNK + 80);
      },
      frees(1, 0),
    ],
  }),
];
