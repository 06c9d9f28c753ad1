// Hash slots: the index of a hash table's entries, probed one slot after the other.
//
// Owns:  which slot an entry's number stands in.
// Needs: hash-block, errors.
//
// None of this allocates, so typed arrays may be kept meanwhile.

import { PointerError } from "../typed/errors.ts";
import type { HashBlock } from "./hash-block.ts";

/** The empty slot that an entry with this hash is to be found from. */
export function emptySlot(table: HashBlock, hash: number): number {
  const { u32 } = table.space;
  const mask = table.slotCount - 1;
  const slots = table.slotsAt >>> 2;
  const home = hash & mask;
  let slot = home;
  while (u32[slots + slot] !== 0) {
    slot = (slot + 1) & mask;
    if (slot === home) refuseFull(table);
  }
  return slot;
}

/** For a search that has seen every slot: half of them are empty in a map that nobody else wrote to. */
export function refuseFull({ name, header, slotCount }: HashBlock): never {
  throw new PointerError("not-live", name, header, `none of its ${slotCount} slots is empty: overwritten`);
}

/** Empties a slot, and lets those behind it that would not be found any more move up. */
export function closeSlot(table: HashBlock, closed: number): void {
  const { u32 } = table.space;
  const mask = table.slotCount - 1;
  const slots = table.slotsAt >>> 2;
  let empty = closed;
  for (let slot = (empty + 1) & mask; ; slot = (slot + 1) & mask) {
    const number = u32[slots + slot] as number;
    if (number === 0) break;
    if (slot === closed) refuseFull(table);
    const home = table.hashOf(number - 1) & mask;
    if (((slot - home) & mask) < ((slot - empty) & mask)) continue;
    u32[slots + empty] = number;
    empty = slot;
  }
  u32[slots + empty] = 0;
}

/** Puts the numbers of all entries into slots that are empty. */
export function fillSlots(table: HashBlock): void {
  const { used, slotsAt } = table;
  const { u32 } = table.space;
  for (let index = 0; index < used; index++) {
    const hash = table.hashOf(index);
    if (hash !== 0) u32[(slotsAt >>> 2) + emptySlot(table, hash)] = index + 1;
  }
}

/** The numbers of the entries that are not there any more, from 0 on. */
export function holesOf(table: HashBlock): Uint32Array {
  const holes = new Uint32Array(table.used - table.size);
  let count = 0;
  for (let index = 0; count < holes.length; index++) if (table.hashOf(index) === 0) holes[count++] = index;
  return holes;
}
