// Report: what an OffsetAllocator tells about its range.
//
// Owns:  the shapes; nothing of the books, and changes nothing there.
// Needs: books, bins.
//
// Lists are made at once, not while they are read: whoever frees what a list shows does not pull the ring from under it.

import { binOf, floorOf, largestHole } from "./bins.ts";
import { type Allocation, handleOf } from "./handle.ts";
import { type Books, bytesAt, isHole, RANGE, slotAt } from "./state.ts";

export interface OffsetReport {
  /** Of the whole range. */
  readonly bytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly allocationCount: number;
  readonly holeCount: number;
  /** Bytes of the largest hole, 0 if there is none: what can be allocated, at alignment 1. */
  readonly largestHole: number;
  /** Bytes of the books: what all this costs, outside the range. */
  readonly bookBytes: number;
}

export interface FreeRegion {
  readonly offset: number;
  readonly bytes: number;
}

/** Holes of about one size. */
export interface FreeBin {
  /** The smallest and the largest size that this bin is for. */
  readonly least: number;
  readonly most: number;
  /** Holes in it, and their bytes together. */
  readonly count: number;
  readonly bytes: number;
}

export interface AllocatedRegion {
  readonly allocation: Allocation;
  readonly offset: number;
  readonly bytes: number;
}

export function reportOn(books: Books): OffsetReport {
  const bytes = bytesAt(books.offsets, RANGE);
  return {
    bytes,
    usedBytes: bytes - books.freeBytes,
    freeBytes: books.freeBytes,
    allocationCount: books.allocationCount,
    holeCount: books.holeCount,
    largestHole: largestHole(books),
    bookBytes: bookBytes(books),
  };
}

export function listFreeRegions(books: Books): FreeRegion[] {
  return slotsOf(books, true).map((slot) => placeOf(books, slot));
}

export function listAllocations(books: Books): AllocatedRegion[] {
  const slots = slotsOf(books, false);
  return slots.map((slot) => ({
    allocation: handleOf(slotAt(books.stamps, slot), slot),
    ...placeOf(books, slot),
  }));
}

export function listFreeBins(books: Books): FreeBin[] {
  const bins: FreeBin[] = [];
  for (const head of books.heads) {
    if (head === RANGE) continue;
    const bin = binOf(bytesAt(books.sizes, head));
    let count = 0;
    let bytes = 0;
    for (let hole = head; hole !== RANGE; hole = slotAt(books.next, hole)) {
      count += 1;
      bytes += bytesAt(books.sizes, hole);
    }
    bins.push({ least: floorOf(bin), most: floorOf(bin + 1) - 1, count, bytes });
  }
  return bins;
}

/** The slots of all holes, or of all allocations, by offset. */
function slotsOf(books: Books, holes: boolean): number[] {
  const slots: number[] = [];
  for (let slot = slotAt(books.after, RANGE); slot !== RANGE; slot = slotAt(books.after, slot)) {
    if (isHole(books, slot) === holes) slots.push(slot);
  }
  return slots;
}

function placeOf(books: Books, slot: number): FreeRegion {
  return { offset: bytesAt(books.offsets, slot), bytes: bytesAt(books.sizes, slot) };
}

function bookBytes(books: Books): number {
  const { offsets, sizes, before, after, previous, next, stamps, heads, binMap } = books;
  return [offsets, sizes, before, after, previous, next, stamps, heads, binMap].reduce(
    (sum, column) => sum + column.byteLength,
    0,
  );
}
