// Hash table: the memory of a HashMap. Entries in the order in which they came, and an index of them.
//
// Owns:  the block; finding, adding and removing in it; growth and compaction.
// Needs: hash-header, hash-keys, hash-slots, allocator.
// Invariants: T1  entries 0 to used - 1 are live or holes, size of them live; holes and the other entries are zero
//             T2  each live entry's number stands in one slot, which is reached from its hash's slot over no empty one
//             T3  at least half of the slots are empty
//             (hash-check.ts)
//
// As in CPython and V8: iteration is in order of insertion and reads only entries. Slots are probed one after the other. A
// deletion moves the slots behind it up, so that there are no tombstones among them; it leaves a hole among the entries, and
// when these are used up, either a quarter are holes and the others move together, or there will be twice as many.

import type { Allocator } from "../typed/allocator.ts";
import { OutOfMemoryError, PointerError } from "../typed/errors.ts";
import { DELETED, type Life } from "../typed/life.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import {
  AT_BLOCK,
  AT_MOVES,
  AT_RENUMBERINGS,
  AT_ROOM,
  AT_SEED,
  AT_SIZE,
  AT_SLOTS,
  AT_USED,
  type EntryLayout,
  entryLayout,
  MAGIC,
  MAP_HEADER_BYTES,
  nameOf,
} from "./hash-header.ts";
import { type Keys, keysOf } from "./hash-keys.ts";
import { Order } from "./hash-order.ts";
import { Place } from "./hash-place.ts";
import { closeSlot, emptySlot, fillSlots, holesOf, refuseFull } from "./hash-slots.ts";
import { freeHeader } from "./header.ts";

/** Kinds of values that are written at once, or not at all. */
const AT_ONCE = new Set(["scalar", "raw-pointer", "pointer", "text", "utf8"]);
const FIRST_CAPACITY = 4;
const MOST_BYTES = 2 ** 32 - 1;

export class HashTable {
  readonly key: Type;
  readonly value: Type;
  readonly name: string;
  readonly layout: EntryLayout;
  readonly space: Space;
  readonly header: number;
  readonly keys: Keys;
  readonly order = new Order();
  readonly place: Place;
  life: Life;
  /** What the header says, as of `moves`. */
  block = 0;
  capacity = 0;
  slotCount = 0;
  private moves = -1;
  private renumberings = 0;
  private readonly allocator: Allocator<never>;
  private readonly atOnce: boolean;
  /** Whether a key or value is being written, which may call code of the caller's. */
  private busy = false;
  /** The slot where the last search has ended. */
  private slot = 0;

  constructor(allocator: Allocator<never>, key: Type, value: Type, header: number) {
    this.key = key;
    this.value = value;
    this.name = nameOf(key, value);
    this.layout = entryLayout(key, value);
    this.allocator = allocator;
    this.atOnce = AT_ONCE.has(value.kind);
    this.space = allocator[SPACE];
    this.life = allocator[LIFE];
    this.header = header;
    this.keys = keysOf(key, this.space, this.space.u32[(header + AT_SEED) >>> 2] as number);
    this.place = new Place(allocator, value, this.name);
    this.reload();
  }

  get size(): number {
    return this.word(AT_SIZE);
  }

  /** Entries that are or were live: where the next one goes. */
  get used(): number {
    return this.word(AT_USED);
  }

  /** Before each use: the map is there, its block within the arrays, and what is known about it true. */
  enter(): void {
    const { u32 } = this.space;
    const at = this.header >>> 2;
    if (this.life.ended || u32[at] !== MAGIC || u32[at + (AT_MOVES >>> 2)] !== this.moves) this.reload();
    else if (this.blockEnd > 4 * u32.length) this.space.reaches(this.blockEnd);
  }

  /** The address of the entry with a key; 0: there is none. */
  find(hash: number): number {
    const { block, keys } = this;
    this.slot = 0;
    if (block === 0) return 0;
    const { stride, keyOffset } = this.layout;
    const { u32 } = this.space;
    const mask = this.slotCount - 1;
    const slots = this.slotsAt >>> 2;
    const home = hash & mask;
    let slot = home;
    for (;;) {
      const number = u32[slots + slot] as number;
      if (number === 0) break;
      const at = block + (number - 1) * stride;
      if (u32[at >>> 2] === hash && keys.matches(at + keyOffset)) {
        this.slot = slot;
        return at;
      }
      slot = (slot + 1) & mask;
      if (slot === home) refuseFull(this);
    }
    this.slot = slot;
    return 0;
  }

