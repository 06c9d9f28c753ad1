// Hash table: the memory of a HashMap. Entries in the order in which they came, and an index of them.
//
// Owns:  finding, adding and removing in it; growth and compaction; the order of the stores.
// Needs: hash-block, hash-header, hash-keys, hash-slots, hash-repair, allocator.
// Invariants: T1  entries 0 to used - 1 are live or holes, size of them live; holes and the other entries are zero
//             T2  each live entry's number stands in one slot, which is reached from its hash's slot over no empty one
//             T3  at least half of the slots are empty
//             (hash-check.ts; T4 in hash-repair.ts)
//
// As in CPython and V8: iteration is in order of insertion and reads only entries. Slots are probed one after the other. A
// deletion moves the slots behind it up, so that there are no tombstones among them; it leaves a hole among the entries, and
// when these are used up, either a quarter are holes and the others move together, or there will be twice as many.
//
// What is stored has been read before: none of the caller's code runs in here.

import { type Allocator, HOLDER, type MemorySource } from "../typed/allocator.ts";
import { OutOfMemoryError, PointerError } from "../typed/errors.ts";
import { DELETED, type Life } from "../typed/life.ts";
import { Moves } from "../typed/moves.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import { isOneStore, isPlace, type Type } from "../typed/type.ts";
import { HashBlock } from "./hash-block.ts";
import {
  AT_ABOUT,
  AT_ABOUT_MORE,
  AT_BLOCK,
  AT_BORN,
  AT_MOVES,
  AT_RENUMBERINGS,
  AT_ROOM,
  AT_SEED,
  AT_SIZE,
  AT_USED,
  blockBytes,
  CHANGING,
  CLEARED,
  freeMapHeader,
  GROWN,
  isMagic,
  MAGIC,
  MAP_HEADER_BYTES,
  REPLACED,
} from "./hash-header.ts";
import { type Keys, keysOf } from "./hash-keys.ts";
import { Order } from "./hash-order.ts";
import { repair } from "./hash-repair.ts";
import { closeSlot, emptySlot, fillSlots, holesOf, refuseFull } from "./hash-slots.ts";

const FIRST_CAPACITY = 4;
const MOST_BYTES = 2 ** 32 - 1;

export class HashTable extends HashBlock {
  readonly keys: Keys;
  readonly order = new Order();
  life: Life;
  /** As of which count of moves the block is known. */
  private moves = -1;
  private renumberings: number;
  private readonly born: number;
  private readonly movement: Moves;
  private readonly allocator: MemorySource;
  private readonly byOneStore: boolean;
  /** Whether what a value is read as leads to its place. */
  private readonly lends: boolean;
  /** Whether keys or values have memory of their own. */
  private readonly owns: boolean;
  /** The slot where the last search has ended. */
  private slot = 0;

  constructor(allocator: Allocator<never>, key: Type, value: Type, header: number) {
    super(allocator[SPACE], key, value, header);
    this.allocator = allocator[HOLDER](header);
    this.byOneStore = isOneStore(value);
    this.lends = isPlace(value);
    this.owns = key.drop !== undefined || value.drop !== undefined;
    this.life = this.allocator[LIFE];
    this.born = this.word(AT_BORN);
    this.renumberings = this.word(AT_RENUMBERINGS);
    this.keys = keysOf(key, this.space, this.word(AT_SEED));
    const place = `its place in ${this.name}`;
    this.movement = new Moves(place, this.life, this, this.space, header + AT_MOVES);
    this.enter();
  }

