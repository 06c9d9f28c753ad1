// Report: what an OffsetAllocator tells about its range.
//
// Owns:  the shapes; nothing of the state, and changes nothing there.
// Needs: state, bins.
//
// Lists are made at once, not while they are read: whoever frees what a list shows does not pull the ring from under it.

import { binOf, floorOf, largestHole } from "./bins.ts";
import { type Allocation, handleOf } from "./handle.ts";
import { bytesAt, isHole, type OffsetState, RANGE, slotAt } from "./state.ts";

/** What an OffsetAllocator tells about its range. */
export interface OffsetReport {
  /** Of the whole range. */
  readonly bytes: number;
  /** Bytes of all allocations. */
  readonly usedBytes: number;
  /** Bytes of all holes. */
  readonly freeBytes: number;
  /** How many allocations are live. */
  readonly allocationCount: number;
  /** How many holes there are. */
  readonly holeCount: number;
  /** Bytes of the largest hole, 0 if there is none: what can be allocated, at alignment 1. */
  readonly largestHole: number;
  /** Bytes of the state: what all this costs, outside the range. */
  readonly bookBytes: number;
}

/** A hole. */
export interface FreeRegion {
  /** Where it begins. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly bytes: number;
}

/** Holes of about one size. */
export interface FreeBin {
  /** The smallest and the largest size that this bin is for. */
  readonly least: number;
  /** The largest size that this bin is for. */
  readonly most: number;
  /** Holes in it, and their bytes together. */
  readonly count: number;
  /** The bytes of its holes together. */
  readonly bytes: number;
}

/** A live allocation. */
export interface AllocatedRegion {
  /** Its handle, as `allocate` gave it. */
  readonly allocation: Allocation;
  /** Where it begins. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly bytes: number;
}

export function reportOn(state: OffsetState): OffsetReport {
  const bytes = bytesAt(state.offsets, RANGE);
  return {
    bytes,
    usedBytes: bytes - state.freeBytes,
    freeBytes: state.freeBytes,
    allocationCount: state.allocationCount,
    holeCount: state.holeCount,
    largestHole: largestHole(state),
    bookBytes: bookBytes(state),
  };
}

export function listFreeRegions(state: OffsetState): FreeRegion[] {
  return slotsOf(state, true).map((slot) => placeOf(state, slot));
}

export function listAllocations(state: OffsetState): AllocatedRegion[] {
  const slots = slotsOf(state, false);
  return slots.map((slot) => ({
    allocation: handleOf(slotAt(state.stamps, slot), slot),
    ...placeOf(state, slot),
  }));
}

export function listFreeBins(state: OffsetState): FreeBin[] {
  const bins: FreeBin[] = [];
  for (const head of state.heads) {
    if (head === RANGE) continue;
    const bin = binOf(bytesAt(state.sizes, head));
    let count = 0;
    let bytes = 0;
    for (let hole = head; hole !== RANGE; hole = slotAt(state.next, hole)) {
      count += 1;
      bytes += bytesAt(state.sizes, hole);
    }
    bins.push({ least: floorOf(bin), most: floorOf(bin + 1) - 1, count, bytes });
  }
  return bins;
}

/** The slots of all holes, or of all allocations, by offset. */
function slotsOf(state: OffsetState, holes: boolean): number[] {
  const slots: number[] = [];
  for (let slot = slotAt(state.after, RANGE); slot !== RANGE; slot = slotAt(state.after, slot)) {
    if (isHole(state, slot) === holes) slots.push(slot);
  }
  return slots;
}

function placeOf(state: OffsetState, slot: number): FreeRegion {
  return { offset: bytesAt(state.offsets, slot), bytes: bytesAt(state.sizes, slot) };
}

function bookBytes(state: OffsetState): number {
  const { offsets, sizes, before, after, previous, next, stamps, heads, binMap } = state;
  return [offsets, sizes, before, after, previous, next, stamps, heads, binMap].reduce(
    (sum, column) => sum + column.byteLength,
    0,
  );
}
