// Header: the first words of a container, by which it is found again: in a heap that was saved, or by another thread.
//
// Owns:  the layout that all headers have in common; what attach refuses of it; the check of indices.
// Needs: space.
//
//     +0 magic   +4 bytes of an element   +8 address of the elements   +12 length   +16 capacity   … what a container adds

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { type Allocator, HOLDS } from "../typed/allocator.ts";
import { PointerError } from "../typed/errors.ts";
import { SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";

export const AT_ELEMENT_BYTES = 4;
export const AT_ELEMENTS = 8;
export const AT_LENGTH = 12;
export const AT_CAPACITY = 16;
export const HEADER_BYTES = 20;
const ALIGNMENT = 4;

/** Throws unless a container of this kind, with elements of this size, lies at an address. */
export function checkHeader(
  space: Space,
  what: string,
  magic: number,
  elementBytes: number,
  at: number,
  bytes = HEADER_BYTES,
): void {
  if (!isWord(at)) refuseWord("ptr", at);
  const fault = (code: "null" | "misaligned" | "outside" | "not-live", sentence: string): PointerError =>
    new PointerError(code, what, at, sentence);
  const hex = `0x${at.toString(16)}`;
  if (at === 0) throw fault("null", "expected an address, got null");
  if (at % ALIGNMENT !== 0) throw fault("misaligned", `expected a multiple of ${ALIGNMENT}, got ${hex}`);
  if (!space.reaches(at + bytes)) throw fault("outside", `${hex} leads beyond the memory`);
  const word = (offset: number): number => space.u32[(at + offset) >>> 2] as number;
  if (word(0) !== magic) throw fault("not-live", `there is none at ${hex}: the magic number is missing`);
  if (word(AT_ELEMENT_BYTES) !== elementBytes)
    throw fault("not-live", `its elements have ${word(AT_ELEMENT_BYTES)} bytes, expected ${elementBytes}`);
  const [length, capacity] = [word(AT_LENGTH), word(AT_CAPACITY)];
  if (length > capacity || !space.reaches(word(AT_ELEMENTS) + capacity * elementBytes))
    throw fault("not-live", `its length ${length} and capacity ${capacity} cannot be`);
}

/**
 * Throws, while checking, unless a header lies in what an allocator has handed out and lets live: one that ends sooner would let go
 * of what the container gets from it, and another one free what it never gave.
 */
export function checkHeld(
  allocator: Pick<Allocator<never>, typeof SPACE | typeof HOLDS>,
  what: string,
  at: number,
  bytes: number,
): void {
  if (!allocator[SPACE].checking || allocator[HOLDS](at, bytes)) return;
  throw new PointerError(
    "not-live",
    what,
    at,
    `it was not made by this allocator; attach by the heap or the arena that 0x${at.toString(16)} lies in`,
  );
}

/** Throws unless an index is a whole number from 0 to below `length`. */
export function checkIndex(index: number, length: number): void {
  if (index >>> 0 === index && index < length) return;
  if (typeof index !== "number") throw new TypeError(`index: expected a number, got ${describe(index)}`);
  const most =
    length === 0 ? "there is none: the length is 0" : `expected an integer from 0 to ${length - 1}`;
  throw new RangeError(`index: ${most}, got ${describe(index)}`);
}