  /** What a value that is read now lives in. */
  get valueLife(): Life {
    return this.lends ? this.movement.life : this.life;
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

  /** Adds an entry with the key that `find` did not find. All or nothing. */
  add(hash: number, given: unknown): void {
    if (this.used === this.capacity) {
      this.makeRoom();
      this.slot = emptySlot(this, hash);
    }
    const number = this.used + 1;
    const at = this.block + (number - 1) * this.layout.stride;
    this.setWord(0, CHANGING);
    try {
      this.storeKey(at + this.layout.keyOffset);
      this.store(at + this.layout.valueOffset, given);
    } catch (error) {
      this.undo(at);
      throw error;
    }
    const { u32 } = this.space;
    u32[at >>> 2] = hash;
    u32[(this.slotsAt >>> 2) + this.slot] = number;
    this.setWord(AT_USED, number);
    this.setWord(AT_SIZE, this.size + 1);
    this.setWord(0, MAGIC);
  }

  /** Gives an entry another value. All or nothing. */
  replace(at: number, given: unknown): void {
    const to = at + this.layout.valueOffset;
    if (this.byOneStore) {
      this.store(to, given);
      return;
    }
    // Made in the spare entry: fields that are not given must be zero, and the old value stays if the new one cannot be made.
    const { spareAt, value } = this;
    const from = spareAt + this.layout.valueOffset;
    this.setWord(AT_ABOUT, (at - this.block) / this.layout.stride);
    this.setWord(0, CHANGING);
    try {
      this.store(from, given);
    } catch (error) {
      this.undo(spareAt);
      throw error;
    }
    this.setWord(0, REPLACED);
    value.drop?.(this.space, to, this.life);
    this.space.u8.copyWithin(to, from, from + value.size);
    this.setWord(0, CHANGING);
    this.clearEntry(spareAt);
    this.setWord(0, MAGIC);
  }

  /** Removes the entry that `find` has found last. */
  remove(at: number): void {
    const { u32 } = this.space;
    const head = this.header >>> 2;
    this.moves = (this.moves + 1) >>> 0;
    u32[head + (AT_MOVES >>> 2)] = this.moves;
    u32[head] = CHANGING;
    u32[at >>> 2] = 0;
    closeSlot(this, this.slot);
    u32[head + (AT_SIZE >>> 2)] = (u32[head + (AT_SIZE >>> 2)] as number) - 1;
    if (this.owns) this.drop(at);
    this.clearEntry(at);
    this.setWord(0, MAGIC);
  }

  /** Removes all entries; the block stays. */
  clear(): void {
    const { used } = this;
    if (used === 0) return;
    this.renumber(() => "all");
    this.setWord(0, CLEARED);
    this.setWord(AT_USED, 0);
    this.setWord(AT_SIZE, 0);
    this.space.u8.fill(0, this.slotsAt, this.blockEnd);
    this.dropAll(used);
    this.space.u8.fill(0, this.block, this.entryAt(used));
    this.setWord(0, MAGIC);
  }

  /** Room for so many live entries in all, without another move. */
  reserve(count: number): void {
    const { size, used, capacity } = this;
    if (used + (count - size) <= capacity) return;
    if (size < used) this.compact();
    let larger = Math.max(FIRST_CAPACITY, capacity);
    while (larger < count) larger *= 2;
    if (larger > capacity && !this.growTo(larger))
      throw new OutOfMemoryError(blockBytes(this.layout, larger), this.name);
  }

  /** Whether it has been disposed of, here or where else it is attached. */
  hasEnded(): boolean {
    return this.life.ended || !this.isHere();
  }

  /** Gives everything back. */
  dispose(): void {
    const { used, block, bytes } = this;
    this.moved();
    // From here on there is none: what follows may be cut short and then loses memory, no more.
    this.setWord(0, 0);
    this.dropAll(used);
    if (block !== 0) this.allocator.deallocate(block, bytes, this.layout.align);
    freeMapHeader(this.allocator, this.header);
    this.life = DELETED;
  }

  /** Whether this map, and no other, lies where it did. */
  private isHere(): boolean {
    this.space.reaches(this.header + MAP_HEADER_BYTES);
    return isMagic(this.word(0)) && this.word(AT_BORN) === this.born;
  }

  /** Reads the header anew: the arrays are old, another HashMap has moved the entries, a change was cut short, or none is here any more. */
  private reload(): void {
    this.life.check(this.name, this.header);
    if (!this.isHere()) {
      const sentence = `it has been disposed of, or overwritten: 0x${this.header.toString(16)}`;
      throw new PointerError("not-live", this.name, this.header, sentence);
    }
    if (this.word(0) !== MAGIC) {
      this.setWord(AT_RENUMBERINGS, this.word(AT_RENUMBERINGS) + 1);
      this.movement.record();
      repair(this);
      this.setWord(0, MAGIC);
    }
    if (this.renumberings !== this.word(AT_RENUMBERINGS)) this.order.renumber(() => "lost");
    this.renumberings = this.word(AT_RENUMBERINGS);
    this.moves = this.word(AT_MOVES);
    this.readHeader();
  }

  /** Entries have moved, or one goes: references to their values, here and through other HashMaps, end. */
  private moved(): void {
    this.movement.record();
    this.moves = this.word(AT_MOVES);
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
      if (size === capacity) throw new OutOfMemoryError(blockBytes(this.layout, 2 * capacity), this.name);
      this.compact();
    }
  }

