// Prepare: heaps with which the orders of calls begin.

import {
  AT_MAP,
  SHAPE_BLOCKS_SHIFT,
  SLAB_SHAPE,
  SLAB_UNIT_LOG2,
  UNIT_FLAGS,
} from "../../packages/morecore/src/kernel/layout.ts";
import type { World } from "./world.ts";

/** The least fixed memory in which blocks of these two sizes are in slabs. */
export const SIZE: number = 272 * 1024;
/** The first slab of a class has some sixteen of them. */
export const BYTES = 256;
/** Of another size class. */
export const OTHER_BYTES = 240;
/** No slab has blocks as large. */
export const CHUNK = 700;

export function at(ptrs: readonly number[], index: number): number {
  const ptr = ptrs[index];
  if (ptr === undefined) throw new Error(`there is no block ${index}`);
  return ptr;
}

export function blocks(world: World, thread: number, count: number, bytes: number = BYTES): number[] {
  return Array.from({ length: count }, () => world.now(world.malloc(thread, bytes)));
}

export function freeAll(world: World, thread: number, ptrs: readonly number[]): void {
  for (const ptr of ptrs) world.now(world.free(thread, ptr));
}

/** All blocks of a slab that malloc takes from still: the next malloc of the class will leave it. */
export function currentSlab(world: World, thread: number, bytes: number = BYTES): number[] {
  const first = blocks(world, thread, 1, bytes);
  const map = world.load(world.common + AT_MAP);
  const word = world.load(map + ((at(first, 0) >>> SLAB_UNIT_LOG2) << 2));
  const count = world.load(((word & ~UNIT_FLAGS) >>> 0) + SLAB_SHAPE) >>> SHAPE_BLOCKS_SHIFT;
  if (word === 0 || count < 2 || count > 32) throw new Error("the block lies in no slab of a few blocks");
  return [...first, ...blocks(world, thread, count - 1, bytes)];
}

/** All blocks of a slab that is full and left; the first block of the next slab lives, too. */
export function fullSlab(world: World, thread: number, bytes: number = BYTES): number[] {
  const ptrs = currentSlab(world, thread, bytes);
  blocks(world, thread, 1, bytes);
  return ptrs;
}

/** Chunks of thread 0's, and blocks that keep them apart. */
export function chunks(world: World, count: number): number[] {
  const ptrs = blocks(world, 0, count * 2, CHUNK);
  return ptrs.filter((_, index) => index % 2 === 0);
}
