// Misuse orders: a block that was freed is freed again while its owner takes it back.

import { type AnyScenario, scenario } from "./explore.ts";
import type { Steps } from "./machine.ts";
import { collects, readsMail, THREE } from "./parts.ts";
import { at, blocks, CHUNK, currentSlab, freeAll, fullSlab } from "./prepare.ts";
import type { World } from "./world.ts";

/** Thread 2 frees a block again that thread 1 has freed. */
function* freesAgain(world: World, ptrs: number[]): Steps<void> {
  const ptr = at(ptrs, 0);
  if (!(yield* world.isRefused(2, ptr))) throw new Error(`${ptr.toString(16)} was freed twice`);
}

export const MISUSE_ORDERS: readonly AnyScenario[] = [
  scenario({
    name: "a small block is freed again while its owner looks through its slabs",
    shape: THREE,
    prepare: (world) => {
      const ptrs = currentSlab(world, 0);
      freeAll(world, 1, ptrs.slice(0, 1));
      return ptrs;
    },
    threads: [collects, function* () {}, freesAgain],
  }),
  scenario({
    name: "a small block of a slab in the mail is freed again while its owner reads that",
    shape: THREE,
    prepare: (world) => {
      const ptrs = fullSlab(world, 0);
      freeAll(world, 1, ptrs.slice(0, 1));
      return ptrs;
    },
    threads: [readsMail, function* () {}, freesAgain],
  }),
  scenario({
    name: "a chunk in the mail is freed again while its owner reads that",
    shape: THREE,
    prepare: (world) => {
      const ptrs = blocks(world, 0, 2, CHUNK);
      freeAll(world, 1, ptrs.slice(0, 1));
      return ptrs;
    },
    threads: [readsMail, function* () {}, freesAgain],
  }),
];
