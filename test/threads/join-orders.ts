// Join orders: heaps that threads come to and leave.

import { SLAB_UNIT } from "../../packages/morecore/src/kernel/layout.ts";
import { type AnyScenario, scenario } from "./explore.ts";
import { frees, joins, leaves, TWO } from "./parts.ts";
import { BYTES, chunks, currentSlab, fullSlab, SIZE } from "./prepare.ts";

/** A thread's heap begins with a unit, most of which its first chunk may have. */
const NEW = { threads: 0, newcomers: 2, size: 7 * SLAB_UNIT, step: SLAB_UNIT };

export const JOIN_ORDERS: readonly AnyScenario[] = [
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
