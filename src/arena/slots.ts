// Slots: a slot map's bytes at work: finding, taking and freeing slots, moving values, growing.
//
// Owns:  what a slot map has in memory, but not the public calls.
// Needs: an Allocator, key, slot-image.
// Invariants: those of slot-image.ts, after every call
//
// The header is read at each call, as others may have the same map in hand; nothing is kept here but what never changes.

import type { MemorySource } from "../typed/allocator.ts";
import { OutOfMemoryError, PointerError, UseAfterFreeError } from "../typed/errors.ts";
import { type Life, OwnedLife } from "../typed/life.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import {
  checkKey,
  indexOf,
  LAST_ID,
  LAST_VERSION,
  MOST_SLOTS,
  makeKey,
  makeTag,
  tagOf,
  versionOf,
} from "./key.ts";
import * as image from "./slot-image.ts";

/** Values that the first growth makes room for. */
const FIRST_CAPACITY = 8;
const MOST_BYTES = 2 ** 32 - 1;
let lastId = 0;

/** How a new map is to be. */
export interface NewSlots {
  readonly id?: number;
  readonly versionLimit?: number;
}

export class Slots {
  readonly name: string;
  readonly id: number;
  /** The header's address. */
  readonly ptr: number;
  readonly type: Type;
  readonly space: Space;
  readonly stride: number;
  readonly allocator: MemorySource;
  /** Of the references that were given since values moved last; at the end, ended. */
  life: OwnedLife;
  /** Whether any were. */
  private lent = false;
  /** The header's first word. */
  private readonly head: number;

  /** At an address, where there is a sound map for the type. */
  constructor(allocator: MemorySource, type: Type, ptr: number, name?: string) {
    this.allocator = allocator;
    this.type = type;
    this.ptr = ptr;
    this.space = allocator[SPACE];
    this.stride = image.strideOf(type);
    this.head = ptr >>> 2;
    this.id = this.space.u32[this.head + image.AT_ID] as number;
    this.name = name ?? `slot map ${this.id}`;
    this.life = this.begin();
  }

  /** Lays out an empty map's header, and gives its address. Throws an OutOfMemoryError. */
  static format(allocator: MemorySource, type: Type, options: NewSlots): number {
    const space = allocator[SPACE];
    allocator[LIFE].check("a slot map", 0);
    const at = allocator.allocate(image.HEADER_BYTES, 4);
    if (at === 0 || !space.reaches(at + image.HEADER_BYTES))
      throw new OutOfMemoryError(image.HEADER_BYTES, "a slot map");
    const id = options.id ?? (lastId % LAST_ID) + 1;
    lastId = id;
    const header = space.u32.subarray(at >>> 2, (at + image.HEADER_BYTES) >>> 2).fill(0);
    header[image.AT_MAGIC] = image.MAGIC;
    header[image.AT_FORMAT] = image.FORMAT;
    header[image.AT_ID] = id;
    header[image.AT_BYTES] = type.size;
    header[image.AT_ALIGN] = type.align;
    header[image.AT_VERSION_LIMIT] = options.versionLimit ?? LAST_VERSION;
    return at;
  }

  /** A word of the header. */
  word(index: number): number {
    return this.words()[this.head + index] as number;
  }

  /** The life for a reference that is given: it ends when values move. */
  lend(): Life {
    this.lent = true;
    return this.life;
  }

  /** Where a key's value lies; 0: nowhere. */
  find(call: string, key: number): number {
    // What only looks like a number is no key.
    const at = typeof key === "number" ? this.seek(this.words(), key) : 0;
    return at === 0 ? this.seekAgain(call, key) : at;
  }

  private seek(words: Uint32Array, key: number): number {
    const { head } = this;
    const index = indexOf(key);
    if (index >= (words[head + image.AT_SLOT_COUNT] as number)) return 0;
    const slot = this.slotAt(words, index);
    if (words[slot] !== tagOf(key) + image.LIVE) return 0;
    return (words[head + image.AT_VALUES] as number) + (words[slot + 1] as number) * this.stride;
  }

  /** No such slot is live, or it lies where shared memory has grown to. */
  private seekAgain(call: string, key: number): number {
    const words = this.wordsOfAll();
    return checkKey(call, key, this.name, this.id) ? this.seek(words, key) : 0;
  }

  /** The memory's words; of those, the header is there. Throws once the map has ended. */
  words(): Uint32Array {
    const { space, head, life } = this;
    if (life.ended) life.check("a value", head * 4);
    if (space.u32[head] === image.MAGIC) return space.u32;
    space.refresh();
    if (space.u32[head] === image.MAGIC) return space.u32;
    life.ended = true;
    throw new UseAfterFreeError("a value", head * 4, this.name, "had ended elsewhere");
  }

