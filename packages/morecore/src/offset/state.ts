// State: everything that an OffsetAllocator knows of the range it manages, none of it inside that range.
//
// Owns:       the columns (one entry a slot), the spare slots, the neighbours' ring.
// Needs:      handle, for stamps.
// Invariants: R1  in the ring's order, regions tile the range: the first begins at 0, each where the one before ends,
//                 none is empty, the last ends where the range does                                     O(regions)
//             R2  neighbours name each other                                                            O(regions)
//             R3  no two neighbours are both free: they would have been merged                          O(regions)
//             S1  each slot in use is the ring's, or spare, or spent, and only one of these             O(slots)
//             S2  every stamp has the allocator's tag and a version that can be                         O(slots)
//             (check.ts)
//
//  slot 0   the range itself: offset = its end, after = the first region, before = the last. It counts as in use, so that
//           a merge needs not ask whether there is a neighbour
//  slot n   a region, free ("hole") or in use: offset, size, before and after by address; a hole is in a bin's list too

import { firstStamp, isLiveStamp, isSpentStamp, MAX_SLOTS } from "./handle.ts";

/** No slot; where a slot is asked for, the range's own. */
export const RANGE = 0;
/** Slots that one allocation can need: the space before the aligned offset, the space behind, one for a spent slot. */
export const NEW_SLOTS = 3;

/** Doublings of sizes up to 2^53, and bins for each. */
export const BIN_DOUBLINGS = 53;
export const BINS_PER_DOUBLING = 16;
export const BIN_COUNT = BIN_DOUBLINGS * BINS_PER_DOUBLING;
export const BIN_WORDS = Math.ceil(BIN_COUNT / 32);

/** Columns, by slot. Numbers up to 2^53 in Float64Arrays; slots and stamps in Int32Arrays, which V8 reads as integers. */
export class OffsetState {
  readonly tag: number;
  offsets: Float64Array;
  sizes: Float64Array;
  /** The regions below and above in the range. */
  before: Int32Array;
  after: Int32Array;
  /** Of a hole, the ones in its bin; `next` also links spare slots. 0 in all others. */
  previous: Int32Array;
  next: Int32Array;
  stamps: Int32Array;

  readonly heads: Int32Array = new Int32Array(BIN_COUNT);
  readonly binMap: Int32Array = new Int32Array(BIN_WORDS);
  binSummary = 0;

  /** Slots from this one on have never been used. */
  slotCount = 1;
  /** The spare slot to be used next. */
  spare = RANGE;
  /** Slots that are neither spare nor unused, the range's own among them. */
  takenSlots = 1;

  freeBytes = 0;
  holeCount = 0;
  allocationCount = 0;

  constructor(tag: number, slots: number) {
    this.tag = tag;
    this.offsets = new Float64Array(slots);
    this.sizes = new Float64Array(slots);
    this.before = new Int32Array(slots);
    this.after = new Int32Array(slots);
    this.previous = new Int32Array(slots);
    this.next = new Int32Array(slots);
    this.stamps = new Int32Array(slots).fill(firstStamp(tag));
    // In use for ever: RANGE is never merged with, and slotOf refuses it by its number.
    this.stamps[RANGE] = firstStamp(tag) + 1;
  }
}

/** An entry of a column of slots or stamps; the slot must be one. Two functions, so that each sees one kind of array. */
export function slotAt(column: Int32Array, slot: number): number {
  return column[slot] as number;
}

/** An entry of a column of offsets or sizes. */
export function bytesAt(column: Float64Array, slot: number): number {
  return column[slot] as number;
}

export function isHole(state: OffsetState, slot: number): boolean {
  return !isLiveStamp(slotAt(state.stamps, slot));
}

/** Sees to it that NEW_SLOTS slots can be taken. Copies all columns when there are not, so O(slots) then. */
export function reserveSlots(state: OffsetState): void {
  const capacity = state.stamps.length;
  if (capacity - state.takenSlots >= NEW_SLOTS) return;
  if (capacity === MAX_SLOTS) {
    throw new RangeError(
      `an OffsetAllocator has at most ${MAX_SLOTS - 1 - NEW_SLOTS} regions, free ones included`,
    );
  }
  growColumns(state, Math.min(2 * capacity, MAX_SLOTS));
}

function growColumns(state: OffsetState, slots: number): void {
  // All arrays first: if one cannot be had, nothing has been changed.
  const grown = new OffsetState(state.tag, slots);
  grown.offsets.set(state.offsets);
  grown.sizes.set(state.sizes);
  grown.before.set(state.before);
  grown.after.set(state.after);
  grown.previous.set(state.previous);
  grown.next.set(state.next);
  grown.stamps.set(state.stamps);
  state.offsets = grown.offsets;
  state.sizes = grown.sizes;
  state.before = grown.before;
  state.after = grown.after;
  state.previous = grown.previous;
  state.next = grown.next;
  state.stamps = grown.stamps;
}

/** A slot for a new region, not in use. There must be one: reserveSlots. */
export function takeSlot(state: OffsetState): number {
  state.takenSlots += 1;
  const slot = state.spare;
  if (slot === RANGE) return state.slotCount++;
  state.spare = slotAt(state.next, slot);
  state.next[slot] = 0;
  return slot;
}

/** Gives back the slot of a region that is out of the ring. A spent one is used no more: it stays taken. */
export function putSlot(state: OffsetState, slot: number): void {
  state.offsets[slot] = 0;
  state.sizes[slot] = 0;
  if (isSpentStamp(slotAt(state.stamps, slot))) return;
  state.next[slot] = state.spare;
  state.spare = slot;
  state.takenSlots -= 1;
}

/** Puts a new region of some bytes into the ring, right behind another. */
export function insertRegion(
  state: OffsetState,
  slot: number,
  behind: number,
  offset: number,
  bytes: number,
): void {
  const after = slotAt(state.after, behind);
  state.offsets[slot] = offset;
  state.sizes[slot] = bytes;
  state.before[slot] = behind;
  state.after[slot] = after;
  state.after[behind] = slot;
  state.before[after] = slot;
}

/** Takes a region out of the ring, and gives back its slot. Its bytes are the caller's to give to a neighbour. */
export function removeRegion(state: OffsetState, slot: number): void {
  const before = slotAt(state.before, slot);
  const after = slotAt(state.after, slot);
  state.after[before] = after;
  state.before[after] = before;
  state.after[slot] = 0;
  state.before[slot] = 0;
  putSlot(state, slot);
}
