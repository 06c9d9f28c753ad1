// Slots: a slot map's bytes at work: finding, taking and freeing slots, moving values, growing.
//
// Owns:  what a slot map does in memory, but not the public calls; the order of the stores.
// Needs: an Allocator, key, image, slot-words, repair, moves.
// Invariants: those of image.ts, after every call; C1 of repair.ts after every store
//
// The header is read at each call, as others may have the same map in hand; nothing is kept here but what never changes. What is
// stored has been read before: none of the caller's code runs in here.

import { HOLDER, type MemorySource } from "../typed/allocator.ts";
import { OutOfMemoryError, PointerError, UseAfterFreeError } from "../typed/errors.ts";
import { DELETED, type Life } from "../typed/life.ts";
import { Moves } from "../typed/moves.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import { isPlace, type Type } from "../typed/type.ts";
import type { SlotArray } from "./image.ts";
import * as image from "./image.ts";
import { checkKey, indexOf, LAST_ID, LAST_VERSION, MOST_SLOTS, makeKey, makeTag, tagOf } from "./key.ts";
import { repair } from "./repair.ts";
import { SlotWords } from "./slot-words.ts";

/** Values that the first growth makes room for. */
const FIRST_CAPACITY = 8;
const MOST_BYTES = 2 ** 32 - 1;
let lastId = 0;

/** How a new map is to be. */
export interface NewSlots {
  readonly id?: number;
  readonly versionLimit?: number;
}

export class Slots extends SlotWords {
  declare readonly name: string;
  declare readonly id: number;
  declare readonly allocator: MemorySource;
  declare life: Life;
  declare private readonly movement: Moves;
  /** Whether what a value is read as leads to its place. */
  declare private readonly lends: boolean;
  declare private readonly born: number;

  /** At an address, where the header of a map for the type has been checked. A change that was cut short is settled. */
  constructor(allocator: MemorySource, type: Type, ptr: number, name?: string) {
    super(allocator[SPACE], ptr, type);
    this.allocator = allocator[HOLDER](ptr);
    this.life = this.allocator[LIFE];
    this.lends = isPlace(type);
    this.id = this.at(image.AT_ID);
    this.born = this.at(image.AT_BORN);
    this.name = name ?? `slot map ${this.id}`;
    const place = `its place in ${this.name}`;
    this.movement = new Moves(place, this.life, this, this.space, ptr + 4 * image.AT_MOVES);
    this.words();
  }

  /** Lays out an empty map's header, and gives its address. Throws an OutOfMemoryError. */
  static format(allocator: MemorySource, type: Type, options: NewSlots): number {
    const space = allocator[SPACE];
    allocator[LIFE].check("a slot map", 0);
    const at = allocator.allocate(image.HEADER_BYTES, 4);
    if (at === 0 || !space.reaches(at + image.HEADER_BYTES))
      throw new OutOfMemoryError(image.HEADER_BYTES, "a slot map");
    lastId = options.id ?? (lastId % LAST_ID) + 1;
    const counts = [image.AT_MOVES, image.AT_BORN].map((word) => Moves.first(space, at + 4 * word));
    const header = space.u32.subarray(at >>> 2, (at + image.HEADER_BYTES) >>> 2).fill(0);
    // In the order of the words, from AT_MAGIC on.
    header.set([
      image.MAGIC,
      image.FORMAT,
      lastId,
      type.size,
      type.align,
      options.versionLimit ?? LAST_VERSION,
    ]);
    header.set(counts, image.AT_MOVES);
    return at;
  }

  /** A word of the header. */
  word(index: number): number {
    return this.words()[this.head + index] as number;
  }

  /** The life for what leads to a value's place: it ends when values move or one goes. */
  lend(): Life {
    return this.movement.life;
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
    const { life, head } = this;
    const words = this.space.u32;
    if (life.ended) life.check("a value", this.ptr);
    if (words[head] === image.MAGIC && words[head + image.AT_BORN] === this.born) return words;
    return this.wordsAgain();
  }