  /** The memory's words; of those, all that the map has are there. */
  wordsOfAll(): Uint32Array {
    const words = this.words();
    const { head, space } = this;
    const end = (at: number, each: number): number =>
      (words[head + at] as number) + (words[head + at + 1] as number) * each;
    space.reaches(end(image.AT_SLOTS, image.SLOT_BYTES));
    space.reaches(end(image.AT_OWNERS, image.OWNER_BYTES));
    space.reaches(end(image.AT_VALUES, this.stride));
    return space.u32;
  }

  private slotAt(words: Uint32Array, index: number): number {
    return ((words[this.head + image.AT_SLOTS] as number) >>> 2) + 2 * index;
  }

  /** The address of a value. */
  valueAt(index: number): number {
    return (this.words()[this.head + image.AT_VALUES] as number) + index * this.stride;
  }

  /** The slot of a value. */
  ownerOf(index: number): number {
    const words = this.wordsOfAll();
    return words[((words[this.head + image.AT_OWNERS] as number) >>> 2) + index] as number;
  }

  /** The key of a value. */
  keyAt(index: number): number {
    return this.readKey(this.words(), index) || this.readKey(this.wordsOfAll(), index);
  }

  /** 0: it lies where shared memory has grown to. */
  private readKey(words: Uint32Array, index: number): number {
    const owner = words[((words[this.head + image.AT_OWNERS] as number) >>> 2) + index];
    const first = owner === undefined ? undefined : words[this.slotAt(words, owner)];
    return owner === undefined || first === undefined ? 0 : makeKey(first - image.LIVE, owner);
  }

  /** What is given for a value. */
  load(at: number): unknown {
    const { type, space } = this;
    const life = this.lend();
    const value = type.load(space, at, life);
    if (value !== undefined) return value;
    if (space.reaches(at + this.stride)) return type.load(space, at, life);
    throw this.beyond(at);
  }

  /** Writes a value; throws what its type throws. */
  store(at: number, value: unknown): void {
    const { type, space, life } = this;
    if (type.store(space, at, value as never, life)) return;
    space.refresh();
    if (!type.store(space, at, value as never, life)) throw this.beyond(at);
  }

  private beyond(at: number): PointerError {
    return new PointerError("outside", this.type.name, at, `a value of ${this.name} lies beyond the memory`);
  }

  /** Puts a value that has been written behind the last one in use, and gives its key. */
  add(): number {
    const words = this.wordsOfAll();
    const { head } = this;
    const size = words[head + image.AT_SIZE] as number;
    const index = this.takeSlot(words);
    words[((words[head + image.AT_OWNERS] as number) >>> 2) + size] = index;
    const slot = this.slotAt(words, index);
    const tag = words[slot] as number;
    words[slot] = tag + image.LIVE;
    words[slot + 1] = size;
    words[head + image.AT_SIZE] = size + 1;
    return makeKey(tag, index);
  }

  /** Takes the slot that was freed last, or a new one. */
  private takeSlot(words: Uint32Array): number {
    const { head } = this;
    const free = words[head + image.AT_FREE] as number;
    if (free !== 0) {
      words[head + image.AT_FREE] = words[this.slotAt(words, free - 1) + 1] as number;
      return free - 1;
    }
    const index = words[head + image.AT_SLOT_COUNT] as number;
    words[head + image.AT_SLOT_COUNT] = index + 1;
    words[this.slotAt(words, index)] = makeTag(this.id, 1);
    return index;
  }

  /** Drops a live slot's value, closes the gap with the last one, and frees or retires the slot. */
  remove(index: number): void {
    const { head, space, stride } = this;
    let words = this.wordsOfAll();
    const slot = this.slotAt(words, index);
    const gap = words[slot + 1] as number;
    this.type.drop?.(space, this.valueAt(gap), this.life);
    words = this.wordsOfAll();
    const last = (words[head + image.AT_SIZE] as number) - 1;
    if (gap !== last) {
      const from = this.valueAt(last);
      space.u8.copyWithin(this.valueAt(gap), from, from + stride);
      const owners = (words[head + image.AT_OWNERS] as number) >>> 2;
      const owner = words[owners + last] as number;
      words[owners + gap] = owner;
      words[this.slotAt(words, owner) + 1] = gap;
    }
    words[head + image.AT_SIZE] = last;
    const tag = (words[slot] as number) - image.LIVE;
    if (versionOf(tag) >= (words[head + image.AT_VERSION_LIMIT] as number)) {
      words[slot] = tag + image.RETIRED;
      words[slot + 1] = 0;
      words[head + image.AT_RETIRED] = (words[head + image.AT_RETIRED] as number) + 1;
      return;
    }
    words[slot] = tag + 1;
    words[slot + 1] = words[head + image.AT_FREE] as number;
    words[head + image.AT_FREE] = index + 1;
  }

