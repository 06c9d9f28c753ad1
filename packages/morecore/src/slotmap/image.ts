// Slot image: a slot map's bytes, and whether they are sound.
//
// Owns:  the header's layout, the slots' layout, the checks of both.
// Needs: space, key.
// Invariants: K1  a slot is live, free or retired; live ones and values in use belong together, one to one      O(slots)
//             K2  the free list goes through every free slot once, and ends                                       O(slots)
//             K3  every tag has the map's id and a version from 1 to the limit                                    O(slots)
//
//     header  +0  magic "SLOT"   +4  format version   +8  id           +12 bytes of a value   +16 its alignment
//             +20 version limit  +24 slots    +28 slot capacity        +32 slots ever used
//             +36 owners         +40 owner capacity    +44 values      +48 value capacity
//             +52 size (values in use)  +56 first free slot, plus 1    +60 retired slots
//             +64 moves          +68 born     +72 +76 +80 what a change is about
//     slot    +0  tag, and whether it is live or retired    +4  live: which value; free: the next free slot, plus 1
//     owners  for each value, its slot
//     values  side by side
//
// All of it in the allocator's memory, so that a heap that is saved and loaded has its maps in it as they were.
//
// The magic number says also whether a change is under way, and which: whoever finds another one than MAGIC finishes the change, or
// undoes it (repair.ts). A process may end between any two stores.

import { isWord, refuseWord } from "../memory/arguments.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import { idOf, LAST_ID, LAST_VERSION, MOST_SLOTS, versionOf } from "./key.ts";

/** Nothing is under way. */
export const MAGIC = 0x544f_4c53;
/** What is found from slots and values may not agree with them: owners, size, free list. */
export const CHANGING: number = MAGIC + 1;
/** A larger array has all that the old one has: ABOUT says which array, then its address, then what it has room for. */
export const GROWN: number = MAGIC + 2;
/** No value is there any more. */
export const CLEARED: number = MAGIC + 3;

export const FORMAT = 2;
export const HEADER_BYTES = 84;
export const SLOT_BYTES = 8;
export const OWNER_BYTES = 4;

/** Words of the header. */
export const AT_MAGIC = 0;
export const AT_FORMAT = 1;
export const AT_ID = 2;
export const AT_BYTES = 3;
export const AT_ALIGN = 4;
export const AT_VERSION_LIMIT = 5;
export const AT_SLOTS = 6;
export const AT_SLOT_CAPACITY = 7;
export const AT_SLOT_COUNT = 8;
export const AT_OWNERS = 9;
export const AT_OWNER_CAPACITY = 10;
export const AT_VALUES = 11;
export const AT_VALUE_CAPACITY = 12;
export const AT_SIZE = 13;
export const AT_FREE = 14;
export const AT_RETIRED = 15;
export const AT_MOVES = 16;
/** Another number than that of the map that had the same place before. */
export const AT_BORN = 17;
export const AT_ABOUT = 18;

/** In a slot's first word, above its tag. */
export const LIVE: number = 2 ** 27;
export const RETIRED: number = 2 ** 28;
const TAG_MASK: number = LIVE - 1;

/**
 * The bytes at an address are no slot map for this type, or a broken one.
 *
 * @example
 *
 * ```ts
 * try {
 *   SlotMap.attach(Heap.create(), f64, 1024);
 * } catch (error) {
 *   console.log(error instanceof SlotMapFormatError && error.address); // 1024
 * }
 * ```
 */
export class SlotMapFormatError extends Error {
  override readonly name = "SlotMapFormatError";
  /** Where a slot map was expected. */
  readonly address: number;

  constructor(address: number, sentence: string) {
    super(`no slot map to attach to at 0x${address.toString(16)}: ${sentence}`);
    this.address = address;
  }
}

/** Bytes from one value to the next. */
export function strideOf(type: Type): number {
  return Math.max(1, type.size);
}

/** Whether a header's first word says that a slot map is here. */
export function isMagic(word: number): boolean {
  return word >= MAGIC && word <= CLEARED;
}

/** Throws a SlotMapFormatError unless a sound slot map for the type lies at an address. O(slots). */
export function checkImage(space: Space, ptr: number, type: Type): void {
  const broken = brokenSlots(space, checkHeader(space, ptr, type));
  if (broken !== undefined) throw new SlotMapFormatError(ptr, broken);
}

/** Throws a SlotMapFormatError unless the header of a slot map for the type lies at an address; gives its words. */
export function checkHeader(space: Space, ptr: number, type: Type): Words {
  const refuse = (sentence: string): never => {
    throw new SlotMapFormatError(ptr, sentence);
  };
  if (!isWord(ptr)) refuseWord("ptr", ptr);
  if (ptr === 0 || ptr % 4 !== 0) refuse("expected an address that is a multiple of 4, and not 0");
  if (!space.reaches(ptr + HEADER_BYTES)) refuse(`the memory ends before it, at ${space.u8.length} bytes`);
  const word = (index: number): number => space.u32[(ptr >>> 2) + index] as number;
  if (!isMagic(word(AT_MAGIC)))
    refuse(`expected the magic number 0x${MAGIC.toString(16)}, found 0x${word(AT_MAGIC).toString(16)}`);
  if (word(AT_FORMAT) !== FORMAT)
    refuse(`it has format version ${word(AT_FORMAT)}, this is for version ${FORMAT}`);
  if (word(AT_BYTES) !== type.size || word(AT_ALIGN) !== type.align)
    refuse(
      `its values have ${word(AT_BYTES)} bytes, aligned to ${word(AT_ALIGN)}; a ${type.name} has ${type.size}, aligned to ${type.align}`,
    );
  const broken = brokenHeader(space, ptr, word, type);
  if (broken !== undefined) refuse(broken);
  return word;
}

