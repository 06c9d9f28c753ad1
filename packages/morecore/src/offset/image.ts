// Image: the state as bytes, and back.
//
// Owns:  the format.
// Needs: state, bins, check.
//
// Written is what cannot be derived: sizes, links upwards and counts follow from the rest. Little-endian everywhere.
//
//  0   magic "MCOA"  | version | checksum of all that follows | tag | slots | first spare slot      (4 bytes each)
//  24  for each slot, the range's own first: offset (8) | after (4) | next in bin or spare (4) | stamp (4)

import type { OwnBytes } from "../memory/own-bytes.ts";
import { binOf } from "./bins.ts";
import { checkState } from "./check.ts";
import { OffsetCorruptError, OffsetFormatError, shown } from "./errors.ts";
import { MAX_SLOTS, MAX_TAG } from "./handle.ts";
import { bytesAt, isHole, NEW_SLOTS, OffsetState, RANGE, slotAt } from "./state.ts";

const MAGIC = 0x414f434d;
const FORMAT_VERSION = 1;
const AT_MAGIC = 0;
const AT_VERSION = 4;
const AT_CHECKSUM = 8;
const AT_TAG = 12;
const AT_SLOTS = 16;
const AT_SPARE = 20;
export const HEADER_BYTES = 24;
const OFFSET = 0;
const AFTER = 8;
const NEXT = 12;
const STAMP = 16;
export const SLOT_BYTES = 20;

/** The state as bytes. O(slots). */
export function writeImage(state: OffsetState): OwnBytes {
  const image = new Uint8Array(HEADER_BYTES + SLOT_BYTES * state.slotCount);
  const view = new DataView(image.buffer);
  view.setUint32(AT_MAGIC, MAGIC, true);
  view.setUint32(AT_VERSION, FORMAT_VERSION, true);
  view.setUint32(AT_TAG, state.tag, true);
  view.setUint32(AT_SLOTS, state.slotCount, true);
  view.setUint32(AT_SPARE, state.spare, true);
  for (let slot = RANGE; slot < state.slotCount; slot++) {
    const at = HEADER_BYTES + SLOT_BYTES * slot;
    view.setFloat64(at + OFFSET, bytesAt(state.offsets, slot), true);
    view.setUint32(at + AFTER, slotAt(state.after, slot), true);
    view.setUint32(at + NEXT, slotAt(state.next, slot), true);
    view.setUint32(at + STAMP, slotAt(state.stamps, slot), true);
  }
  view.setUint32(AT_CHECKSUM, checksum(view), true);
  return image;
}

/** The state of an image, with room for `room` slots at least. Throws OffsetFormatError unless all invariants hold. O(slots). */
export function readImage(bytes: ArrayBufferLike | ArrayBufferView, room = 0): OffsetState {
  const view = viewOf(bytes);
  checkHeader(view);
  const state = readSlots(view, room);
  try {
    derive(state);
    checkState(state);
  } catch (error) {
    if (!(error instanceof OffsetCorruptError)) throw error;
    throw new OffsetFormatError("contents", `the image contradicts itself: ${error.message}`, error);
  }
  return state;
}

function viewOf(bytes: ArrayBufferLike | ArrayBufferView): DataView {
  if (ArrayBuffer.isView(bytes)) return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return new DataView(bytes);
  } catch {
    // Not instanceof: a buffer of another realm is one too, and there may be no SharedArrayBuffer to ask for.
    throw new TypeError(`bytes: expected an ArrayBuffer or a view of one, got ${shown(bytes)}`);
  }
}

