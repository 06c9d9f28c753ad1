// Slot image: how a slot map lies in memory.
//
// Owns:  the header's layout, the slots' layout, the error for bytes that have neither.
// Needs: types.
//
//     header  +0  magic "SLOT"   +4  format version   +8  id           +12 bytes of a value   +16 its alignment
//             +20 version limit  +24 slots    +28 slot capacity        +32 slots ever used
//             +36 owners         +40 owner capacity    +44 values      +48 value capacity
//             +52 size (values in use)  +56 first free slot, plus 1    +60 retired slots
//             +64 moves          +68 born     +72 +76 +80 what a change is about
//     slot    +0  tag, and whether it is live or retired    +4  live: which value; free: the next free slot, plus 1
//     owners  for each value, its slot
//     values  side by side
//
// All of it in the allocator's memory, so that a heap that is saved and loaded has its maps in it as they were.
//
// The magic number says also whether a change is under way, and which: whoever finds another one than MAGIC finishes the change, or
// undoes it (repair.ts). A process may end between any two stores.

import type { Type } from "../typed/type.ts";

/** Nothing is under way. */
export const MAGIC = 0x544f_4c53;
/** What is found from slots and values may not agree with them: owners, size, free list. */
export const CHANGING: number = MAGIC + 1;
/** A larger array has all that the old one has: ABOUT says which array, then its address, then what it has room for. */
export const GROWN: number = MAGIC + 2;
/** No value is there any more. */
export const CLEARED: number = MAGIC + 3;

export const FORMAT = 2;
export const HEADER_BYTES = 84;
export const SLOT_BYTES = 8;
export const OWNER_BYTES = 4;

/** Words of the header. */
export const AT_MAGIC = 0;
export const AT_FORMAT = 1;
export const AT_ID = 2;
export const AT_BYTES = 3;
export const AT_ALIGN = 4;
export const AT_VERSION_LIMIT = 5;
export const AT_SLOTS = 6;
export const AT_SLOT_CAPACITY = 7;
export const AT_SLOT_COUNT = 8;
export const AT_OWNERS = 9;
export const AT_OWNER_CAPACITY = 10;
export const AT_VALUES = 11;
export const AT_VALUE_CAPACITY = 12;
export const AT_SIZE = 13;
export const AT_FREE = 14;
export const AT_RETIRED = 15;
export const AT_MOVES = 16;
/** Another number than that of the map that had the same place before. */
export const AT_BORN = 17;
export const AT_ABOUT = 18;

/** In a slot's first word, above its tag. */
export const LIVE: number = 2 ** 27;
export const RETIRED: number = 2 ** 28;

/**
 * The bytes at an address are no slot map for this type, or a broken one.
 *
 * @example
 *
 * ```ts
 * try {
 *   SlotMap.attach(Heap.create(), f64, 1024);
 * } catch (error) {
 *   console.log(error instanceof SlotMapFormatError && error.address); // 1024
 * }
 * ```
 */
export class SlotMapFormatError extends Error {
  override readonly name = "SlotMapFormatError";
  /** Where a slot map was expected. */
  declare readonly address: number;

  constructor(address: number, sentence: string) {
    super(`no slot map to attach to at 0x${address.toString(16)}: ${sentence}`);
    this.address = address;
  }
}

/** One of the arrays of a map. */
export interface SlotArray {
  /** As messages show it. */
  readonly name: string;
  /** The words of its address and, behind that, of what it has room for. */
  readonly at: number;
  /** The word that says how many are in use. */
  readonly used: number;
  /** Bytes from one to the next. */
  readonly each: number;
  readonly align: number;
}

/** The arrays of a map for a type: slots, owners, values. */
export function arraysOf(type: Type): readonly [SlotArray, SlotArray, SlotArray] {
  return [
    { name: "slots", at: AT_SLOTS, used: AT_SLOT_COUNT, each: SLOT_BYTES, align: 4 },
    { name: "owners", at: AT_OWNERS, used: AT_SIZE, each: OWNER_BYTES, align: 4 },
    { name: "values", at: AT_VALUES, used: AT_SIZE, each: Math.max(1, type.size), align: type.align },
  ];
}

/** Whether a header's first word says that a slot map is here. */
export function isMagic(word: number): boolean {
  return word >= MAGIC && word <= CLEARED;
}