export type Words = (index: number) => number;

/** What contradicts itself in a header, if anything. */
function brokenHeader(space: Space, header: number, word: Words, type: Type): string | undefined {
  if (word(AT_ID) < 1 || word(AT_ID) > LAST_ID) return `its id is ${word(AT_ID)}`;
  const limit = word(AT_VERSION_LIMIT);
  if (limit < 1 || limit > LAST_VERSION) return `its version limit is ${limit}`;
  const phase = word(AT_MAGIC);
  if (phase === GROWN && ![AT_SLOTS, AT_OWNERS, AT_VALUES].includes(word(AT_ABOUT)))
    return `array ${word(AT_ABOUT)} has grown, which is none`;
  const stride = strideOf(type);
  const arrays = [
    ["slots", AT_SLOTS, AT_SLOT_COUNT, SLOT_BYTES, 4],
    ["owners", AT_OWNERS, AT_SIZE, OWNER_BYTES, 4],
    ["values", AT_VALUES, AT_SIZE, stride, type.align],
  ] as const;
  const taken: [name: string, from: number, end: number][] = [["header", header, header + HEADER_BYTES]];
  for (const [name, at, used, each, alignment] of arrays) {
    // A growth that was cut short: the address may be the old array's, the capacity the new one's.
    const from = phase === GROWN && word(AT_ABOUT) === at ? AT_ABOUT + 1 : at;
    const [ptr, capacity] = [word(from), word(from + 1)];
    const end = ptr + capacity * each;
    if (capacity > MOST_SLOTS) return `it has room for ${capacity} ${name}`;
    if (word(used) > capacity) return `${word(used)} ${name} are in use, of ${capacity}`;
    if (!canLie(space, ptr, capacity * each, alignment, header))
      return `its ${capacity} ${name} at 0x${ptr.toString(16)} cannot lie there`;
    const other = taken.find(([, from, past]) => ptr < past && from < end);
    if (other !== undefined) return `its ${name} and its ${other[0]} overlap`;
    taken.push([name, ptr, end]);
  }
  return undefined;
}

function canLie(space: Space, ptr: number, bytes: number, alignment: number, header: number): boolean {
  if (bytes === 0) return ptr === 0;
  if (ptr === 0 || ptr % alignment !== 0 || !space.reaches(ptr + bytes)) return false;
  return ptr >= header + HEADER_BYTES || ptr + bytes <= header;
}

/** Whether a slot's first word can be one of the map. */
function isTagOf(first: number, word: Words): boolean {
  const tag = first & TAG_MASK;
  const version = versionOf(tag);
  return (
    first < LIVE + RETIRED && idOf(tag) === word(AT_ID) && version >= 1 && version <= word(AT_VERSION_LIMIT)
  );
}

/** What cannot have come from a change that was cut short, in slots of which the header has been checked; undefined: nothing. */
export function beyondRepair(space: Space, word: Words): string | undefined {
  const count = word(AT_SLOT_COUNT);
  const slots = word(AT_SLOTS) >>> 2;
  const seen = new Set<number>();
  for (let index = 0; index < count; index++) {
    const first = space.u32[slots + 2 * index] as number;
    const value = space.u32[slots + 2 * index + 1] as number;
    if (!isTagOf(first, word)) return `slot ${index} has the tag 0x${first.toString(16)}`;
    if (first < LIVE || first >= RETIRED) continue;
    if (value >= word(AT_VALUE_CAPACITY) || seen.has(value))
      return `slot ${index} cannot have value ${value}`;
    seen.add(value);
  }
  // A removal leaves one gap, and the last value behind it.
  let most = -1;
  for (const value of seen) most = Math.max(most, value);
  return most <= seen.size ? undefined : `value ${most} of ${seen.size} lies beyond a gap`;
}

function brokenSlots(space: Space, word: Words): string | undefined {
  const words = space.u32;
  const [slots, owners] = [word(AT_SLOTS) >>> 2, word(AT_OWNERS) >>> 2];
  const count = word(AT_SLOT_COUNT);
  let live = 0;
  let retired = 0;
  for (let index = 0; index < count; index++) {
    const first = words[slots + 2 * index] as number;
    const value = words[slots + 2 * index + 1] as number;
    if (!isTagOf(first, word)) return `slot ${index} has the tag 0x${first.toString(16)}`;
    if (first >= RETIRED) retired += 1;
    else if (first >= LIVE) {
      live += 1;
      if (value >= word(AT_SIZE) || words[owners + value] !== index)
        return `slot ${index} and its value ${value} do not belong together`;
    }
  }
  if (live !== word(AT_SIZE)) return `${live} slots are live, of ${word(AT_SIZE)} values`;
  if (retired !== word(AT_RETIRED)) return `${retired} slots are retired, of ${word(AT_RETIRED)}`;
  return brokenList(words, slots, word, count - live - retired);
}

function brokenList(words: Uint32Array, slots: number, word: Words, free: number): string | undefined {
  let left = free;
  for (let next = word(AT_FREE); next !== 0; left--) {
    const first = words[slots + 2 * (next - 1)] as number;
    if (left === 0 || next > word(AT_SLOT_COUNT) || first >= LIVE)
      return `the free list leads to slot ${next - 1}, which is not free, or a second time`;
    next = words[slots + 2 * (next - 1) + 1] as number;
  }
  return left === 0 ? undefined : `${left} free slots are not in the free list`;
}
