// Hash check: the invariants of a hash table as functions, and figures about it.
//
// Owns:  the proofs that a table is sound.
// Needs: hash-table.

import { hashAt } from "./hash-keys.ts";
import type { HashTable } from "./hash-table.ts";

/** What a HashMap tells about its table. */
export interface HashReport {
  /** How many keys there are. */
  readonly size: number;
  /** Entries that there is room for. */
  readonly capacity: number;
  /** Entries that were deleted and whose room is not used again yet. */
  readonly holes: number;
  /** Bytes of the block that entries and slots lie in. */
  readonly bytes: number;
  /** Slots that are looked at to find a key: on average, and for the worst one. */
  readonly meanProbes: number;
  /** The most places that a lookup of a key that is there looks at. */
  readonly mostProbes: number;
}

export function reportOn(table: HashTable): HashReport {
  const { size, capacity, used, bytes } = table;
  const probes = probesOf(table);
  return {
    size,
    capacity,
    holes: used - size,
    bytes,
    meanProbes: size === 0 ? 0 : probes.reduce((sum, each) => sum + each, 0) / size,
    mostProbes: probes.reduce((most, each) => Math.max(most, each), 0),
  };
}

export function checkHashTable(table: HashTable): void {
  checkEntries(table);
  checkSlots(table);
}

/** T1  entries 0 to used - 1 are live or holes, size of them live; holes and the other entries are zero. */
function checkEntries(table: HashTable): void {
  const { used, size, capacity, space, layout } = table;
  let live = 0;
  for (let index = 0; capacity > 0 && index <= capacity; index++) {
    const at = table.entryAt(index);
    if (table.hashOf(index) === 0) {
      const bytes = space.u8.subarray(at, at + layout.stride);
      if (bytes.some((byte) => byte !== 0)) fail(table, "T1", `entry ${index} is not there, and not zero`);
      continue;
    }
    live += 1;
    if (index >= used) fail(table, "T1", `entry ${index} is live, beyond the ${used} that are used`);
    const key = hashAt(table.keys, table.key, space, at + layout.keyOffset, table.life);
    if ((key | 0x8000_0000) >>> 0 !== table.hashOf(index))
      fail(table, "T1", `entry ${index} has another hash than its key`);
  }
  if (live !== size) fail(table, "T1", `${live} entries are live, the size is ${size}`);
}

/** T2  each live entry's number stands in one slot, which is reached over no empty one; T3  half of the slots are empty. */
function checkSlots(table: HashTable): void {
  const { size, slotCount } = table;
  const probes = probesOf(table);
  const filled = probes.length;
  if (filled !== size) fail(table, "T2", `${filled} slots are filled for ${size} entries`);
  if (2 * filled > slotCount) fail(table, "T3", `${filled} of ${slotCount} slots are filled`);
}

/** For each slot that is filled, how many are looked at to find it. */
function probesOf(table: HashTable): number[] {
  const { slotCount, slotsAt, used } = table;
  const { u32 } = table.space;
  const probes: number[] = [];
  const seen = new Set<number>();
  for (let slot = 0; slot < slotCount; slot++) {
    const number = u32[(slotsAt >>> 2) + slot] as number;
    if (number === 0) continue;
    if (number > used || table.hashOf(number - 1) === 0 || seen.has(number))
      fail(table, "T2", `slot ${slot} has number ${number}, which is no entry's, or another slot's`);
    seen.add(number);
    const home = table.hashOf(number - 1) & (slotCount - 1);
    const distance = (slot - home) & (slotCount - 1);
    for (let step = 0; step < distance; step++)
      if (u32[(slotsAt >>> 2) + ((home + step) & (slotCount - 1))] === 0)
        fail(table, "T2", `slot ${slot} is not reached from slot ${home}`);
    probes.push(distance + 1);
  }
  return probes;
}

function fail(table: HashTable, invariant: string, sentence: string): never {
  throw new Error(`${table.name} at 0x${table.header.toString(16)}: ${invariant}: ${sentence}`);
}
