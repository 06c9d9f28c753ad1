// Handles: the numbers by which callers of an OffsetAllocator name what they have been given.
//
// Owns:  how tag, version and slot share a number.
// Needs: nothing.
//
//  bit 52       45 44        24 23         0
//      |   tag    |  version   |   slot    |      tag | version is a slot's stamp, 29 bits
//
// The slot says where in the state the allocation stands. The version counts what the slot has served: odd while it
// serves an allocation, even while it does not, so that a handle holds for one allocation only. The tag tells allocators
// apart. A number, not an object: nothing for the garbage collector, and it can be kept in a Float64Array or in JSON.

declare const kind: unique symbol;

/** What `allocate` gave: a plain number at run time, for `offsetOf`, `sizeOf` and `free`. Never 0. */
export type Allocation = number & { readonly [kind]: "allocation" };

const SLOT_VALUES = 2 ** 24;
const SLOT_MASK = SLOT_VALUES - 1;
const VERSION_BITS = 21;
const VERSION_MASK = 2 ** VERSION_BITS - 1;

/** Slots that a handle can name. Slot 0 is nobody's. */
export const MAX_SLOTS = SLOT_VALUES;
export const MAX_TAG = 255;
/** The version of a slot that has served for as often as its bits can tell: it serves no more. Even. */
export const SPENT = VERSION_MASK - 1;

export function handleOf(stamp: number, slot: number): Allocation {
  return (stamp * SLOT_VALUES + slot) as Allocation;
}

/** The slot that a number names; of any number some slot. */
export function slotIn(handle: number): number {
  return handle & SLOT_MASK;
}

/** The stamp of a handle; of a number that is none, one that no slot has: it may be broken, negative or too large. */
export function stampIn(handle: number): number {
  return (handle - slotIn(handle)) / SLOT_VALUES;
}

/** The stamp of a slot that has served nobody yet. */
export function firstStamp(tag: number): number {
  return tag << VERSION_BITS;
}

export function tagIn(stamp: number): number {
  return stamp >>> VERSION_BITS;
}

export function versionIn(stamp: number): number {
  return stamp & VERSION_MASK;
}

export function isLiveStamp(stamp: number): boolean {
  return (stamp & 1) === 1;
}

export function isSpentStamp(stamp: number): boolean {
  return versionIn(stamp) === SPENT;
}