  /** Adds an entry whose key `find` did not find. All or nothing. Gives its address. */
  add(hash: number, key: unknown, value: unknown): number {
    this.checkCalm();
    if (this.used === this.capacity) {
      this.makeRoom();
      this.slot = emptySlot(this, hash);
    }
    // Code of the caller's that runs while its key and value are read may look up others.
    const { slot } = this;
    const number = this.used + 1;
    const at = this.block + (number - 1) * this.layout.stride;
    this.write(at, true, key, value);
    const { u32 } = this.space;
    u32[at >>> 2] = hash;
    u32[(this.slotsAt >>> 2) + slot] = number;
    this.setWord(AT_USED, number);
    this.setWord(AT_SIZE, this.size + 1);
    return at;
  }

  /** Gives an entry another value. All or nothing. */
  replace(at: number, value: unknown): void {
    const to = at + this.layout.valueOffset;
    if (this.atOnce) {
      this.checkCalm();
      this.store(this.value, to, value);
      return;
    }
    // Made in the spare entry: fields that are not given must be zero, and the old value stays if the new one cannot be made.
    const spare = this.block + this.capacity * this.layout.stride;
    const from = spare + this.layout.valueOffset;
    this.write(spare, false, undefined, value);
    this.value.drop?.(this.space, to, this.life);
    this.space.u8.copyWithin(to, from, from + this.value.size);
    this.clearEntry(spare);
  }

  /** Removes the entry that `find` has found last. */
  remove(at: number): void {
    this.checkCalm();
    closeSlot(this, this.slot);
    this.setWord(AT_SIZE, this.size - 1);
    this.space.u32[at >>> 2] = 0;
    this.drop(at);
    this.clearEntry(at);
  }

  /** Removes all entries; the block stays. */
  clear(): void {
    this.checkCalm();
    const { used } = this;
    if (used === 0) return;
    this.renumber(() => "all");
    this.setWord(AT_USED, 0);
    this.setWord(AT_SIZE, 0);
    this.space.u8.fill(0, this.slotsAt, this.blockEnd);
    for (let index = 0; index < used; index++) if (this.hashOf(index) !== 0) this.drop(this.entryAt(index));
    this.space.u8.fill(0, this.block, this.entryAt(used));
  }

  /** Room for so many live entries in all, without another move. */
  reserve(count: number): void {
    this.checkCalm();
    const { size, used, capacity } = this;
    if (used + (count - size) <= capacity) return;
    if (size < used) this.compact();
    let larger = Math.max(FIRST_CAPACITY, capacity);
    while (larger < count) larger *= 2;
    if (larger > capacity && !this.growTo(larger))
      throw new OutOfMemoryError(this.bytesOf(larger), this.name);
  }

  /** Gives everything back. */
  dispose(): void {
    this.clear();
    if (this.block !== 0)
      this.allocator.deallocate(this.block, this.bytesOf(this.capacity), this.layout.align);
    this.setWord(0, 0);
    freeHeader(this.allocator, this.header, MAP_HEADER_BYTES);
    this.place.close();
    this.life = DELETED;
  }

  entryAt(index: number): number {
    return this.block + index * this.layout.stride;
  }

  /** The hash of an entry; 0: it is a hole. */
  hashOf(index: number): number {
    return this.space.u32[this.entryAt(index) >>> 2] as number;
  }

  get slotsAt(): number {
    return this.block + (this.capacity + 1) * this.layout.stride;
  }

  get bytes(): number {
    return this.capacity === 0 ? 0 : this.bytesOf(this.capacity);
  }

  checkCalm(): void {
    if (this.busy)
      throw new TypeError(`${this.name}: cannot be changed while a key or value is being written`);
  }

  private get blockEnd(): number {
    return this.block + this.bytes;
  }

  private bytesOf(capacity: number): number {
    return (capacity + 1) * this.layout.stride + 8 * capacity;
  }

  private word(offset: number): number {
    return this.space.u32[(this.header + offset) >>> 2] as number;
  }

  private setWord(offset: number, value: number): void {
    this.space.u32[(this.header + offset) >>> 2] = value;
  }

