// Audit: what the bytes of a heap that threads share say of its blocks and its memory, found without the kernel's help, and compared
// with the ledger. For moments at which no call is under way.

import { asPtr, type Base } from "../../packages/morecore/src/kernel/address.ts";
import {
  AT_CLASSES,
  AT_FOOTPRINT,
  AT_FOOTPRINT_LIMIT,
  AT_FREE_UNITS,
  AT_LIMIT,
  AT_MAP,
  AT_MAPPED,
  AT_SEGMENT,
  AT_SLAB_COUNT,
  AT_TOP,
  CLASS_BYTES_LOG2,
  CLASS_COUNT,
  CLASS_HEAD,
  CLASS_SLAB,
  FLAGS,
  FREE_UNIT,
  HEADER_BYTES,
  IN_USE,
  MAIL_CHUNKS,
  MAIL_SLABS,
  OF_CHUNKS,
  OWN,
  SEGMENT_CHUNKS,
  SEGMENT_END,
  SEGMENT_NEXT,
  SHAPE_BLOCKS_SHIFT,
  SHAPE_CLASS,
  SHAPE_CLASS_SHIFT,
  SLAB_BITS,
  SLAB_FIRST,
  SLAB_FULL,
  SLAB_NEXT,
  SLAB_OWNER,
  SLAB_REMOTE,
  SLAB_SHAPE,
  SLAB_TOLD,
  SLAB_UNIT,
  SLAB_UNIT_LOG2,
  UNIT_FLAGS,
} from "../../packages/morecore/src/kernel/layout.ts";
import type { World } from "./world.ts";

function hex(address: number): string {
  return address.toString(16);
}

/**
 * Lets all owners take back what others have freed, compares, frees all blocks, lets all threads leave, and compares again: then
 * nothing may be left of any slab or block.
 */
export function auditToTheEnd(world: World): void {
  takeAllBack(world);
  audit(world);
  for (const ptr of [...world.live.keys()]) freeNow(world, ptr);
  for (const heap of world.allHeaps()) world.now(world.kernel.leaveHeap(world.machine(0), heap));
  audit(world);
  for (const heap of world.allHeaps()) {
    const slabs = world.load(heap + AT_SLAB_COUNT);
    if (slabs !== 0) throw new Error(`heap ${hex(heap)} has ${slabs} slabs when all is free`);
    for (const chunk of chunksOf(world, heap)) {
      // The first one keeps the room for the heap's other header.
      const keeps = chunk === heap + HEADER_BYTES + SEGMENT_CHUNKS;
      if ((world.load(chunk) & IN_USE) !== 0 && !keeps)
        throw new Error(`chunk ${hex(chunk)} is in use when all is free`);
    }
  }
}

/** Every second block is freed by the thread of another heap, where there are two. */
function freeNow(world: World, ptr: number): void {
  const heaps = world.allHeaps();
  const heap = heaps[(ptr >>> 4) % heaps.length] as Base;
  world.take(ptr);
  world.now(world.kernel.free(world.machine(0), heap, asPtr(ptr)));
}

export function takeAllBack(world: World): void {
  for (const heap of world.allHeaps()) {
    world.now(world.kernel.readMail(world.machine(0), heap));
    world.now(world.kernel.collectListed(world.machine(0), heap));
  }
}

/** Compares, when all owners have taken back what others have freed. */
export function audit(world: World): void {
  world.now(world.kernel.checkCommon(world.machine(0), world.common));
  const found = new Set<number>();
  const slabs = slabsOf(world);
  for (const slab of slabs) for (const ptr of liveIn(world, slab)) found.add(ptr);
  let footprint = 0;
  for (const heap of world.allHeaps()) {
    if ((world.load(heap - MAIL_SLABS) | world.load(heap - MAIL_CHUNKS)) !== 0)
      throw new Error(`heap ${hex(heap)} has mail that was not read`);
    for (const chunk of chunksOf(world, heap)) {
      if ((world.load(chunk) & (IN_USE | OWN)) === IN_USE) found.add(chunk + 4);
    }
    checkClasses(world, heap, slabs);
    footprint += world.load(heap + AT_FOOTPRINT);
  }
  for (const ptr of found) if (!world.live.has(ptr)) throw new Error(`${hex(ptr)} was freed and lives still`);
  for (const ptr of world.live.keys()) if (!found.has(ptr)) throw new Error(`${hex(ptr)} lives and is free`);
  checkMemory(world, footprint);
}

/** Where each chunk of a heap begins, top apart. */
function* chunksOf(world: World, heap: Base): Generator<number> {
  const last = world.load(heap + AT_SEGMENT);
  for (let segment = heap + HEADER_BYTES; ; segment = world.load(segment + SEGMENT_NEXT)) {
    const end = segment === last ? world.load(heap + AT_TOP) : world.load(segment + SEGMENT_END) - 4;
    let chunk = segment + SEGMENT_CHUNKS;
    while (chunk < end) {
      yield chunk;
      const size = world.load(chunk) & ~FLAGS;
      if (size === 0) throw new Error(`chunk ${hex(chunk)} has no size`);
      chunk += size;
    }
    if (chunk !== end)
      throw new Error(`chunks of heap ${hex(heap)} end at ${hex(chunk)}, not at ${hex(end)}`);
    if (segment === last) return;
  }
}

