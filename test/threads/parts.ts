// Parts: what a thread does in an order of calls. Thread 0 is the owner of what was prepared.

import type { Steps } from "./machine.ts";
import { at, SIZE } from "./prepare.ts";
import type { Shape, World } from "./world.ts";

export const TWO: Shape = { threads: 2, size: SIZE };
export const THREE: Shape = { threads: 3, size: SIZE };

/** What one thread does with the blocks that were prepared. */
export type Part = (world: World, ptrs: number[]) => Steps<unknown>;

/** Frees blocks that were prepared. */
export function frees(thread: number, ...indices: readonly number[]): Part {
  return function* (world, ptrs) {
    for (const index of indices) yield* world.free(thread, at(ptrs, index));
  };
}

export function mallocs(thread: number, ...sizes: readonly number[]): Part {
  return function* (world) {
    for (const bytes of sizes) yield* world.malloc(thread, bytes);
  };
}

/** A malloc that may find no memory. */
export function tries(thread: number, bytes: number): Part {
  return function* (world) {
    yield* world.malloc(thread, bytes, false);
  };
}

/** A thread comes, and allocates. */
export function joins(thread: number, ...sizes: readonly number[]): Part {
  return function* (world) {
    const heap = yield* world.join(thread);
    if (heap === 0) throw new Error("no memory for a heap");
    for (const bytes of sizes) yield* world.malloc(thread, bytes);
  };
}

/** The owner leaves its heap. */
export const leaves: Part = (world) => world.leave(0);

export const readsMail: Part = (world) =>
  world.call(0, world.kernel.readMail(world.machine(0), world.heap(0)));
export const collects: Part = (world) =>
  world.call(0, world.kernel.collectListed(world.machine(0), world.heap(0)));