  /** The arrays are old, a change was cut short, or this map has ended elsewhere. */
  private wordsAgain(): Uint32Array {
    if (!this.isHere()) throw new UseAfterFreeError("a value", this.ptr, this.name, "had ended elsewhere");
    if (this.at(image.AT_MAGIC) !== image.MAGIC) {
      repair(this);
      this.movement.record();
      this.put(image.AT_MAGIC, image.MAGIC);
    }
    return this.space.u32;
  }

  /** Whether this map, and no other, lies where it did. */
  private isHere(): boolean {
    this.space.reaches(this.ptr + image.HEADER_BYTES);
    return image.isMagic(this.at(image.AT_MAGIC)) && this.at(image.AT_BORN) === this.born;
  }

  /** The memory's words; of those, all that the map has are there. */
  wordsOfAll(): Uint32Array {
    this.words();
    this.reach();
    return this.space.u32;
  }

  /** The address of a value. */
  valueAt(index: number): number {
    this.words();
    return this.valueAddress(index);
  }

  /** The key of a value. */
  keyAt(index: number): number {
    return this.readKey(this.words(), index) || this.readKey(this.wordsOfAll(), index);
  }

  /** 0: it lies where shared memory has grown to. */
  private readKey(words: Uint32Array, index: number): number {
    const owner = words[((words[this.head + image.AT_OWNERS] as number) >>> 2) + index] as number;
    // Of an owner that is not there, there is no such word either.
    const first = words[this.slotAt(words, owner)];
    return first === undefined ? 0 : makeKey(first - image.LIVE, owner);
  }

  /** What is given for a value. */
  load(at: number): unknown {
    const { type, space } = this;
    const life = this.lends ? this.movement.life : this.life;
    const value = type.load(space, at, life);
    if (value !== undefined) return value;
    if (space.reaches(at + this.stride)) return type.load(space, at, life);
    throw this.beyond(at);
  }

  /** Writes a value that has been read; throws what its type throws. */
  store(at: number, given: unknown): void {
    const { type, space, life } = this;
    if (type.store(space, at, given as never, life)) return;
    space.refresh();
    if (!type.store(space, at, given as never, life)) throw this.beyond(at);
  }

  /** The same where none is; if it cannot be written, nothing of it stays. */
  private storeNew(at: number, given: unknown): void {
    const { space, type, life } = this;
    space.u8.fill(0, at, at + this.stride);
    try {
      this.store(at, given);
    } catch (error) {
      type.drop?.(space, at, life);
      throw error;
    }
  }

  private beyond(at: number): PointerError {
    return new PointerError("outside", this.type.name, at, `a value of ${this.name} lies beyond the memory`);
  }

  /** Puts a value behind the last one, and gives its key. There is room. All or nothing. */
  add(given: unknown): number {
    this.storeNew(this.valueAt(this.at(image.AT_SIZE)), given);
    const words = this.wordsOfAll();
    const { head } = this;
    const size = words[head + image.AT_SIZE] as number;
    words[head] = image.CHANGING;
    const index = this.takeSlot(words);
    words[((words[head + image.AT_OWNERS] as number) >>> 2) + size] = index;
    const slot = this.slotAt(words, index);
    const tag = words[slot] as number;
    words[slot + 1] = size;
    words[slot] = tag + image.LIVE;
    words[head + image.AT_SIZE] = size + 1;
    words[head] = image.MAGIC;
    return makeKey(tag, index);
  }

  /** Takes the slot that was freed last, or a new one: first from where it is found, then what it says may change. */
  private takeSlot(words: Uint32Array): number {
    const { head } = this;
    const free = words[head + image.AT_FREE] as number;
    if (free !== 0) {
      words[head + image.AT_FREE] = words[this.slotAt(words, free - 1) + 1] as number;
      return free - 1;
    }
    const index = words[head + image.AT_SLOT_COUNT] as number;
    words[this.slotAt(words, index)] = makeTag(this.id, 1);
    words[head + image.AT_SLOT_COUNT] = index + 1;
    return index;
  }

  /** Removes a live slot's value, closes the gap with the last one, and frees or retires the slot. */
  remove(index: number): void {
    this.wordsOfAll();
    this.movement.record();
    this.put(image.AT_MAGIC, image.CHANGING);
    this.release(index, this.life);
    this.put(image.AT_MAGIC, image.MAGIC);
  }

