// OffsetAllocator: shares out a range of which it touches nothing: a WebGPU buffer, a file, a texture atlas' rows.
//
// Owns:  carving holes and merging them; the public face. What it knows lies in state of its own, outside the range.
// Needs: state, bins, handle, report, image, check.
//
// After TLSF (Masmano, Ripoll, Crespo, Real, 2004): bins by size, two bitmaps, and free neighbours merge at once. Offsets
// and sizes are whole numbers up to 2^53 - 1, of any unit, since files and some GPU buffers pass 4 GiB; it costs four
// more bytes each in the state (36 bytes a region). An allocation gets exactly what was asked for, nothing rounded.
//
// Time: `allocate`, `free`, `offsetOf`, `sizeOf`, `has` are O(1), no loop over more than 8 holes, with two exceptions.
// A request that no bin can promise to serve looks at each hole that might fit before it is refused: so none is refused
// while a hole fits, its alignment included. And when the state is full it doubles, O(regions): `regions` avoids it.

import type { OwnBytes } from "../memory/own-bytes.ts";
import { Printed } from "../memory/printed.ts";
import { DISPOSE } from "../typed/disposal.ts";
import { findHole, leadOf, putHole, takeHole } from "./bins.ts";
import { checkState } from "./check.ts";
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
  bytesAt,
  insertRegion,
  isHole,
  NEW_SLOTS,
  OffsetState,
  putSlot,
  RANGE,
  removeRegion,
  reserveSlots,
  slotAt,
  takeSlot,
} from "./state.ts";

/** What an OffsetAllocator can be told when it is made. */
export interface OffsetOptions {
  /**
   * Regions, free ones included, that the state has room for from the start; beyond them it doubles. An entry of the state
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

/**
 * Shares out a range that it does not touch: a GPU buffer, a file, rows of a texture. Offsets and sizes are
 * whole numbers up to 2^53 - 1, of any unit. `allocate` and `free` are O(1), with the exceptions that each
 * names. Follows TLSF (Masmano and others, 2004).
 *
 * @example
 *
 * ```ts
 * const buffer = new OffsetAllocator(1024);
 * const mesh = buffer.allocate(100, 12)!; // a multiple of 12
 * console.log(buffer.offsetOf(mesh), buffer.sizeOf(mesh)); // 0 100
 * buffer.free(mesh);
 * ```
 */
export class OffsetAllocator extends Printed implements Disposable {
  /** Undefined: it was disposed of. */
  #kept: OffsetState | undefined;

