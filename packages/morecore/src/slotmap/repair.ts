// Slot repair: what a change of a slot map leaves behind that was cut short: by the end of the process, or by an error in the middle.
//
// Owns:  how such a change is finished or undone.
// Needs: slot-words, image, check.
// Invariants: C1  after any prefix of a call's stores, the map is what it was before the call, or what it is after it, and sound
//
//     what was under way     decides              until then it is undone, from then on finished
//     insert                 the slot's tag       the slot is free as before
//     remove                 the slot's tag       the last value moves into the gap
//     growth of an array     the word GROWN       the header leads to the old array; to the new one
//     clear                  the word CLEARED     nothing was done; every slot becomes free, from the last value's to the first's
//
// `set` writes field by field, as an assignment to a reference does: no more is decided than that.
//
// Slots say which values are there. Owners, size, the count of retired slots and the front of the free list are made anew. Texts
// whose owner is gone are not freed: it cannot be known whether they have been. That loses memory; nothing is ever freed twice.

import { checkSlots } from "./check.ts";
import * as image from "./image.ts";
import type { SlotWords } from "./slot-words.ts";

/** Makes a slot map sound, whose header has been checked. Throws a SlotMapFormatError if no change can have left it so. */
export function repair(slots: SlotWords): void {
  const phase = slots.at(image.AT_MAGIC);
  if (phase === image.GROWN) slots.adopt();
  slots.reach();
  /** By their values. */
  const live = new Map<number, number>();
  const free = new Set<number>();
  let retired = 0;
  checkSlots(slots, (index, first, value) => {
    if (first >= image.RETIRED) retired++;
    else if (first < image.LIVE) free.add(index);
    else if (value < slots.at(image.AT_VALUE_CAPACITY) && !live.has(value)) live.set(value, index);
    else slots.refuse(`slot ${index} cannot have value ${value}`);
  });
  // A removal leaves one gap, and the last value behind it.
  for (const value of live.keys())
    if (value > live.size) slots.refuse(`value ${value} of ${live.size} lies beyond a gap`);
  settleValues(slots, live);
  slots.put(image.AT_RETIRED, retired);
  // A slot that is free and in no list was being taken or freed: it is the first to be taken.
  for (let next = slots.at(image.AT_FREE); free.delete(next - 1); ) next = slots.valueOf(next - 1);
  for (const slot of free) slots.putFree(slot);
  for (let size = live.size; phase === image.CLEARED && size > 0; size--)
    slots.release(slots.owner(size - 1));
}

/** Each live slot has a value among the first ones: the gap that a removal has left is filled with the last. */
function settleValues(slots: SlotWords, live: ReadonlyMap<number, number>): void {
  let gap = 0;
  while (live.has(gap)) gap++;
  for (const [value, slot] of live) {
    if (value === live.size) slots.move(slot, gap);
    else slots.setOwner(value, slot);
  }
  slots.put(image.AT_SIZE, live.size);
}