  /** Removes all values, as if one by one from the last to the first. */
  clear(): void {
    this.wordsOfAll();
    let size = this.at(image.AT_SIZE);
    if (size === 0) return;
    this.movement.record();
    this.put(image.AT_MAGIC, image.CLEARED);
    while (size-- > 0) this.release(this.owner(size), this.life);
    this.put(image.AT_MAGIC, image.MAGIC);
  }

  /** Sees to it that one more value fits. */
  makeRoom(): void {
    this.wordsOfAll();
    const size = this.at(image.AT_SIZE);
    if (size < this.capacity()) return;
    if (size + this.at(image.AT_RETIRED) >= MOST_SLOTS)
      throw new RangeError(`insert: expected fewer than ${MOST_SLOTS} slots in ${this.name}, all are used`);
    this.reserve(size + 1, true);
  }

  /** Sees to it that so many values fit. Throws an OutOfMemoryError. */
  reserve(count: number, doubles = false): void {
    const [slots, owners, values] = this.arrays;
    this.growTo(slots, Math.min(MOST_SLOTS, count + this.word(image.AT_RETIRED)), doubles);
    this.growTo(owners, count, doubles);
    this.growTo(values, count, doubles);
  }

  /** How many values fit. */
  capacity(): number {
    this.words();
    const slots = this.at(image.AT_SLOT_CAPACITY) - this.at(image.AT_RETIRED);
    return Math.min(slots, this.at(image.AT_OWNER_CAPACITY), this.at(image.AT_VALUE_CAPACITY));
  }

  /** Sees to it that an array has room. `doubles`: so that it lasts; when memory is short, as much as can be. */
  private growTo(array: SlotArray, need: number, doubles: boolean): void {
    const capacity = this.word(array.at + 1);
    if (capacity >= need) return;
    for (let more = doubles ? Math.max(capacity, FIRST_CAPACITY) : 0; more > 1; more >>>= 1)
      if (this.resize(array, Math.min(MOST_SLOTS, capacity + more))) return;
    if (!this.resize(array, need)) throw new OutOfMemoryError(need * array.each, this.name);
  }

  /** Gives an array another capacity; false: no memory, and it is as it was. */
  private resize({ at, each, align }: SlotArray, capacity: number): boolean {
    const { allocator, space } = this;
    const bytes = capacity * each;
    if (bytes > MOST_BYTES) return false;
    const [from, had] = [this.word(at), this.word(at + 1) * each];
    if (had > 0 && allocator.reallocateInPlace(from, had, bytes, align)) {
      this.words()[this.head + at + 1] = capacity;
      return true;
    }
    const to = allocator.allocate(bytes, align);
    if (to === 0 || !space.reaches(to + bytes)) return false;
    space.u8.copyWithin(to, from, from + had);
    if (at === image.AT_VALUES) this.movement.record();
    this.put(image.AT_ABOUT, at);
    this.put(image.AT_ABOUT + 1, to);
    this.put(image.AT_ABOUT + 2, capacity);
    this.put(image.AT_MAGIC, image.GROWN);
    this.adopt();
    this.put(image.AT_MAGIC, image.MAGIC);
    if (had > 0) allocator.deallocate(from, had, align);
    return true;
  }

  /** Whether the map has ended, here or where else it is attached. */
  hasEnded(): boolean {
    return this.life.ended || !this.isHere();
  }

  /** Ends the map: gives back what values own, the arrays and the header. */
  dispose(): void {
    this.wordsOfAll();
    const { allocator } = this;
    this.movement.record();
    // From here on there is none: what follows may be cut short and then loses memory, no more.
    this.put(image.AT_MAGIC, 0);
    const { drop } = this.type;
    if (drop)
      for (let value = this.at(image.AT_SIZE) - 1; value >= 0; value--)
        drop(this.space, this.valueAddress(value), this.life);
    for (const { at, each, align } of [...this.arrays].reverse()) {
      const [ptr, bytes] = [this.at(at), this.at(at + 1) * each];
      if (ptr !== 0) allocator.deallocate(ptr, bytes, align);
    }
    allocator.deallocate(this.ptr, image.HEADER_BYTES, 4);
    this.life = DELETED;
  }
}
