// Hash header: where a HashMap's parts lie, by which it is found again.
//
// Owns:  the layout of the header and of the block; what attach refuses.
// Needs: header, allocator, moves.
//
//     header   +0 what every container has: magic, bytes of an entry, block, entries used, entries there is room for
//              +20 version  +24 size  +28 bytes of a key  +32 of a value  +36 types  +40 seed  +44 born  +48 moves
//              +52 renumberings  +56 +60 what a change is about
//     block    entry 0, entry 1, … entry capacity - 1 | a spare entry | slots, a u32 each, two for each entry
//     entry    +0 hash, 0: none here   +4 or where it is aligned: key   value
//     slot     0: nothing; else the number of an entry, counted from 1
//
// The magic number says also whether a change is under way, and which: whoever finds another one than MAGIC finishes the change, or
// undoes it (hash-repair.ts). A process may end between any two stores.

import type { Allocator } from "../typed/allocator.ts";
import { OutOfMemoryError, PointerError } from "../typed/errors.ts";
import { Moves } from "../typed/moves.ts";
import { SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import {
  AT_CAPACITY,
  AT_ELEMENT_BYTES,
  AT_ELEMENTS,
  AT_LENGTH,
  checkHeader,
  HEADER_BYTES,
} from "./header.ts";
import { shapeHash, shapeOf } from "./shape.ts";

/** "MMAP": nothing is under way. */
export const MAGIC = 0x5041_4d4d;
/** What is found from entries may not agree with them: size, slots, entries that are not there. */
export const CHANGING: number = MAGIC + 1;
/** A larger block has all that the old one has; ABOUT is its address, ABOUT_MORE how many entries it has room for. */
export const GROWN: number = MAGIC + 2;
/** The spare entry has a new value for entry number ABOUT. */
export const REPLACED: number = MAGIC + 3;
/** No entry is there any more. */
export const CLEARED: number = MAGIC + 4;

const VERSION = 2;
export const AT_BLOCK = AT_ELEMENTS;
/** Entries that are or were live. */
export const AT_USED = AT_LENGTH;
/** Entries that there is room for. */
export const AT_ROOM = AT_CAPACITY;
const AT_VERSION = HEADER_BYTES;
export const AT_SIZE = 24;
const AT_KEY_BYTES = 28;
const AT_VALUE_BYTES = 32;
const AT_TYPES = 36;
export const AT_SEED = 40;
/** Another number than that of the map that had the same place before. */
export const AT_BORN = 44;
export const AT_MOVES = 48;
export const AT_RENUMBERINGS = 52;
export const AT_ABOUT = 56;
export const AT_ABOUT_MORE = 60;
export const MAP_HEADER_BYTES = 64;
const ALIGNMENT = 4;

/** Where things lie in an entry. */
export interface EntryLayout {
  readonly keyOffset: number;
  readonly valueOffset: number;
  /** Bytes from one entry to the next. */
  readonly stride: number;
  readonly align: number;
}

export function entryLayout(key: Type, value: Type): EntryLayout {
  const align = Math.max(4, key.align, value.align);
  const keyOffset = upTo(4, key.align);
  const valueOffset = upTo(keyOffset + key.size, value.align);
  return { keyOffset, valueOffset, stride: upTo(valueOffset + value.size, align), align };
}

/** Bytes of a block with room for so many entries. */
export function blockBytes({ stride }: EntryLayout, capacity: number): number {
  return capacity === 0 ? 0 : (capacity + 1) * stride + 8 * capacity;
}

/** Whether a header's first word says that a HashMap is here. */
export function isMagic(word: number): boolean {
  return word >= MAGIC && word <= CLEARED;
}

/** Memory for a header of an empty map. Throws an OutOfMemoryError. */
export function makeMapHeader(allocator: Allocator<never>, key: Type, value: Type, seed: number): number {
  const at = allocator.allocate(MAP_HEADER_BYTES, ALIGNMENT);
  const space = allocator[SPACE];
  if (at === 0 || !space.reaches(at + MAP_HEADER_BYTES))
    throw new OutOfMemoryError(MAP_HEADER_BYTES, nameOf(key, value));
  const [born, moves] = [Moves.first(space, at + AT_BORN), Moves.first(space, at + AT_MOVES)];
  const words: [at: number, value: number][] = [
    [0, MAGIC],
    [AT_ELEMENT_BYTES, entryLayout(key, value).stride],
    [AT_VERSION, VERSION],
    [AT_KEY_BYTES, key.size],
    [AT_VALUE_BYTES, value.size],
    [AT_TYPES, typesHash(key, value)],
    [AT_SEED, seed],
    [AT_BORN, born],
    [AT_MOVES, moves],
  ];
  space.u8.fill(0, at, at + MAP_HEADER_BYTES);
  for (const [offset, word] of words) space.u32[(at + offset) >>> 2] = word;
  return at;
}

export function freeMapHeader(allocator: Pick<Allocator, "deallocate">, at: number): void {
  allocator.deallocate(at, MAP_HEADER_BYTES, ALIGNMENT);
}

/** Throws unless a HashMap of these types lies at an address. Writes nothing. */
export function checkMapHeader(allocator: Allocator<never>, key: Type, value: Type, at: number): void {
  const space = allocator[SPACE];
  const name = nameOf(key, value);
  const layout = entryLayout(key, value);
  const word = (offset: number): number => space.u32[(at + offset) >>> 2] as number;
  const refuse = (sentence: string): never => {
    throw new PointerError("not-live", name, at, sentence);
  };
  const readable =
    at >>> 0 === at && at !== 0 && at % ALIGNMENT === 0 && space.reaches(at + MAP_HEADER_BYTES);
  const found = readable && isMagic(word(0)) ? word(0) : MAGIC;
  if (readable && word(0) === found) {
    if (word(AT_VERSION) !== VERSION)
      refuse(`its format has version ${word(AT_VERSION)}, this is morecore for version ${VERSION}`);
    if (word(AT_KEY_BYTES) !== key.size)
      refuse(`its keys have ${word(AT_KEY_BYTES)} bytes, expected ${key.size}`);
    if (word(AT_VALUE_BYTES) !== value.size)
      refuse(`its values have ${word(AT_VALUE_BYTES)} bytes, expected ${value.size}`);
    if (word(AT_TYPES) !== typesHash(key, value))
      refuse("its keys or values are of other types, or have other fields");
  }
  // A growth that was cut short: the block's address may be the old one's, its capacity the new one's.
  const grown = found === GROWN && word(AT_ELEMENT_BYTES) === layout.stride;
  if (!grown) checkHeader(space, name, found, layout.stride, at, MAP_HEADER_BYTES);
  const [block, capacity] = grown ? [word(AT_ABOUT), word(AT_ABOUT_MORE)] : [word(AT_BLOCK), word(AT_ROOM)];
  const used = word(AT_USED);
  if ((capacity & (capacity - 1)) !== 0 || used > capacity || (found === MAGIC && word(AT_SIZE) > used))
    refuse(`its size ${word(AT_SIZE)}, ${used} entries and capacity ${capacity} cannot be`);
  const bytes = blockBytes(layout, capacity);
  if (!canLie(space, layout, block, bytes) || (block < at + MAP_HEADER_BYTES && at < block + bytes))
    refuse(`its ${bytes} bytes at 0x${block.toString(16)} cannot be`);
  if (found === REPLACED && word(AT_ABOUT) >= capacity)
    refuse(`entry ${word(AT_ABOUT)} of ${capacity} cannot have got a new value`);
}

function canLie(space: Space, { align }: EntryLayout, block: number, bytes: number): boolean {
  return bytes === 0 ? block === 0 : block !== 0 && block % align === 0 && space.reaches(block + bytes);
}

export function nameOf(key: Type, value: Type): string {
  return `HashMap<${key.name}, ${value.name}>`;
}

/** 32 bits that differ where the types do, in all likelihood; the same in every run. */
function typesHash(key: Type, value: Type): number {
  return shapeHash(`${shapeOf(key)} => ${shapeOf(value)}`);
}

function upTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
