// OffsetAllocator: shares out a range of which it touches nothing: a WebGPU buffer, a file, a texture atlas' rows.
//
// Owns:  carving holes and merging them; the public face. What it knows lies in books of its own, outside the range.
// Needs: books, bins, handle, report, image, check.
//
// After TLSF (Masmano, Ripoll, Crespo, Real, 2004): bins by size, two bitmaps, and free neighbours merge at once. Offsets
// and sizes are whole numbers up to 2^53 - 1, of any unit, since files and some GPU buffers pass 4 GiB; it costs four
// more bytes each in the books (36 bytes a region). An allocation gets exactly what was asked for, nothing rounded.
//
// Time: `allocate`, `free`, `offsetOf`, `sizeOf`, `has` are O(1), no loop over more than 8 holes, with two exceptions.
// A request that no bin can promise to serve looks at each hole that might fit before it is refused: so none is refused
// while a hole fits, its alignment included. And when the books are full they double, O(regions): `regions` avoids it.

/// <reference lib="esnext.disposable" preserve="true" />

import { findHole, leadOf, putHole, takeHole } from "./bins.ts";
import { checkBooks } from "./check.ts";
import { OffsetMisuseError, shown } from "./errors.ts";
import {
  type Allocation,
  handleOf,
  isLiveStamp,
  isSpentStamp,
  MAX_SLOTS,
  MAX_TAG,
  slotIn,
  stampIn,
  tagIn,
} from "./handle.ts";
import { readImage, writeImage } from "./image.ts";
import {
  type AllocatedRegion,
  type FreeBin,
  type FreeRegion,
  listAllocations,
  listFreeBins,
  listFreeRegions,
  type OffsetReport,
  reportOn,
} from "./report.ts";
import {
  Books,
  bytesAt,
  insertRegion,
  isHole,
  NEW_SLOTS,
  putSlot,
  RANGE,
  removeRegion,
  reserveSlots,
  slotAt,
  takeSlot,
} from "./state.ts";

export type { OffsetFormatReason, OffsetMisuseCode } from "./errors.ts";
export { OffsetCorruptError, OffsetFormatError, OffsetMisuseError } from "./errors.ts";
export type { Allocation } from "./handle.ts";
export type { AllocatedRegion, FreeBin, FreeRegion, OffsetReport } from "./report.ts";

export interface OffsetOptions {
  /**
   * Regions, free ones included, that the books have room for from the start; beyond them they double. An entry of the books
   * serves 1,048,575 allocations, so that no handle comes up twice, and is then lost: it counts as a region. @defaultValue 64
   */
  readonly regions?: number;
  /**
   * 0 to 255, a part of every handle: handles of an allocator with another tag are refused. Give it where handles must be
   * the same in every run. @defaultValue the next one, for each allocator in this realm
   */
  readonly tag?: number;
}

const OPTIONS: readonly (keyof OffsetOptions)[] = ["regions", "tag"];
const DEFAULT_REGIONS = 64;
const MAX_REGIONS = MAX_SLOTS - 1 - NEW_SLOTS;

let nextTag = 0;

export class OffsetAllocator implements Disposable {
  #books: Books;

