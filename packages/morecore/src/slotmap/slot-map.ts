// SlotMap: values side by side, each with a key that stays good until that value is removed, and never afterwards.
//
// Owns:  the public calls.
// Needs: slots, which has the memory.
//
// A key names a slot and the slot's version; the slot says where the value is. A remove moves the last value into the gap and
// raises the version. A slot whose versions are used up is retired: eight bytes lost, never a key that is good again. The next
// key is that of the slot that was freed last, or of a new one: the same calls give the same keys, also after save and load.
//
// A value is read first, once and whole; that may run the caller's code, which may change the map. Then the map is looked at anew and
// written to. So a call within another one comes before it.

import { Printed } from "../memory/printed.ts";
import { type Allocator, checkType, ELEMENTS, HOLDS } from "../typed/allocator.ts";
import { DISPOSE } from "../typed/disposal.ts";
import { checkOptions, checkValue } from "../typed/options.ts";
import type { Ptr } from "../typed/raw-pointer.ts";
import { type AnyRef, AT, endRef, LIFE, SPACE } from "../typed/ref.ts";
import type { Type } from "../typed/type.ts";
import type { ArrayRef, Init, Plain, Value } from "../typed/values.ts";
import { checkHeader, checkImage } from "./check.ts";
import { AT_RETIRED, AT_SIZE, HEADER_BYTES } from "./image.ts";
import { indexOf, type Key, type KeyType, LAST_ID, LAST_VERSION, MOST_SLOTS } from "./key.ts";
import { Slots } from "./slots.ts";

/** What a slot map can be told when it is made. */
export interface SlotMapOptions<K> {
  /** As messages show it. */
  readonly name?: string;
  /** What tells its keys from those of other maps at compile time. Default: the type of the values. */
  readonly key?: KeyType<K>;
  /** What tells its keys from those of other maps at run time, from 1 to 255. Default: the next one, and after 255 again 1. */
  readonly id?: number;
  /** How many values there is to be room for at the beginning. */
  readonly capacity?: number;
  /** How many keys a slot gives before it is retired. Default, and the most: 524 287. */
  readonly versionLimit?: number;
}

/**
 * Values side by side, each with a key that is good until that value is removed, and never afterwards. Keys
 * are exact numbers, and can be kept in memory. `insert`, `get` and `remove` are O(1).
 *
 * @example
 *
 * ```ts
 * const Point = struct({ x: f64, y: f64 });
 * const points = new SlotMap(Heap.create(), Point);
 * const key = points.insert({ x: 1 });
 * console.log(points.get(key)?.x, points.remove(key), points.get(key)); // 1 true undefined
 * ```
 */
export class SlotMap<T extends Type, L = unknown, K = T> extends Printed implements Disposable {
  /** The type of the values. */
  declare readonly type: T;
  declare private readonly slots: Slots;

