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
//     slot    +0  tag, and whether it is live or retired    +4  live: which value; free: the next free slot, plus 1
//     owners  for each value, its slot
//     values  side by side
//
// All of it in the allocator's memory, so that a heap that is saved and loaded has its maps in it as they were.

import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import { idOf, LAST_ID, LAST_VERSION, MOST_SLOTS, versionOf } from "./key.ts";

export const MAGIC = 0x544f_4c53;
export const FORMAT = 1;
export const HEADER_BYTES = 64;
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

/** In a slot's first word, above its tag. */
export const LIVE: number = 2 ** 27;
export const RETIRED: number = 2 ** 28;
const TAG_MASK = LIVE - 1;

/** The bytes at an address are no slot map for this type, or a broken one. */
export class SlotMapFormatError extends Error {
  override readonly name = "SlotMapFormatError";
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

/** Throws a SlotMapFormatError unless a sound slot map for the type lies at an address. O(slots). */
export function checkImage(space: Space, ptr: number, type: Type): void {
  const refuse = (sentence: string): never => {
    throw new SlotMapFormatError(ptr, sentence);
  };
  if (ptr === 0 || ptr % 4 !== 0) refuse("expected an address that is a multiple of 4, and not 0");
  if (!space.reaches(ptr + HEADER_BYTES)) refuse(`the memory ends before it, at ${space.u8.length} bytes`);
  const header = space.u32.subarray(ptr / 4, (ptr + HEADER_BYTES) / 4);
  const word = (index: number): number => header[index] as number;
  if (word(AT_MAGIC) !== MAGIC)
    refuse(`expected the magic number 0x${MAGIC.toString(16)}, found 0x${word(AT_MAGIC).toString(16)}`);
  if (word(AT_FORMAT) !== FORMAT)
    refuse(`it has format version ${word(AT_FORMAT)}, this is for version ${FORMAT}`);
  if (word(AT_BYTES) !== type.size || word(AT_ALIGN) !== type.align)
    refuse(
      `its values have ${word(AT_BYTES)} bytes, aligned to ${word(AT_ALIGN)}; a ${type.name} has ${type.size}, aligned to ${type.align}`,
    );
  const broken = brokenHeader(space, word, ptr, strideOf(type), type.align) ?? brokenSlots(space, word);
  if (broken !== undefined) refuse(broken);
}

type Words = (index: number) => number;

/** What contradicts itself in a header, if anything. */
function brokenHeader(
  space: Space,
  word: Words,
  header: number,
  stride: number,
  align: number,
): string | undefined {
  if (word(AT_ID) < 1 || word(AT_ID) > LAST_ID) return `its id is ${word(AT_ID)}`;
  const limit = word(AT_VERSION_LIMIT);
  if (limit < 1 || limit > LAST_VERSION) return `its version limit is ${limit}`;
  if (word(AT_SLOT_CAPACITY) > MOST_SLOTS) return `it has room for ${word(AT_SLOT_CAPACITY)} slots`;
  const arrays = [
    ["slots", AT_SLOTS, AT_SLOT_COUNT, SLOT_BYTES, 4],
    ["owners", AT_OWNERS, AT_SIZE, OWNER_BYTES, 4],
    ["values", AT_VALUES, AT_SIZE, stride, align],
  ] as const;
  const taken: [name: string, from: number, end: number][] = [["header", header, header + HEADER_BYTES]];
  for (const [name, at, used, each, alignment] of arrays) {
    const [ptr, capacity] = [word(at), word(at + 1)];
    const end = ptr + capacity * each;
    if (word(used) > capacity) return `${word(used)} ${name} are in use, of ${capacity}`;
    if (capacity > 0 && (ptr === 0 || ptr % alignment !== 0 || !space.reaches(end)))
      return `its ${capacity} ${name} at 0x${ptr.toString(16)} cannot lie there`;
    const other = taken.find(([, from, past]) => ptr < past && from < end);
    if (other !== undefined) return `its ${name} and its ${other[0]} overlap`;
    taken.push([name, ptr, end]);
  }
  return undefined;
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
    const tag = first & TAG_MASK;
    const version = versionOf(tag);
    if (
      first >= LIVE + RETIRED ||
      idOf(tag) !== word(AT_ID) ||
      version < 1 ||
      version > word(AT_VERSION_LIMIT)
    )
      return `slot ${index} has the tag 0x${first.toString(16)}`;
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
