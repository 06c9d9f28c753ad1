// Image: the books as bytes, and back.
//
// Owns:  the format.
// Needs: books, bins, check.
//
// Written is what cannot be derived: sizes, links upwards and counts follow from the rest. Little-endian everywhere.
//
//  0   magic "MCOA"  | version | checksum of all that follows | tag | slots | first spare slot      (4 bytes each)
//  24  for each slot, the range's own first: offset (8) | after (4) | next in bin or spare (4) | stamp (4)

import { binOf } from "./bins.ts";
import { checkBooks } from "./check.ts";
import { OffsetCorruptError, OffsetFormatError, shown } from "./errors.ts";
import { MAX_SLOTS, MAX_TAG } from "./handle.ts";
import { Books, bytesAt, isHole, NEW_SLOTS, RANGE, slotAt } from "./state.ts";

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

/** The books as bytes. O(slots). */
export function writeImage(books: Books): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(HEADER_BYTES + SLOT_BYTES * books.slotCount);
  const view = new DataView(image.buffer);
  view.setUint32(AT_MAGIC, MAGIC, true);
  view.setUint32(AT_VERSION, FORMAT_VERSION, true);
  view.setUint32(AT_TAG, books.tag, true);
  view.setUint32(AT_SLOTS, books.slotCount, true);
  view.setUint32(AT_SPARE, books.spare, true);
  for (let slot = RANGE; slot < books.slotCount; slot++) {
    const at = HEADER_BYTES + SLOT_BYTES * slot;
    view.setFloat64(at + OFFSET, bytesAt(books.offsets, slot), true);
    view.setUint32(at + AFTER, slotAt(books.after, slot), true);
    view.setUint32(at + NEXT, slotAt(books.next, slot), true);
    view.setUint32(at + STAMP, slotAt(books.stamps, slot), true);
  }
  view.setUint32(AT_CHECKSUM, checksum(view), true);
  return image;
}

/** The books of an image, with room for `room` slots at least. Throws OffsetFormatError unless all invariants hold. O(slots). */
export function readImage(bytes: ArrayBufferLike | ArrayBufferView, room = 0): Books {
  const view = viewOf(bytes);
  checkHeader(view);
  const books = readSlots(view, room);
  try {
    derive(books);
    checkBooks(books);
  } catch (error) {
    if (!(error instanceof OffsetCorruptError)) throw error;
    throw new OffsetFormatError("contents", `the image contradicts itself: ${error.message}`, error);
  }
  return books;
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

function readSlots(view: DataView, room: number): Books {
  const slots = view.getUint32(AT_SLOTS, true);
  const books = new Books(
    view.getUint32(AT_TAG, true),
    Math.min(Math.max(slots + NEW_SLOTS, room), MAX_SLOTS),
  );
  books.slotCount = slots;
  books.spare = slotIndex(view, AT_SPARE, slots, RANGE);
  for (let slot = RANGE; slot < slots; slot++) {
    const at = HEADER_BYTES + SLOT_BYTES * slot;
    books.offsets[slot] = view.getFloat64(at + OFFSET, true);
    books.after[slot] = slotIndex(view, at + AFTER, slots, slot);
    books.next[slot] = slotIndex(view, at + NEXT, slots, slot);
    books.stamps[slot] = view.getInt32(at + STAMP, true);
  }
  return books;
}

function slotIndex(view: DataView, at: number, slots: number, slot: number): number {
  const index = view.getUint32(at, true);
  if (index >= slots) throw new OffsetFormatError("contents", `slot ${slot} names slot ${index} of ${slots}`);
  return index;
}

/** Fills in what is not written down. Ends on any contents; whether they make sense, checkBooks says. */
function derive(books: Books): void {
  let regions = 0;
  let before = RANGE;
  // In a ring that does not lead back, offsets do not rise for ever: R1 finds it.
  for (; regions < books.slotCount; regions++) {
    const slot = slotAt(books.after, before);
    books.before[slot] = before;
    if (before !== RANGE) books.sizes[before] = bytesAt(books.offsets, slot) - bytesAt(books.offsets, before);
    if (slot === RANGE) break;
    if (isHole(books, slot)) books.previous[slotAt(books.next, slot)] = slot;
    before = slot;
  }
  books.previous[RANGE] = 0;
  deriveBins(books);
  let spare = 0;
  for (let slot = books.spare; slot !== RANGE && spare < books.slotCount; slot = slotAt(books.next, slot))
    spare++;
  books.takenSlots = books.slotCount - spare;
  books.allocationCount = regions - books.holeCount;
}

/** A bin's head is the hole that no other one names. */
function deriveBins(books: Books): void {
  let slot = slotAt(books.after, RANGE);
  for (let step = 0; slot !== RANGE && step < books.slotCount; step++, slot = slotAt(books.after, slot)) {
    if (!isHole(books, slot)) continue;
    const bytes = bytesAt(books.sizes, slot);
    books.holeCount += 1;
    books.freeBytes += bytes;
    const bin = binOf(bytes);
    if (slotAt(books.previous, slot) !== RANGE || !(bin >= 0 && bin < books.heads.length)) continue;
    books.heads[bin] = slot;
    books.binMap[bin >>> 5] = slotAt(books.binMap, bin >>> 5) | (1 << (bin & 31));
    books.binSummary |= 1 << (bin >>> 5);
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