  /** A larger block: entries keep their numbers. False: no memory, and all is as it was. */
  private growTo(capacity: number): boolean {
    const { allocator, block, bytes, used, layout } = this;
    const larger = blockBytes(layout, capacity);
    if (larger > MOST_BYTES) return false;
    if (block !== 0 && allocator.reallocateInPlace(block, bytes, larger, layout.align)) {
      this.extendTo(capacity);
      return true;
    }
    const to = allocator.allocate(larger, layout.align);
    if (to === 0 || !this.space.reaches(to + larger)) return false;
    const { u8 } = this.space;
    u8.copyWithin(to, block, block + used * layout.stride);
    u8.fill(0, to + used * layout.stride, to + larger);
    this.moved();
    this.setWord(AT_ABOUT, to);
    this.setWord(AT_ABOUT_MORE, capacity);
    this.setWord(0, GROWN);
    this.setWord(AT_ROOM, capacity);
    this.setWord(AT_BLOCK, to);
    this.readHeader();
    fillSlots(this);
    this.setWord(0, MAGIC);
    if (block !== 0) allocator.deallocate(block, bytes, layout.align);
    return true;
  }

  /** The block has become larger where it is: the slots' place is the entries' now. */
  private extendTo(capacity: number): void {
    const { block, spareAt, layout } = this;
    const end = block + blockBytes(layout, capacity);
    this.space.reaches(end);
    this.moved();
    this.setWord(0, CHANGING);
    this.space.u8.fill(0, spareAt, end);
    this.setWord(AT_ROOM, capacity);
    this.readHeader();
    fillSlots(this);
    this.setWord(0, MAGIC);
  }

  /** Moves the entries together, over the holes. */
  private compact(): void {
    const { used } = this;
    this.renumber(() => holesOf(this));
    this.setWord(0, CHANGING);
    const { stride } = this.layout;
    const { u8, u32 } = this.space;
    let count = 0;
    for (let index = 0; index < used; index++) {
      const hash = this.hashOf(index);
      if (hash === 0) continue;
      const [from, to] = [this.entryAt(index), this.entryAt(count)];
      if (count < index) {
        // Whole before it is there, and there before it goes from where it was.
        u8.copyWithin(to + HASH_BYTES, from + HASH_BYTES, from + stride);
        u32[to >>> 2] = hash;
        u32[from >>> 2] = 0;
      }
      count++;
    }
    u8.fill(0, this.entryAt(count), this.entryAt(used));
    u8.fill(0, this.slotsAt, this.blockEnd);
    this.setWord(AT_USED, count);
    fillSlots(this);
    this.setWord(0, MAGIC);
  }

  private storeKey(at: number): void {
    if (this.keys.store(at, this.life)) return;
    // It has needed memory, and the memory has grown.
    this.space.refresh();
    if (!this.keys.store(at, this.life)) this.refuse(this.key, at);
  }

  private store(at: number, given: unknown): void {
    const { space, value, life } = this;
    if (value.store(space, at, given as never, life)) return;
    space.refresh();
    if (!value.store(space, at, given as never, life)) this.refuse(value, at);
  }

  private refuse(type: Type, at: number): never {
    throw new PointerError("outside", type.name, at, `0x${at.toString(16)} leads beyond the memory`);
  }

  /** An entry that could not be written becomes zero again, and owns nothing. */
  private undo(at: number): void {
    this.drop(at);
    this.clearEntry(at);
    this.setWord(0, MAGIC);
  }

  private dropAll(used: number): void {
    if (!this.owns) return;
    for (let index = 0; index < used; index++) if (this.hashOf(index) !== 0) this.drop(this.entryAt(index));
  }

  private drop(at: number): void {
    this.space.reaches(this.blockEnd);
    this.key.drop?.(this.space, at + this.layout.keyOffset, this.life);
    this.value.drop?.(this.space, at + this.layout.valueOffset, this.life);
  }
}

/** Of an entry, what comes before the key. */
const HASH_BYTES = 4;
