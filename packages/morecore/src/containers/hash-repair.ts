// Hash repair: what a change leaves behind that was cut short: by the end of the process, or by an error in the middle.
//
// Owns:  how such a change is finished or undone.
// Needs: hash-block, hash-header, hash-slots.
// Invariants: T4  after any prefix of a call's stores, the map is what it was before the call, or what it is after it, and sound
//
//     what was under way          decides               until then it is undone, from then on finished
//     an addition                 the entry's hash      the entry is zero again
//     a removal                   the entry's hash      the entry becomes zero
//     another value               the word REPLACED     the spare entry is zero again; it is copied to its place
//     growth                      the word GROWN        the header leads to the old block; to the new one
//     growth in place             the capacity          the slots are where they were; behind as many more entries
//     clear                       the word CLEARED      nothing was done; all entries become zero
//     entries moved together      each one's hash       an entry that is there twice is moved: the one behind becomes zero
//
// What is found from the entries (size, how many are used, the slots) is made anew. Texts whose owner is gone are not freed: it
// cannot be known whether they have been. That loses memory; nothing is ever freed twice.

import type { HashBlock } from "./hash-block.ts";
import {
  AT_ABOUT,
  AT_ABOUT_MORE,
  AT_BLOCK,
  AT_ROOM,
  AT_SIZE,
  AT_USED,
  CHANGING,
  CLEARED,
  GROWN,
  REPLACED,
} from "./hash-header.ts";
import { fillSlots } from "./hash-slots.ts";

/** Makes a table sound. The header has been checked. Afterwards its first word may say so. */
export function repair(table: HashBlock): void {
  const phase = table.word(0);
  if (phase === GROWN) {
    table.setWord(AT_ROOM, table.word(AT_ABOUT_MORE));
    table.setWord(AT_BLOCK, table.word(AT_ABOUT));
  }
  table.readHeader();
  const { capacity, space, spareAt, value } = table;
  if (capacity === 0) return;
  if (phase === REPLACED) {
    const { valueOffset } = table.layout;
    const from = spareAt + valueOffset;
    const to = table.entryAt(table.word(AT_ABOUT)) + valueOffset;
    space.u8.copyWithin(to, from, from + value.size);
    // Who ends in the middle of this must not copy it again when it is zero.
    table.setWord(0, CHANGING);
  }
  if (phase === CLEARED) space.u8.fill(0, table.block, spareAt);
  const { used, size } = clearHoles(table);
  space.u8.fill(0, spareAt, table.block + table.bytes);
  table.setWord(AT_USED, used);
  table.setWord(AT_SIZE, size);
  fillSlots(table);
}

/** Zeroes all entries that are not there, and those that are there a second time. */
function clearHoles(table: HashBlock): { used: number; size: number } {
  let used = 0;
  let size = 0;
  let last = -1;
  for (let index = 0; index < table.capacity; index++) {
    const twice = last >= 0 && table.hashOf(index) !== 0 && isCopy(table, last, index);
    if (table.hashOf(index) === 0 || twice) {
      table.clearEntry(table.entryAt(index));
      continue;
    }
    last = index;
    used = index + 1;
    size += 1;
  }
  return { used, size };
}

/** Whether two entries have the same bytes: keys differ, so that one of them is the other, moved. */
function isCopy(table: HashBlock, one: number, other: number): boolean {
  const { u32 } = table.space;
  const [a, b] = [table.entryAt(one) >>> 2, table.entryAt(other) >>> 2];
  for (let word = 0; word < table.layout.stride >>> 2; word++)
    if (u32[a + word] !== u32[b + word]) return false;
  return true;
}