  /** Sees to it that one more value fits. */
  makeRoom(): void {
    const words = this.wordsOfAll();
    const { head } = this;
    const size = words[head + image.AT_SIZE] as number;
    const slots = words[head + image.AT_SLOT_COUNT] as number;
    if (words[head + image.AT_FREE] === 0) {
      if (slots >= MOST_SLOTS)
        throw new RangeError(`insert: expected fewer than ${MOST_SLOTS} slots in ${this.name}, all are used`);
      this.growTo(image.AT_SLOTS, image.SLOT_BYTES, 4, slots + 1);
    }
    this.growTo(image.AT_OWNERS, image.OWNER_BYTES, 4, size + 1);
    this.growTo(image.AT_VALUES, this.stride, this.type.align, size + 1);
  }

  /** Sees to it that so many values fit. Throws an OutOfMemoryError. */
  reserve(count: number): void {
    const grow = (at: number, each: number, alignment: number, capacity: number): void => {
      if (this.word(at + 1) >= capacity) return;
      if (!this.resize(at, each, alignment, capacity)) throw new OutOfMemoryError(capacity * each, this.name);
    };
    grow(image.AT_SLOTS, image.SLOT_BYTES, 4, Math.min(MOST_SLOTS, count + this.word(image.AT_RETIRED)));
    grow(image.AT_OWNERS, image.OWNER_BYTES, 4, count);
    grow(image.AT_VALUES, this.stride, this.type.align, count);
  }

  /** How many values fit. */
  capacity(): number {
    return Math.min(
      this.word(image.AT_OWNER_CAPACITY),
      this.word(image.AT_VALUE_CAPACITY),
      this.word(image.AT_SLOT_CAPACITY) - this.word(image.AT_RETIRED),
    );
  }

  /** Doubles an array that is full; when memory is short, makes it as large as can be. */
  private growTo(at: number, each: number, alignment: number, need: number): void {
    const capacity = this.words()[this.head + at + 1] as number;
    if (capacity >= need) return;
    for (let more = Math.max(capacity, FIRST_CAPACITY); more > 1; more >>>= 1)
      if (this.resize(at, each, alignment, Math.min(MOST_SLOTS, capacity + more))) return;
    if (!this.resize(at, each, alignment, need)) throw new OutOfMemoryError(need * each, this.name);
  }

  /** Gives an array another capacity; false: no memory, and it is as it was. */
  private resize(at: number, each: number, alignment: number, capacity: number): boolean {
    const { head, allocator, space } = this;
    const words = this.wordsOfAll();
    const from = words[head + at] as number;
    const had = words[head + at + 1] as number;
    const bytes = capacity * each;
    if (bytes > MOST_BYTES) return false;
    const to =
      had === 0
        ? allocator.allocate(bytes, alignment)
        : allocator.reallocate(from, had * each, bytes, alignment);
    if (to === 0 || !space.reaches(to + bytes)) return false;
    const anew = this.words();
    anew[head + at] = to;
    anew[head + at + 1] = capacity;
    if (at === image.AT_VALUES && to !== from) this.moved();
    return true;
  }

  /** Whether the map has ended, here or where else it is attached. */
  hasEnded(): boolean {
    if (this.life.ended) return true;
    if (this.space.u32[this.head] !== image.MAGIC) this.space.refresh();
    return this.space.u32[this.head] !== image.MAGIC;
  }

  /** Gives the arrays and the header back. The values have been removed. */
  giveBack(): void {
    const words = this.words();
    const { head, allocator } = this;
    const word = (index: number): number => words[head + index] as number;
    const blocks: [at: number, bytes: number, alignment: number][] = [
      [word(image.AT_VALUES), word(image.AT_VALUE_CAPACITY) * this.stride, this.type.align],
      [word(image.AT_OWNERS), word(image.AT_OWNER_CAPACITY) * image.OWNER_BYTES, 4],
      [word(image.AT_SLOTS), word(image.AT_SLOT_CAPACITY) * image.SLOT_BYTES, 4],
      [this.ptr, image.HEADER_BYTES, 4],
    ];
    // Whoever else is attached to these bytes is to notice.
    words[head + image.AT_MAGIC] = 0;
    this.life.ended = true;
    for (const [at, bytes, alignment] of blocks) if (at !== 0) allocator.deallocate(at, bytes, alignment);
  }

  private begin(): OwnedLife {
    return new OwnedLife(`its place in ${this.name}`, this.allocator, () => false, this);
  }

  /** Values lie elsewhere now: references that were given lead to others, or to none. */
  moved(): void {
    if (!this.lent) return;
    this.lent = false;
    if (!this.space.checking) return;
    this.life.ended = true;
    this.life = this.begin();
  }
}