function checkHeader(view: DataView): void {
  if (view.byteLength < HEADER_BYTES + SLOT_BYTES) {
    throw new OffsetFormatError(
      "length",
      `expected an image, got ${view.byteLength} bytes: too short for one`,
    );
  }
  if (view.getUint32(AT_MAGIC, true) !== MAGIC) {
    throw new OffsetFormatError("magic", "expected an OffsetAllocator's image, which begins with MCOA");
  }
  const version = view.getUint32(AT_VERSION, true);
  if (version !== FORMAT_VERSION) {
    throw new OffsetFormatError("version", `expected format ${FORMAT_VERSION}, got ${version}`);
  }
  const slots = view.getUint32(AT_SLOTS, true);
  const expected = HEADER_BYTES + SLOT_BYTES * slots;
  if (view.byteLength !== expected) {
    const found = `got ${view.byteLength}`;
    throw new OffsetFormatError(
      "length",
      `expected ${expected} bytes for ${slots} slots, ${found}: cut off?`,
    );
  }
  if (view.getUint32(AT_CHECKSUM, true) !== checksum(view)) {
    throw new OffsetFormatError("checksum", "the image has been changed: its checksum is another");
  }
  const tag = view.getUint32(AT_TAG, true);
  if (tag > MAX_TAG) throw new OffsetFormatError("contents", `expected a tag up to ${MAX_TAG}, got ${tag}`);
  if (slots > MAX_SLOTS)
    throw new OffsetFormatError("contents", `expected at most ${MAX_SLOTS} slots, got ${slots}`);
}

function readSlots(view: DataView, room: number): OffsetState {
  const slots = view.getUint32(AT_SLOTS, true);
  const state = new OffsetState(
    view.getUint32(AT_TAG, true),
    Math.min(Math.max(slots + NEW_SLOTS, room), MAX_SLOTS),
  );
  state.slotCount = slots;
  state.spare = slotIndex(view, AT_SPARE, slots, RANGE);
  for (let slot = RANGE; slot < slots; slot++) {
    const at = HEADER_BYTES + SLOT_BYTES * slot;
    state.offsets[slot] = view.getFloat64(at + OFFSET, true);
    state.after[slot] = slotIndex(view, at + AFTER, slots, slot);
    state.next[slot] = slotIndex(view, at + NEXT, slots, slot);
    state.stamps[slot] = view.getInt32(at + STAMP, true);
  }
  return state;
}

function slotIndex(view: DataView, at: number, slots: number, slot: number): number {
  const index = view.getUint32(at, true);
  if (index >= slots) throw new OffsetFormatError("contents", `slot ${slot} names slot ${index} of ${slots}`);
  return index;
}

/** Fills in what is not written down. Ends on any contents; whether they make sense, checkState says. */
function derive(state: OffsetState): void {
  let regions = 0;
  let before = RANGE;
  // In a ring that does not lead back, offsets do not rise for ever: R1 finds it.
  for (; regions < state.slotCount; regions++) {
    const slot = slotAt(state.after, before);
    state.before[slot] = before;
    if (before !== RANGE) state.sizes[before] = bytesAt(state.offsets, slot) - bytesAt(state.offsets, before);
    if (slot === RANGE) break;
    if (isHole(state, slot)) state.previous[slotAt(state.next, slot)] = slot;
    before = slot;
  }
  state.previous[RANGE] = 0;
  deriveBins(state);
  let spare = 0;
  for (let slot = state.spare; slot !== RANGE && spare < state.slotCount; slot = slotAt(state.next, slot))
    spare++;
  state.takenSlots = state.slotCount - spare;
  state.allocationCount = regions - state.holeCount;
}

/** A bin's head is the hole that no other one names. */
function deriveBins(state: OffsetState): void {
  let slot = slotAt(state.after, RANGE);
  for (let step = 0; slot !== RANGE && step < state.slotCount; step++, slot = slotAt(state.after, slot)) {
    if (!isHole(state, slot)) continue;
    const bytes = bytesAt(state.sizes, slot);
    state.holeCount += 1;
    state.freeBytes += bytes;
    const bin = binOf(bytes);
    if (slotAt(state.previous, slot) !== RANGE || !(bin >= 0 && bin < state.heads.length)) continue;
    state.heads[bin] = slot;
    state.binMap[bin >>> 5] = slotAt(state.binMap, bin >>> 5) | (1 << (bin & 31));
    state.binSummary |= 1 << (bin >>> 5);
  }
}

/** FNV-1a over words instead of bytes. Any one word that is changed changes it, since each step is one to one. */
function checksum(view: DataView): number {
  let sum = 0x811c9dc5;
  for (let at = AT_TAG; at + 4 <= view.byteLength; at += 4) {
    sum = Math.imul(sum ^ view.getUint32(at, true), 0x01000193);
  }
  return sum >>> 0;
}