  /** An empty map in an allocator's memory, or, for `attach`, the one at an address. Throws an OutOfMemoryError. */
  constructor(allocator: Allocator<L>, type: T, options: SlotMapOptions<K> = {}, attachTo?: number) {
    super();
    checkType("slot map", type);
    checkOptions("slot map", options, {
      name: "a string",
      key: "a type",
      id: [1, LAST_ID],
      capacity: [0, MOST_SLOTS],
      versionLimit: [1, LAST_VERSION],
    });
    this.type = type;
    const at = attachTo ?? Slots.format(allocator, type, options);
    this.slots = new Slots(allocator, type, at, options.name);
    // Not one that is attached: its bytes have not been checked, and must stay as they are.
    if (options.capacity === undefined) return;
    try {
      this.slots.reserve(options.capacity);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * The slot map at an address, such as one in a heap that was saved and loaded. The same keys are good, and the next ones
   * will be the same. Throws a SlotMapFormatError for bytes that are no sound slot map of such values. A change that was cut
   * short, as the process ended in it, is finished or undone. O(slots).
   */
  static attach<T extends Type, L = unknown, K = T>(
    allocator: Allocator<L>,
    type: T,
    ptr: number,
    options: Pick<SlotMapOptions<K>, "name" | "key"> = {},
  ): SlotMap<T, L, K> {
    checkType("attach", type);
    checkOptions("attach", options, { name: "a string", key: "a type" });
    const found = checkHeader(allocator[SPACE], ptr, type);
    if (allocator[SPACE].checking && !allocator[HOLDS](ptr, HEADER_BYTES))
      found.refuse("it was not made by this allocator; attach by the heap or the arena that it lies in");
    const map = new SlotMap<T, L, K>(allocator, type, options, ptr);
    checkImage(allocator[SPACE], ptr, type);
    return map;
  }

  /** The name in messages. */
  get name(): string {
    return this.slots.name;
  }

  /** What tells its keys from those of other maps. */
  get id(): number {
    return this.slots.id;
  }

  /** The address of its header: what `attach` takes. */
  get ptr(): number {
    return this.slots.ptr;
  }

  /** How many values there are. */
  get size(): number {
    return this.slots.word(AT_SIZE);
  }

  /** How many values there is room for before it needs more memory. */
  get capacity(): number {
    return this.slots.capacity();
  }

  /** How many slots have given all their keys. */
  get retired(): number {
    return this.slots.word(AT_RETIRED);
  }

  /**
   * Takes a value in: a struct's fields, or a scalar. Throws an OutOfMemoryError, or what the value's type throws, and then
   * nothing has changed; a RangeError when 2^26 slots are in use or retired. O(size) on average.
   */
  insert(value: Init<T, L>): Key<K> {
    const given = this.type.read(this.slots.space, value);
    this.slots.makeRoom();
    return this.slots.add(given) as Key<K>;
  }

  /**
   * The value of a key: a reference, or a scalar; undefined if it has been removed. A reference is for now: values move when
   * any is removed, or when the map grows, here or elsewhere. While checking, its use after that throws. Throws a TypeError
   * for a key of a map with another id. O(1).
   */
  get(key: Key<K>): Value<T, L, L> | undefined {
    const at = this.slots.find("get", key);
    return at === 0 ? undefined : (this.slots.load(at) as Value<T, L, L>);
  }

  /** The address of a key's value, for now; 0 if it has been removed. O(1). */
  ptrOf(key: Key<K>): Ptr<T> {
    return this.slots.find("ptrOf", key) as Ptr<T>;
  }

  /** Whether the value of a key is here. O(1). */
  has(key: Key<K>): boolean {
    return this.slots.find("has", key) !== 0;
  }

  /** Writes a key's value; of a struct, the fields that are given. False: it has been removed. O(size). */
  set(key: Key<K>, value: Init<T, L>): boolean {
    const given = this.type.read(this.slots.space, value);
    const at = this.slots.find("set", key);
    if (at !== 0) this.slots.store(at, given);
    return at !== 0;
  }

  /**
   * As `set`, and gives a plain copy of the value that the key had; undefined: it has been removed, and nothing is written.
   * O(size).
   */
  replace(key: Key<K>, value: Init<T, L>): Plain<T> | undefined {
    const { slots, type } = this;
    const given = type.read(slots.space, value);
    const at = slots.find("replace", key);
    if (at === 0) return undefined;
    const old = this.copyAt(at);
    slots.store(at, given);
    return old;
  }

  /** Removes a key's value, and gives back what it owned. False: it had been removed. O(1). */
  remove(key: Key<K>): boolean {
    if (this.slots.find("remove", key) === 0) return false;
    this.slots.remove(indexOf(key));
    return true;
  }

  /** Removes a key's value and gives a plain copy of it. O(size). */
  take(key: Key<K>): Plain<T> | undefined {
    const at = this.slots.find("take", key);
    if (at === 0) return undefined;
    const copy = this.copyAt(at);
    this.remove(key);
    return copy;
  }

  /** Removes all values, as if one by one from the last to the first. The memory stays. O(size). */
  clear(): void {
    this.slots.clear();
  }

  /** Sees to it that there is room for so many values. Throws an OutOfMemoryError. O(bytes) if values move. */
  reserve(count: number): void {
    checkValue("reserve", count, [0, MOST_SLOTS]);
    this.slots.reserve(count);
  }

  /**
   * The keys in the order of the values. That is the order of insertion, except that a remove puts the last one in the place
   * of the removed one. The one at hand may be removed meanwhile; new ones come, too; who removes an earlier one may miss
   * one.
   */
  *keys(): Generator<Key<K>, void, undefined> {
    for (let index = 0; index < this.size; ) {
      const key = this.slots.keyAt(index);
      yield key as Key<K>;
      if (this.isAt(index, key)) index++;
    }
  }

  /** The values in the order of `keys`. */
  *values(): Generator<Value<T, L, L>, void, undefined> {
    for (const key of this.keys()) yield this.get(key) as Value<T, L, L>;
  }

  /** Keys and values in the order of `keys`. */
  *[Symbol.iterator](): Generator<[Key<K>, Value<T, L, L>], void, undefined> {
    for (const key of this.keys()) yield [key, this.get(key) as Value<T, L, L>];
  }

  /**
   * Calls a function for each value, in the order of `keys`, and as freely. For structs it is one reference that is moved along:
   * no objects are made. It cannot be used afterwards.
   */
  forEach(visit: (value: Value<T, L, L>, key: Key<K>) => void): void {
    const { slots, type } = this;
    const isMoved = type.kind === "struct" && this.size > 0;
    const cursor = isMoved ? (slots.load(slots.valueAt(0)) as AnyRef) : undefined;
    try {
      for (let index = 0; index < this.size; ) {
        const key = slots.keyAt(index);
        const at = slots.valueAt(index);
        if (cursor) {
          cursor[AT] = at;
          cursor[LIFE] = slots.lend();
        }
        visit((cursor ?? slots.load(at)) as Value<T, L, L>, key as Key<K>);
        if (this.isAt(index, key)) index++;
      }
    } finally {
      if (cursor) endRef(cursor);
    }
  }

  /**
   * All values side by side, for now: as references from `get`. Of scalars: `map.dense().view()` is a typed array. O(1).
   */
  dense(): ArrayRef<T, L> {
    const { slots, type } = this;
    return slots.allocator[ELEMENTS](type, slots.valueAt(0), this.size, slots.lend());
  }

  /** Throws a SlotMapFormatError unless every invariant holds. O(slots). */
  check(): void {
    this.slots.words();
    checkImage(this.slots.space, this.ptr, this.type);
  }

  /**
   * Ends the map: what values own is given back, then its memory. A second time does nothing, here or where else it is
   * attached. O(1), and O(size) where values own memory.
   */
  dispose(): void {
    if (!this.slots.hasEnded()) this.slots.dispose();
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /** Without the values: to show them would make a tenth of what a page carries for slot maps. */
  protected override summary(): string {
    const has = this.slots.hasEnded() ? " (ended)" : `(${this.size} of ${this.capacity})`;
    return `SlotMap<${this.type.name.slice(0, 60)}>${has} ${JSON.stringify(this.name)}`;
  }

  private isAt(index: number, key: number): boolean {
    return index < this.size && this.slots.keyAt(index) === key;
  }

  private copyAt(at: number): Plain<T> {
    const { slots, type } = this;
    slots.space.reaches(at + slots.stride);
    return type.copy(slots.space, at) as Plain<T>;
  }
}