  /** An allocator for a range of so many bytes (or rows, or whatever is shared out), from 0 on. None is fine: `grow`. */
  constructor(bytes: number, options: OffsetOptions = {}) {
    super();
    checkOptions(options, OPTIONS);
    checkWhole("bytes", bytes, 0, Number.MAX_SAFE_INTEGER);
    const { regions = DEFAULT_REGIONS, tag = nextTag++ & MAX_TAG } = options;
    checkWhole("regions", regions, 0, MAX_REGIONS);
    checkWhole("tag", tag, 0, MAX_TAG);
    this.#kept = new OffsetState(tag, 1 + regions + NEW_SLOTS);
    if (bytes > 0) extend(this.#state, bytes);
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
    const state = readImage(bytes, 1 + regions + NEW_SLOTS);
    const loaded = new OffsetAllocator(0, { tag: state.tag, regions: 0 });
    loaded.#kept = state;
    return loaded;
  }

  /** The end of the managed range. O(1). */
  get bytes(): number {
    return bytesAt(this.#state.offsets, RANGE);
  }

  /**
   * A region of exactly `bytes`, at a multiple of `alignment`. That is any whole number, so that a vertex buffer's offset can
   * be a multiple of its stride. undefined: no hole has room for it. Then, and only then, `grow` helps. Throws a TypeError or
   * RangeError for numbers that are not whole, or below 1.
   */
  allocate(bytes: number, alignment = 1): Allocation | undefined {
    if (!Number.isSafeInteger(bytes) || bytes < 1) refuseWhole("bytes", bytes, 1, Number.MAX_SAFE_INTEGER);
    if (alignment !== 1) checkWhole("alignment", alignment, 1, Number.MAX_SAFE_INTEGER);
    const state = this.#state;
    const hole = findHole(state, bytes, alignment);
    if (hole === RANGE) return undefined;
    reserveSlots(state);
    const lead = alignment === 1 ? 0 : leadOf(bytesAt(state.offsets, hole), alignment);
    const slot = carve(state, hole, lead, bytes);
    const stamp = slotAt(state.stamps, slot) + 1;
    state.stamps[slot] = stamp;
    state.allocationCount += 1;
    return handleOf(stamp, slot);
  }

  /** Gives an allocation back; it merges with free neighbours. Throws OffsetMisuseError if the handle is not live. O(1). */
  free(allocation: Allocation): void {
    const state = this.#state;
    const slot = liveSlot(state, allocation, "double-free");
    state.stamps[slot] = slotAt(state.stamps, slot) + 1;
    state.allocationCount -= 1;
    let hole = slot;
    const before = slotAt(state.before, slot);
    if (isHole(state, before)) {
      takeHole(state, before);
      swallow(state, before, slot);
      hole = before;
    }
    const after = slotAt(state.after, hole);
    if (isHole(state, after)) {
      takeHole(state, after);
      swallow(state, hole, after);
    }
    putHole(state, hole);
  }

  /** Where an allocation lies. Throws OffsetMisuseError if the handle is not live. O(1). */
  offsetOf(allocation: Allocation): number {
    return bytesAt(this.#state.offsets, liveSlot(this.#state, allocation, "stale"));
  }

  /** The bytes that an allocation was asked for with. Throws OffsetMisuseError if the handle is not live. O(1). */
  sizeOf(allocation: Allocation): number {
    return bytesAt(this.#state.sizes, liveSlot(this.#state, allocation, "stale"));
  }

  /** Whether a handle is that of a live allocation of this allocator. O(1). */
  has(allocation: Allocation): boolean {
    return isLive(this.#state, allocation);
  }

  /** Makes the range longer by so many bytes, at its end; whoever owns the bytes sees to them. O(1), but see `regions`. */
  grow(bytes: number): void {
    checkWhole("bytes", bytes, 1, Number.MAX_SAFE_INTEGER - this.bytes);
    extend(this.#state, bytes);
  }

  /** Frees everything at once; the range stays as long as it is. All handles are stale from here on. O(slots). */
  reset(): void {
    const state = this.#state;
    const { bytes } = this;
    for (let slot = RANGE + 1; slot < state.slotCount; slot++) {
      const stamp = slotAt(state.stamps, slot);
      if (isLiveStamp(stamp)) state.stamps[slot] = stamp + 1;
    }
    clear(state);
    if (bytes > 0) extend(state, bytes);
  }

  /** Counts and sums. O(1), but for `largestHole`: O(holes of about its size). */
  report(): OffsetReport {
    return reportOn(this.#state);
  }

  /** All holes as they are now, by offset. O(regions). */
  freeRegions(): Iterable<FreeRegion> {
    return listFreeRegions(this.#state);
  }

  /** The holes as they are now, counted by size; no bin that is empty. O(holes). */
  freeBins(): Iterable<FreeBin> {
    return listFreeBins(this.#state);
  }

  /** All allocations as they are now, by offset; they may be freed in the course of it. O(regions). */
  allocations(): Iterable<AllocatedRegion> {
    return listAllocations(this.#state);
  }

  /** Everything that the allocator knows, in 24 bytes and 20 a slot; the same state gives the same bytes. O(slots). */
  save(): OwnBytes {
    return writeImage(this.#state);
  }

  /** Throws OffsetCorruptError if any invariant does not hold. For tests, and for those who distrust their RAM. O(slots). */
  check(): void {
    checkState(this.#state);
  }

  /**
   * Ends the allocator and drops what it knows; the range is untouched. Later calls throw a TypeError. A second time does
   * nothing. O(1).
   */
  dispose(): void {
    this.#kept = undefined;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  get #state(): OffsetState {
    return this.#kept ?? refuseEnded();
  }

  protected override summary(): string {
    const { allocationCount, freeBytes } = this.#state;
    return `OffsetAllocator { bytes: ${this.bytes}, free: ${freeBytes}, allocations: ${allocationCount} }`;
  }
}

function refuseEnded(): never {
  throw new TypeError("the offset allocator has been disposed of");
}

/** Cuts a hole into what lies before `lead`, a region of `bytes`, and the rest. The region's slot; it is not live yet. */
function carve(state: OffsetState, hole: number, lead: number, bytes: number): number {
  takeHole(state, hole);
  const offset = bytesAt(state.offsets, hole);
  const rest = bytesAt(state.sizes, hole) - lead - bytes;
  let slot = hole;
  if (lead > 0) {
    slot = takeSlot(state);
    insertRegion(state, slot, hole, offset + lead, bytes);
    state.sizes[hole] = lead;
    putHole(state, hole);
  } else if (isSpentStamp(slotAt(state.stamps, hole))) {
    slot = takeSlot(state);
    insertRegion(state, slot, hole, offset, bytes);
    removeRegion(state, hole);
  }
  state.sizes[slot] = bytes;
  if (rest > 0) {
    const tail = takeSlot(state);
    insertRegion(state, tail, slot, offset + lead + bytes, rest);
    putHole(state, tail);
  }
  return slot;
}

/** Adds the bytes of a region, in no bin, to its neighbour below, and takes it out of the state. */
function swallow(state: OffsetState, below: number, region: number): void {
  state.sizes[below] = bytesAt(state.sizes, below) + bytesAt(state.sizes, region);
  removeRegion(state, region);
}

/** Adds free bytes to the end of the range. */
function extend(state: OffsetState, bytes: number): void {
  const end = bytesAt(state.offsets, RANGE);
  const last = slotAt(state.before, RANGE);
  if (isHole(state, last)) {
    takeHole(state, last);
    state.sizes[last] = bytesAt(state.sizes, last) + bytes;
    putHole(state, last);
  } else {
    reserveSlots(state);
    const slot = takeSlot(state);
    insertRegion(state, slot, last, end, bytes);
    putHole(state, slot);
  }
  state.offsets[RANGE] = end + bytes;
}

/** Empties the state but for stamps: no regions, an empty range, the lowest slots first to be used again. */
function clear(state: OffsetState): void {
  const { slotCount } = state;
  for (const column of [state.before, state.after, state.previous, state.next]) column.fill(0, 0, slotCount);
  state.offsets.fill(0, 0, slotCount);
  state.sizes.fill(0, 0, slotCount);
  state.heads.fill(0);
  state.binMap.fill(0);
  state.binSummary = 0;
  state.freeBytes = 0;
  state.holeCount = 0;
  state.allocationCount = 0;
  state.spare = RANGE;
  state.takenSlots = slotCount;
  for (let slot = slotCount - 1; slot > RANGE; slot--) putSlot(state, slot);
}

function isLive(state: OffsetState, handle: number): boolean {
  if (typeof handle !== "number") return false;
  const slot = slotIn(handle);
  const stamp = stampIn(handle);
  return state.stamps[slot] === stamp && isLiveStamp(stamp) && slot !== RANGE;
}

/** The slot of a live handle. Throws, with `gone` for one that was live before. */
function liveSlot(state: OffsetState, handle: Allocation, gone: "double-free" | "stale"): number {
  if (!isLive(state, handle)) refuseHandle(state, handle, gone);
  return slotIn(handle);
}

function refuseHandle(state: OffsetState, handle: unknown, gone: "double-free" | "stale"): never {
  const refuse = (code: OffsetMisuseError["code"], sentence: string): never => {
    throw new OffsetMisuseError(code, handle, `${shown(handle)}: ${sentence} (${code})`);
  };
  if (typeof handle !== "number" || !Number.isSafeInteger(handle) || handle < 0) {
    return refuse("not-a-handle", "expected a handle, as allocate returns them");
  }
  const slot = slotIn(handle);
  const stamp = stampIn(handle);
  if (tagIn(stamp) !== state.tag) {
    const tags = `its tag is ${tagIn(stamp)}, this one's ${state.tag}`;
    return refuse("foreign", `expected a handle of this allocator, got one of another: ${tags}`);
  }
  const now = slot < state.slotCount ? slotAt(state.stamps, slot) : 0;
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
