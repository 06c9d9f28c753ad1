// Hash header: where a HashMap's parts lie, by which it is found again.
//
// Owns:  the layout of the header and of the block; what attach refuses.
// Needs: header, allocator.
//
//     header   +0 what every container has: magic, bytes of an entry, block, entries used, entries there is room for
//              +20 version  +24 size  +28 bytes of a key  +32 of a value  +36 types  +40 seed  +44 slots  +48 moves  +52 renumberings
//     block    entry 0, entry 1, … entry capacity - 1 | a spare entry | slots, a u32 each
//     entry    +0 hash, 0: none here   +4 or where it is aligned: key   value
//     slot     0: nothing; else the number of an entry, counted from 1

import type { Allocator } from "../typed/allocator.ts";
import { PointerError } from "../typed/errors.ts";
import { SPACE } from "../typed/ref.ts";
import type { Type } from "../typed/type.ts";
import { AT_CAPACITY, AT_ELEMENTS, AT_LENGTH, checkHeader, HEADER_BYTES, makeHeader } from "./header.ts";
import { shapeHash, shapeOf } from "./shape.ts";

/** "MMAP" */
export const MAGIC = 0x5041_4d4d;
const VERSION = 1;
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
export const AT_SLOTS = 44;
export const AT_MOVES = 48;
export const AT_RENUMBERINGS = 52;
export const MAP_HEADER_BYTES = 56;

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

export function makeMapHeader(allocator: Allocator<never>, key: Type, value: Type, seed: number): number {
  const { stride } = entryLayout(key, value);
  const at = makeHeader(allocator, nameOf(key, value), MAGIC, stride, MAP_HEADER_BYTES);
  const { u32 } = allocator[SPACE];
  u32[(at + AT_VERSION) >>> 2] = VERSION;
  u32[(at + AT_KEY_BYTES) >>> 2] = key.size;
  u32[(at + AT_VALUE_BYTES) >>> 2] = value.size;
  u32[(at + AT_TYPES) >>> 2] = typesHash(key, value);
  u32[(at + AT_SEED) >>> 2] = seed;
  return at;
}

/** Throws unless a HashMap of these types lies at an address. */
export function checkMapHeader(allocator: Allocator<never>, key: Type, value: Type, at: number): void {
  const space = allocator[SPACE];
  const name = nameOf(key, value);
  const word = (offset: number): number => space.u32[(at + offset) >>> 2] as number;
  const refuse = (sentence: string): never => {
    throw new PointerError("not-live", name, at, sentence);
  };
  const readable = at >>> 0 === at && at !== 0 && at % 4 === 0 && space.reaches(at + MAP_HEADER_BYTES);
  if (readable && word(0) === MAGIC) {
    if (word(AT_VERSION) !== VERSION)
      refuse(`its format has version ${word(AT_VERSION)}, this is morecore for version ${VERSION}`);
    if (word(AT_KEY_BYTES) !== key.size)
      refuse(`its keys have ${word(AT_KEY_BYTES)} bytes, expected ${key.size}`);
    if (word(AT_VALUE_BYTES) !== value.size)
      refuse(`its values have ${word(AT_VALUE_BYTES)} bytes, expected ${value.size}`);
    if (word(AT_TYPES) !== typesHash(key, value))
      refuse("its keys or values are of other types, or have other fields");
  }
  checkHeader(space, name, MAGIC, entryLayout(key, value).stride, at, MAP_HEADER_BYTES);
  const [used, capacity, slots] = [word(AT_USED), word(AT_ROOM), word(AT_SLOTS)];
  const block = word(AT_BLOCK);
  const bytes = capacity === 0 ? 0 : (capacity + 1) * entryLayout(key, value).stride + 4 * slots;
  if (slots !== 2 * capacity || (slots & (slots - 1)) !== 0 || word(AT_SIZE) > used)
    refuse(`its size ${word(AT_SIZE)}, capacity ${capacity} and ${slots} slots cannot be`);
  if (block % 4 !== 0 || (block === 0) !== (capacity === 0) || !space.reaches(block + bytes))
    refuse(`its ${bytes} bytes at 0x${block.toString(16)} cannot be`);
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