  /** An allocator for a range of so many bytes (or rows, or whatever is shared out), from 0 on. None is fine: `grow`. */
  constructor(bytes: number, options: OffsetOptions = {}) {
    checkOptions(options, OPTIONS);
    checkWhole("bytes", bytes, 0, Number.MAX_SAFE_INTEGER);
    const { regions = DEFAULT_REGIONS, tag = nextTag++ & MAX_TAG } = options;
    checkWhole("regions", regions, 0, MAX_REGIONS);
    checkWhole("tag", tag, 0, MAX_TAG);
    this.#books = new Books(tag, 1 + regions + NEW_SLOTS);
    if (bytes > 0) extend(this.#books, bytes);
  }

  /**
   * The allocator that `save` wrote down: the same calls give the same offsets from here on, and the handles from before hold.
   * Throws OffsetFormatError if the bytes are not what `save` made. O(slots).
   */
  static load(
    bytes: ArrayBufferLike | ArrayBufferView,
    options: Pick<OffsetOptions, "regions"> = {},
  ): OffsetAllocator {
    checkOptions(options, ["regions"]);
    const { regions = 0 } = options;
    checkWhole("regions", regions, 0, MAX_REGIONS);
    const books = readImage(bytes, 1 + regions + NEW_SLOTS);
    const loaded = new OffsetAllocator(0, { tag: books.tag, regions: 0 });
    loaded.#books = books;
    return loaded;
  }

  /** The end of the managed range. O(1). */
  get bytes(): number {
    return bytesAt(this.#books.offsets, RANGE);
  }

  /**
   * A region of exactly `bytes`, at a multiple of `alignment`: any whole number, so that a vertex buffer's offset can be a
   * multiple of its stride. undefined: no hole has room for it. Then, and only then, `grow` helps.
   */
  allocate(bytes: number, alignment = 1): Allocation | undefined {
    if (!Number.isSafeInteger(bytes) || bytes < 1) refuseWhole("bytes", bytes, 1, Number.MAX_SAFE_INTEGER);
    if (alignment !== 1) checkWhole("alignment", alignment, 1, Number.MAX_SAFE_INTEGER);
    const books = this.#books;
    const hole = findHole(books, bytes, alignment);
    if (hole === RANGE) return undefined;
    reserveSlots(books);
    const lead = alignment === 1 ? 0 : leadOf(bytesAt(books.offsets, hole), alignment);
    const slot = carve(books, hole, lead, bytes);
    const stamp = slotAt(books.stamps, slot) + 1;
    books.stamps[slot] = stamp;
    books.allocationCount += 1;
    return handleOf(stamp, slot);
  }

  /** Gives an allocation back; it merges with free neighbours. Throws OffsetMisuseError if the handle is not live. O(1). */
  free(allocation: Allocation): void {
    const books = this.#books;
    const slot = liveSlot(books, allocation, "double-free");
    books.stamps[slot] = slotAt(books.stamps, slot) + 1;
    books.allocationCount -= 1;
    let hole = slot;
    const before = slotAt(books.before, slot);
    if (isHole(books, before)) {
      takeHole(books, before);
      swallow(books, before, slot);
      hole = before;
    }
    const after = slotAt(books.after, hole);
    if (isHole(books, after)) {
      takeHole(books, after);
      swallow(books, hole, after);
    }
    putHole(books, hole);
  }

  /** Where an allocation lies. Throws OffsetMisuseError if the handle is not live. O(1). */
  offsetOf(allocation: Allocation): number {
    return bytesAt(this.#books.offsets, liveSlot(this.#books, allocation, "stale"));
  }

  /** The bytes that an allocation was asked for with. Throws OffsetMisuseError if the handle is not live. O(1). */
  sizeOf(allocation: Allocation): number {
    return bytesAt(this.#books.sizes, liveSlot(this.#books, allocation, "stale"));
  }

  /** Whether a handle is that of a live allocation of this allocator. O(1). */
  has(allocation: Allocation): boolean {
    return isLive(this.#books, allocation);
  }

  /** Makes the range longer by so many bytes, at its end; whoever owns the bytes sees to them. O(1), but see `regions`. */
  grow(bytes: number): void {
    checkWhole("bytes", bytes, 1, Number.MAX_SAFE_INTEGER - this.bytes);
    extend(this.#books, bytes);
  }

  /** Frees everything at once; the range stays as long as it is. All handles are stale from here on. O(slots). */
  reset(): void {
    const books = this.#books;
    const { bytes } = this;
    for (let slot = RANGE + 1; slot < books.slotCount; slot++) {
      const stamp = slotAt(books.stamps, slot);
      if (isLiveStamp(stamp)) books.stamps[slot] = stamp + 1;
    }
    clear(books);
    if (bytes > 0) extend(books, bytes);
  }

  /** Counts and sums. O(1), but for `largestHole`: O(holes of about its size). */
  report(): OffsetReport {
    return reportOn(this.#books);
  }

  /** All holes as they are now, by offset. O(regions). */
  freeRegions(): Iterable<FreeRegion> {
    return listFreeRegions(this.#books);
  }

  /** The holes as they are now, counted by size; no bin that is empty. O(holes). */
  freeBins(): Iterable<FreeBin> {
    return listFreeBins(this.#books);
  }

  /** All allocations as they are now, by offset; they may be freed in the course of it. O(regions). */
  allocations(): Iterable<AllocatedRegion> {
    return listAllocations(this.#books);
  }

  /** Everything that the allocator knows, in 24 bytes and 20 a slot; the same state gives the same bytes. O(slots). */
  save(): Uint8Array<ArrayBuffer> {
    return writeImage(this.#books);
  }

  /** Throws OffsetCorruptError if any invariant does not hold. For tests, and for those who distrust their RAM. O(slots). */
  check(): void {
    checkBooks(this.#books);
  }

  /** Drops the books. The range is empty from here on: nothing can be allocated, and no handle is live. */
  [Symbol.dispose](): void {
    this.#books = new Books(this.#books.tag, 1 + NEW_SLOTS);
  }
}

/** Cuts a hole into what lies before `lead`, a region of `bytes`, and the rest. The region's slot; it is not live yet. */
function carve(books: Books, hole: number, lead: number, bytes: number): number {
  takeHole(books, hole);
  const offset = bytesAt(books.offsets, hole);
  const rest = bytesAt(books.sizes, hole) - lead - bytes;
  let slot = hole;
  if (lead > 0) {
    slot = takeSlot(books);
    insertRegion(books, slot, hole, offset + lead, bytes);
    books.sizes[hole] = lead;
    putHole(books, hole);
  } else if (isSpentStamp(slotAt(books.stamps, hole))) {
    slot = takeSlot(books);
    insertRegion(books, slot, hole, offset, bytes);
    removeRegion(books, hole);
  }
  books.sizes[slot] = bytes;
  if (rest > 0) {
    const tail = takeSlot(books);
    insertRegion(books, tail, slot, offset + lead + bytes, rest);
    putHole(books, tail);
  }
  return slot;
}

/** Adds the bytes of a region, in no bin, to its neighbour below, and takes it out of the books. */
function swallow(books: Books, below: number, region: number): void {
  books.sizes[below] = bytesAt(books.sizes, below) + bytesAt(books.sizes, region);
  removeRegion(books, region);
}

/** Adds free bytes to the end of the range. */
function extend(books: Books, bytes: number): void {
  const end = bytesAt(books.offsets, RANGE);
  const last = slotAt(books.before, RANGE);
  if (isHole(books, last)) {
    takeHole(books, last);
    books.sizes[last] = bytesAt(books.sizes, last) + bytes;
    putHole(books, last);
  } else {
    reserveSlots(books);
    const slot = takeSlot(books);
    insertRegion(books, slot, last, end, bytes);
    putHole(books, slot);
  }
  books.offsets[RANGE] = end + bytes;
}

/** Empties the books but for stamps: no regions, an empty range, the lowest slots first to be used again. */
function clear(books: Books): void {
  const { slotCount } = books;
  for (const column of [books.before, books.after, books.previous, books.next]) column.fill(0, 0, slotCount);
  books.offsets.fill(0, 0, slotCount);
  books.sizes.fill(0, 0, slotCount);
  books.heads.fill(0);
  books.binMap.fill(0);
  books.binSummary = 0;
  books.freeBytes = 0;
  books.holeCount = 0;
  books.allocationCount = 0;
  books.spare = RANGE;
  books.takenSlots = slotCount;
  for (let slot = slotCount - 1; slot > RANGE; slot--) putSlot(books, slot);
}

function isLive(books: Books, handle: number): boolean {
  if (typeof handle !== "number") return false;
  const slot = slotIn(handle);
  const stamp = stampIn(handle);
  return books.stamps[slot] === stamp && isLiveStamp(stamp) && slot !== RANGE;
}

/** The slot of a live handle. Throws, with `gone` for one that was live before. */
function liveSlot(books: Books, handle: Allocation, gone: "double-free" | "stale"): number {
  if (!isLive(books, handle)) refuseHandle(books, handle, gone);
  return slotIn(handle);
}

function refuseHandle(books: Books, handle: unknown, gone: "double-free" | "stale"): never {
  const refuse = (code: OffsetMisuseError["code"], sentence: string): never => {
    throw new OffsetMisuseError(code, handle, `${shown(handle)}: ${sentence} (${code})`);
  };
  if (typeof handle !== "number" || !Number.isSafeInteger(handle) || handle < 0) {
    return refuse("not-a-handle", "expected a handle, as allocate returns them");
  }
  const slot = slotIn(handle);
  const stamp = stampIn(handle);
  if (tagIn(stamp) !== books.tag) {
    const tags = `its tag is ${tagIn(stamp)}, this one's ${books.tag}`;
    return refuse("foreign", `expected a handle of this allocator, got one of another: ${tags}`);
  }
  const now = slot < books.slotCount ? slotAt(books.stamps, slot) : 0;
  if (slot === RANGE || !isLiveStamp(stamp) || stamp > now) {
    return refuse(
      "never-given",
      "expected a live allocation; this allocator has never given out that handle",
    );
  }
  const since = isLiveStamp(now) ? "; its slot serves another one now" : "";
  return refuse(gone, `expected a live allocation, found one that was freed before${since}`);
}

function checkOptions(options: OffsetOptions, known: readonly (keyof OffsetOptions)[]): void {
  for (const key of Object.keys(options)) {
    if (!known.some((name) => name === key)) {
      throw new TypeError(`options: expected ${known.join(" or ")}, got ${shown(key)}`);
    }
  }
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) refuseWhole(name, value, least, most);
}

function refuseWhole(name: string, value: unknown, least: number, most: number): never {
  if (typeof value !== "number") throw new TypeError(`${name}: expected a number, got ${shown(value)}`);
  throw new RangeError(`${name}: expected a whole number from ${least} to ${most}, got ${shown(value)}`);
}
