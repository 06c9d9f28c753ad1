// Slot repair: what a change of a slot map leaves behind that was cut short: by the end of the process, or by an error in the middle.
//
// Owns:  how such a change is finished or undone.
// Needs: slot-words, image.
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

import * as image from "./image.ts";
import type { SlotWords } from "./slot-words.ts";

/** Makes a slot map sound, whose header has been checked. Throws a SlotMapFormatError if no change can have left it so. */
export function repair(slots: SlotWords): void {
  const phase = slots.at(image.AT_MAGIC);
  if (phase === image.GROWN) {
    const array = slots.at(image.AT_ABOUT);
    slots.put(array + 1, slots.at(image.AT_ABOUT + 2));
    slots.put(array, slots.at(image.AT_ABOUT + 1));
  }
  slots.reach();
  const broken = image.beyondRepair(slots.space, (index) => slots.at(index));
  if (broken !== undefined) throw new image.SlotMapFormatError(slots.ptr, broken);
  settleValues(slots);
  settleFreeSlots(slots);
  for (let size = slots.at(image.AT_SIZE); phase === image.CLEARED && size > 0; size--)
    slots.release(slots.owner(size - 1), size - 1);
}

/** Each live slot has a value among the first ones: the gap that one has left is filled with the last. */
function settleValues(slots: SlotWords): void {
  const live = slotsFrom(slots, image.LIVE, image.RETIRED);
  const taken = new Set(live.map((slot) => slots.valueOf(slot)));
  let gap = 0;
  while (taken.has(gap)) gap++;
  for (const slot of live) {
    const value = slots.valueOf(slot);
    if (value >= live.length) {
      slots.copyValue(slots.at(image.AT_VALUES) + value * slots.stride, gap);
      slots.setValueOf(slot, gap);
    }
    slots.setOwner(slots.valueOf(slot), slot);
  }
  slots.put(image.AT_SIZE, live.length);
  slots.put(image.AT_RETIRED, slotsFrom(slots, image.RETIRED, image.RETIRED + image.LIVE).length);
}

/** A slot that is free and in no list was being taken or freed: it is the first to be taken. */
function settleFreeSlots(slots: SlotWords): void {
  const free = slotsFrom(slots, 0, image.LIVE);
  const known = new Set(free);
  for (let next = slots.at(image.AT_FREE); known.delete(next - 1); ) next = slots.valueOf(next - 1);
  for (const slot of known) slots.putFree(slot);
}

/** The slots whose first words are from one number on, below another. */
function slotsFrom(slots: SlotWords, least: number, beyond: number): number[] {
  const found: number[] = [];
  for (let slot = 0; slot < slots.at(image.AT_SLOT_COUNT); slot++) {
    const first = slots.firstOf(slot);
    if (first >= least && first < beyond) found.push(slot);
  }
  return found;
}