/** The units that were ever a thread's, and what the map has for each. */
function* unitsOf(world: World): Generator<readonly [unit: number, word: number]> {
  const map = world.load(world.common + AT_MAP);
  const end = world.load(world.common + AT_LIMIT);
  const mapped = world.common + world.load(world.common + AT_MAPPED);
  for (let unit = 0; unit < end && unit < mapped; unit += SLAB_UNIT) {
    if (unit < world.common) continue;
    yield [unit, world.load(map + ((unit >>> SLAB_UNIT_LOG2) << 2))];
  }
}

function slabsOf(world: World): Set<number> {
  const slabs = new Set<number>();
  for (const [, word] of unitsOf(world)) {
    if ((word & (FREE_UNIT | OF_CHUNKS)) === 0 && word !== 0) slabs.add((word & ~UNIT_FLAGS) >>> 0);
  }
  return slabs;
}

function liveIn(world: World, slab: number): number[] {
  const shape = world.load(slab + SLAB_SHAPE);
  const bytes = ((shape >>> SHAPE_CLASS_SHIFT) & SHAPE_CLASS) * 16;
  const live: number[] = [];
  for (let block = 0; block < shape >>> SHAPE_BLOCKS_SHIFT; block++) {
    const at = slab + (block >>> 5) * 4;
    if (world.load(at + SLAB_REMOTE) !== 0) throw new Error(`slab ${hex(slab)}: a free was not taken back`);
    if (((world.load(at + SLAB_BITS) >>> (block & 31)) & 1) === 0)
      live.push(world.load(slab + SLAB_FIRST) + block * bytes);
  }
  return live;
}

/** R2, R3, S2: where each slab of a heap stands, and what the map says of it. */
function checkClasses(world: World, heap: Base, slabs: ReadonlySet<number>): void {
  const reached = new Set<number>();
  for (let sizeClass = 1; sizeClass <= CLASS_COUNT; sizeClass++) {
    const state = heap + AT_CLASSES + (sizeClass << CLASS_BYTES_LOG2);
    const current = world.load(state + CLASS_SLAB);
    if (current !== 0) reached.add(current);
    for (let slab = world.load(state + CLASS_HEAD); slab !== 0; slab = world.load(slab + SLAB_NEXT)) {
      if (reached.has(slab)) throw new Error(`slab ${hex(slab)} is listed twice`);
      reached.add(slab);
    }
  }
  let count = 0;
  for (const slab of slabs) {
    if (world.load(slab + SLAB_OWNER) !== heap) continue;
    count += 1;
    const first = world.load(slab + SLAB_FIRST);
    const word = world.load(world.load(world.common + AT_MAP) + ((first >>> SLAB_UNIT_LOG2) << 2));
    if ((word & SLAB_TOLD) !== 0) throw new Error(`slab ${hex(slab)} is told, and in no mail`);
    if (((word & SLAB_FULL) !== 0) === reached.has(slab))
      throw new Error(
        `slab ${hex(slab)} is ${reached.has(slab) ? "reached, and" : "not reached, and not"} full`,
      );
  }
  const known = world.load(heap + AT_SLAB_COUNT);
  if (count !== known) throw new Error(`heap ${hex(heap)} has ${count} slabs and counts ${known}`);
}

function checkMemory(world: World, footprint: number): void {
  const { common } = world;
  let free = 0;
  let first = 0;
  for (const [unit, word] of unitsOf(world)) {
    if (word === FREE_UNIT) free += 1;
    if (word !== 0 && first === 0) first = unit;
    if (word === 0 && first !== 0) throw new Error(`unit ${hex(unit)} is nobody's, and not free`);
  }
  const counted = world.load(common + AT_FREE_UNITS);
  if (free !== counted) throw new Error(`${free} units are free, and ${counted} are counted`);
  const all = world.load(common + AT_FOOTPRINT);
  // The words of a map that grows come on top.
  if (footprint > world.load(common + AT_FOOTPRINT_LIMIT))
    throw new Error(`a footprint of ${all}: beyond the limit`);
  // The map counts as far as memory reaches.
  const own =
    world.load(common + AT_MAP) +
    ((common >>> SLAB_UNIT_LOG2) << 2) -
    common +
    ((((world.load(common + AT_LIMIT) - common) >>> (SLAB_UNIT_LOG2 - 2)) + 15) & ~15);
  if (all !== footprint + own) throw new Error(`a footprint of ${all}, where heaps have ${footprint}`);
}
