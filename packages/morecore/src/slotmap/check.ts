// Slot check: whether a slot map's bytes are sound.
//
// Owns:  the sentences for what is not.
// Needs: image, slot-words, key.
// Invariants: K1  a slot is live, free or retired; live ones and values in use belong together, one to one      O(slots)
//             K2  the free list goes through every free slot once, and ends                                       O(slots)
//             K3  every tag has the map's id and a version from 1 to the limit                                    O(slots)

import { checkWord } from "../memory/arguments.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import * as image from "./image.ts";
import { idOf, LAST_ID, LAST_VERSION, MOST_SLOTS, versionOf } from "./key.ts";
import { SlotWords } from "./slot-words.ts";

const TAG_MASK: number = image.LIVE - 1;

/** Throws a SlotMapFormatError unless a sound slot map for the type lies at an address. O(slots). */
export function checkImage(space: Space, ptr: number, type: Type): void {
  const slots = checkHeader(space, ptr, type);
  const [size, retiredCount] = [slots.at(image.AT_SIZE), slots.at(image.AT_RETIRED)];
  let live = 0;
  let retired = 0;
  checkSlots(slots, (index, first, value) => {
    if (first >= image.RETIRED) retired += 1;
    else if (first >= image.LIVE) {
      live += 1;
      if (value >= size || slots.owner(value) !== index)
        slots.refuse(`slot ${index} and its value ${value} do not belong together`);
    }
  });
  if (live !== size) slots.refuse(`${live} slots are live, of ${size} values`);
  if (retired !== retiredCount) slots.refuse(`${retired} slots are retired, of ${retiredCount}`);
  checkList(slots, slots.at(image.AT_SLOT_COUNT) - live - retired);
}

function checkList(slots: SlotWords, free: number): void {
  let left = free;
  for (let next = slots.at(image.AT_FREE); next !== 0; left--) {
    const slot = next - 1;
    if (left === 0 || slot >= slots.at(image.AT_SLOT_COUNT) || slots.firstOf(slot) >= image.LIVE)
      slots.refuse(`the free list leads to slot ${slot}, which is not free, or a second time`);
    next = slots.valueOf(slot);
  }
  if (left !== 0) slots.refuse(`${left} free slots are not in the free list`);
}

/** Throws unless the slots' tags are the map's; tells a function each slot's words. The header has been checked. */
export function checkSlots(
  slots: SlotWords,
  visit: (index: number, first: number, value: number) => void,
): void {
  const id = slots.at(image.AT_ID);
  const limit = slots.at(image.AT_VERSION_LIMIT);
  const count = slots.at(image.AT_SLOT_COUNT);
  for (let index = 0; index < count; index++) {
    const first = slots.firstOf(index);
    const tag = first & TAG_MASK;
    const version = versionOf(tag);
    if (first >= image.LIVE + image.RETIRED || idOf(tag) !== id || version < 1 || version > limit)
      slots.refuse(`slot ${index} has the tag 0x${first.toString(16)}`);
    visit(index, first, slots.valueOf(index));
  }
}

/** Throws a SlotMapFormatError unless the header of a slot map for the type lies at an address; gives its words. */
export function checkHeader(space: Space, ptr: number, type: Type): SlotWords {
  checkWord("ptr", ptr);
  const slots = new SlotWords(space, ptr, type);
  if (ptr === 0 || ptr % 4 !== 0) slots.refuse("expected an address that is a multiple of 4, and not 0");
  if (!space.reaches(ptr + image.HEADER_BYTES))
    slots.refuse(`the memory ends before it, at ${space.u8.length} bytes`);
  const magic = slots.at(image.AT_MAGIC);
  if (!image.isMagic(magic))
    slots.refuse(`expected the magic number 0x${image.MAGIC.toString(16)}, found 0x${magic.toString(16)}`);
  const format = slots.at(image.AT_FORMAT);
  if (format !== image.FORMAT)
    slots.refuse(`it has format version ${format}, this is for version ${image.FORMAT}`);
  const [bytes, align] = [slots.at(image.AT_BYTES), slots.at(image.AT_ALIGN)];
  if (bytes !== type.size || align !== type.align)
    slots.refuse(
      `its values have ${bytes} bytes, aligned to ${align}; a ${type.name} has ${type.size}, aligned to ${type.align}`,
    );
  const id = slots.at(image.AT_ID);
  if (id < 1 || id > LAST_ID) slots.refuse(`its id is ${id}`);
  const limit = slots.at(image.AT_VERSION_LIMIT);
  if (limit < 1 || limit > LAST_VERSION) slots.refuse(`its version limit is ${limit}`);
  checkArrays(slots);
  return slots;
}

/** Throws unless the arrays have room for what is in use of them, and lie in the memory, apart from the header and each other. */
function checkArrays(slots: SlotWords): void {
  const grown = slots.at(image.AT_MAGIC) === image.GROWN ? slots.at(image.AT_ABOUT) : undefined;
  if (grown !== undefined && slots.arrays.every(({ at }) => at !== grown))
    slots.refuse(`array ${grown} has grown, which is none`);
  const header = slots.ptr;
  const taken: [name: string, from: number, end: number][] = [
    ["header", header, header + image.HEADER_BYTES],
  ];
  for (const { name, at, used, each, align } of slots.arrays) {
    // A growth that was cut short: the address may be the old array's, the capacity the new one's.
    const from = grown === at ? image.AT_ABOUT + 1 : at;
    const [ptr, capacity] = [slots.at(from), slots.at(from + 1)];
    const end = ptr + capacity * each;
    if (capacity > MOST_SLOTS) slots.refuse(`it has room for ${capacity} ${name}`);
    if (slots.at(used) > capacity) slots.refuse(`${slots.at(used)} ${name} are in use, of ${capacity}`);
    const canLie = capacity === 0 ? ptr === 0 : ptr !== 0 && ptr % align === 0 && slots.space.reaches(end);
    if (!canLie) slots.refuse(`its ${capacity} ${name} at 0x${ptr.toString(16)} cannot lie there`);
    const other = taken.find(([, from, past]) => ptr < past && from < end);
    if (other !== undefined) slots.refuse(`its ${name} at 0x${ptr.toString(16)} and its ${other[0]} overlap`);
    taken.push([name, ptr, end]);
  }
}
