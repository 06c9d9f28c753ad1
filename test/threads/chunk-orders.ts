// Chunk orders: one thread's chunks, which others free. Thread 0 is the owner.

import { SLAB_UNIT } from "../../packages/morecore/src/kernel/layout.ts";
import { type AnyScenario, scenario } from "./explore.ts";
import { frees, mallocs, readsMail, THREE, TWO } from "./parts.ts";
import { at, blocks, CHUNK, chunks } from "./prepare.ts";

export const CHUNK_ORDERS: readonly AnyScenario[] = [
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
    threads: [readsMail, frees(1, 0, 2), frees(2, 1)],
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