  /** Reads the header anew: the arrays are old, or another HashMap has moved the entries, or there is none here any more. */
  private reload(): void {
    this.life.check(this.name, this.header);
    this.space.reaches(this.header + MAP_HEADER_BYTES);
    if (this.word(0) !== MAGIC) {
      const hex = `0x${this.header.toString(16)}`;
      throw new PointerError(
        "not-live",
        this.name,
        this.header,
        `it has been disposed of, or overwritten: ${hex}`,
      );
    }
    if (this.moves !== this.word(AT_MOVES)) this.place.end();
    if (this.renumberings !== this.word(AT_RENUMBERINGS)) this.order.renumber(() => "lost");
    this.renumberings = this.word(AT_RENUMBERINGS);
    this.moves = this.word(AT_MOVES);
    this.block = this.word(AT_BLOCK);
    this.capacity = this.word(AT_ROOM);
    this.slotCount = this.word(AT_SLOTS);
    this.space.reaches(this.blockEnd);
  }

  /** Entries have moved: references to their values, here and through other HashMaps, are void. */
  private moved(): void {
    this.setWord(AT_MOVES, (this.moves + 1) >>> 0);
    this.reload();
  }

  private renumber(closed: () => Uint32Array | "all"): void {
    this.order.renumber(closed);
    this.renumberings = (this.renumberings + 1) >>> 0;
    this.setWord(AT_RENUMBERINGS, this.renumberings);
    this.moved();
  }

  /** Room for one more. Short of memory, any hole will do. */
  private makeRoom(): void {
    const { size, capacity } = this;
    if (capacity > 0 && 4 * size <= 3 * capacity) this.compact();
    else if (!this.growTo(Math.max(FIRST_CAPACITY, 2 * capacity))) {
      if (size === capacity) throw new OutOfMemoryError(this.bytesOf(2 * capacity), this.name);
      this.compact();
    }
  }

  /** A larger block: entries keep their numbers. False: no memory, and all is as it was. */
  private growTo(capacity: number): boolean {
    const { allocator, block, bytes, used, layout } = this;
    const larger = this.bytesOf(capacity);
    if (larger > MOST_BYTES) return false;
    const to =
      block === 0
        ? allocator.allocate(larger, layout.align)
        : allocator.reallocate(block, bytes, larger, layout.align);
    if (to === 0 || !this.space.reaches(to + larger)) return false;
    this.setWord(AT_BLOCK, to);
    this.setWord(AT_ROOM, capacity);
    this.setWord(AT_SLOTS, 2 * capacity);
    this.moved();
    this.space.u8.fill(0, this.entryAt(used), this.blockEnd);
    fillSlots(this);
    return true;
  }

  /** Moves the entries together, over the holes. */
  private compact(): void {
    const { used } = this;
    this.renumber(() => holesOf(this));
    const { stride } = this.layout;
    const { u8 } = this.space;
    let count = 0;
    for (let index = 0; index < used; index++) {
      if (this.hashOf(index) === 0) continue;
      const from = this.entryAt(index);
      if (count < index) u8.copyWithin(this.entryAt(count), from, from + stride);
      count++;
    }
    u8.fill(0, this.entryAt(count), this.entryAt(used));
    u8.fill(0, this.slotsAt, this.blockEnd);
    this.setWord(AT_USED, count);
    fillSlots(this);
  }

  /** Writes into an entry that is zero; if that throws, it is zero again, and owns nothing. */
  private write(at: number, withKey: boolean, key: unknown, value: unknown): void {
    this.checkCalm();
    this.busy = true;
    try {
      const { keyOffset, valueOffset } = this.layout;
      if (withKey && !this.keys.store(at + keyOffset, key, this.life))
        this.store(this.key, at + keyOffset, key);
      this.store(this.value, at + valueOffset, value);
    } catch (error) {
      this.drop(at);
      this.clearEntry(at);
      throw error;
    } finally {
      this.busy = false;
    }
  }

  private store(type: Type, at: number, value: unknown): void {
    const given = type.read(this.space, value) as never;
    if (type.store(this.space, at, given, this.life)) return;
    // It has needed memory, and the memory has grown.
    this.space.refresh();
    if (type.store(this.space, at, given, this.life)) return;
    throw new PointerError("outside", type.name, at, `0x${at.toString(16)} leads beyond the memory`);
  }

  private drop(at: number): void {
    this.space.reaches(this.blockEnd);
    this.key.drop?.(this.space, at + this.layout.keyOffset, this.life);
    this.value.drop?.(this.space, at + this.layout.valueOffset, this.life);
  }

  private clearEntry(at: number): void {
    this.space.u8.fill(0, at, at + this.layout.stride);
  }
}
