// SecondaryMap: more about what a slot map's keys stand for: values of JavaScript, or in memory, beside the map.
//
// Owns:  values by slot, each with the key that it was set for.
// Needs: the slot map, to tell whether a key is still good.
//
// What was set for a key that has been removed since is never given again. It is let go of when its slot gets another value, or
// by prune(). A value is read first, once and whole, and then the map and the column are looked at: a call within comes before.

import { cut, Printed, shown } from "../memory/printed.ts";
import { type Allocator, checkType, ENDING, HOLDER, type MemorySource } from "../typed/allocator.ts";
import { DISPOSE } from "../typed/disposal.ts";
import { OutOfMemoryError, PointerError } from "../typed/errors.ts";
import { nextNumber, OwnedLife } from "../typed/life.ts";
import { checkOptions } from "../typed/options.ts";
import { LIFE, SPACE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import type { Init, Value } from "../typed/values.ts";
import { indexOf, type Key } from "./key.ts";

/** What a secondary map asks of its slot map. */
export interface KeySource<K> {
  /** Whether a key is good. Throws a TypeError for another map's. */
  has(key: Key<K>): boolean;
}

/**
 * Any values of JavaScript by the keys of a slot map.
 *
 * @example
 *
 * ```ts
 * const players = new SlotMap(Heap.create(), f64);
 * const sockets = new SecondaryMap<string, typeof f64>(players);
 * const key = players.insert(1);
 * sockets.set(key, "socket 1");
 * players.remove(key);
 * console.log(sockets.get(key)); // undefined
 * ```
 */
export class SecondaryMap<V, K> extends Printed {
  private readonly source: KeySource<K>;
  /** By slot: the key that the value was set for; 0: none. */
  private readonly keyOf: number[] = [];
  private readonly valueIn: (V | undefined)[] = [];

  /** Of a slot map, or of anything that says which keys are good. */
  constructor(source: KeySource<K>) {
    super();
    this.source = source;
  }

  /**
   * Sets the value of a key. False: the key has been removed from the slot map, and nothing is kept. O(1) on average.
   */
  set(key: Key<K>, value: V): boolean {
    if (!this.source.has(key)) return false;
    const index = indexOf(key);
    while (this.keyOf.length <= index) {
      this.keyOf.push(0);
      this.valueIn.push(undefined);
    }
    this.keyOf[index] = key;
    this.valueIn[index] = value;
    return true;
  }

  /** The value of a key; undefined if there is none, or the key has been removed from the slot map. O(1). */
  get(key: Key<K>): V | undefined {
    return this.has(key) ? this.valueIn[indexOf(key)] : undefined;
  }

  /** Whether a key is good and has a value here. O(1). */
  has(key: Key<K>): boolean {
    return this.source.has(key) && this.keyOf[indexOf(key)] === key;
  }

  /** Lets go of a key's value. False: there was none. O(1). */
  remove(key: Key<K>): boolean {
    if (!this.has(key)) return false;
    this.forget(indexOf(key));
    return true;
  }

  /** Lets go of all values. */
  clear(): void {
    this.keyOf.length = 0;
    this.valueIn.length = 0;
  }

  /** Lets go of values whose keys have been removed from the slot map. O(slots). */
  prune(): void {
    for (const [index, key] of this.keyOf.entries())
      if (key !== 0 && !this.source.has(key as Key<K>)) this.forget(index);
  }

  /** How many values there are. O(slots): a remove from the slot map is not told here. */
  get size(): number {
    let count = 0;
    for (const _ of this) count += 1;
    return count;
  }

  /** Keys and values, by slot. */
  *[Symbol.iterator](): Generator<[Key<K>, V], void, undefined> {
    for (let index = 0; index < this.keyOf.length; index++) {
      const key = this.keyOf[index] as Key<K>;
      if (key !== 0 && this.source.has(key)) yield [key, this.valueIn[index] as V];
    }
  }

  protected override summary(): string {
    return `SecondaryMap(${this.size})`;
  }

  private forget(index: number): void {
    this.keyOf[index] = 0;
    this.valueIn[index] = undefined;
  }
}

const KEY_BYTES = 8;
const FIRST_CAPACITY = 8;
const MOST_BYTES = 2 ** 32 - 1;

/**
 * Structs or scalars in an allocator's memory by the keys of a slot map.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const players = new SlotMap(heap, f64);
 * const scores = new SecondaryColumn(players, heap, u32);
 * const key = players.insert(1);
 * scores.set(key, 100);
 * console.log(scores.get(key)); // 100
 * ```
 */
export class SecondaryColumn<T extends Type, K, L = unknown> extends Printed implements Disposable {
  /** The name in messages. */
  readonly name: string;
  /** The type of the values. */
  readonly type: T;
  private readonly source: KeySource<K>;
  private readonly allocator: MemorySource;
  private readonly space: Space;
  private readonly stride: number;
  private readonly leaveSource: () => void;
  /** Of the references that were given since values moved last. */
  private life: OwnedLife;
  /** Whether any were. */
  private lent = false;
  /** Slots that there is room for; behind their values there is a spare one, zero. */
  private capacity = 0;
  private keysAt = 0;
  private valuesAt = 0;

  /** Takes nothing until something is set. */
  constructor(
    source: KeySource<K>,
    allocator: Allocator<L>,
    type: T,
    options: { readonly name?: string } = {},
  ) {
    super();
    checkType("secondary column", type);
    checkOptions("secondary column", options, { name: "a string" });
    this.source = source;
    this.allocator = allocator[HOLDER]();
    this.type = type;
    this.name = options.name ?? `secondary column ${nextNumber()}`;
    this.space = allocator[SPACE];
    this.stride = Math.max(1, type.size);
    allocator[LIFE].check("a secondary column", 0);
    this.life = this.begin();
    this.leaveSource = this.allocator[ENDING](() => {
      this.life.ended = true;
    });
  }

  /**
   * Sets the value of a key, whole: fields that are not given are zero. False: the key has been removed from the slot map, and
   * nothing is kept. Throws an OutOfMemoryError, or what the value's type throws; then the key has the value that it had.
   * O(size) on average.
   */
  set(key: Key<K>, value: Init<T, L>): boolean {
    const { space, stride, type } = this;
    const given = type.read(space, value);
    if (!this.isGood(key)) return false;
    const index = indexOf(key);
    if (index >= this.capacity) this.grow(index + 1);
    space.reaches(this.keysAt + this.capacity * KEY_BYTES);
    const spare = this.valuesAt + this.capacity * stride;
    this.store(spare, given);
    // What another key had in this slot is taken away.
    if (this.keyAt(index) !== key) this.forget(index);
    const to = this.valuesAt + index * stride;
    type.drop?.(space, to, this.life);
    space.u8.copyWithin(to, spare, spare + stride);
    space.u8.fill(0, spare, spare + stride);
    space.f64[(this.keysAt >>> 3) + index] = key;
    return true;
  }

  /**
   * The value of a key: a reference, or a scalar; undefined as `SecondaryMap.get`. A reference is good until the column grows,
   * or lets go of any value. O(1).
   */
  get(key: Key<K>): Value<T, L, L> | undefined {
    if (!this.has(key)) return undefined;
    const at = this.valuesAt + indexOf(key) * this.stride;
    this.space.reaches(at + this.stride);
    this.lent = true;
    return this.type.load(this.space, at, this.life) as Value<T, L, L>;
  }

  /** Whether a key is good and has a value here. O(1). */
  has(key: Key<K>): boolean {
    return this.isGood(key) && this.keyAt(indexOf(key)) === key;
  }

  /** Lets go of a key's value and of what it owned. False: there was none. O(1). */
  remove(key: Key<K>): boolean {
    if (!this.has(key)) return false;
    this.forget(indexOf(key));
    return true;
  }

  /** Lets go of all values; the memory stays. O(slots). */
  clear(): void {
    this.life.check("a value", 0);
    for (let index = 0; index < this.capacity; index++) this.forget(index);
  }

  /** Lets go of values whose keys have been removed from the slot map. O(slots). */
  prune(): void {
    this.life.check("a value", 0);
    for (let index = 0; index < this.capacity; index++) {
      const key = this.keyAt(index) as Key<K>;
      if (key !== 0 && !this.isGood(key)) this.forget(index);
    }
  }

  /** How many values there are. O(slots). */
  get size(): number {
    let count = 0;
    for (const _ of this) count += 1;
    return count;
  }

  /** Keys and values, by slot. */
  *[Symbol.iterator](): Generator<[Key<K>, Value<T, L, L>], void, undefined> {
    for (let index = 0; index < this.capacity; index++) {
      const key = this.keyAt(index) as Key<K>;
      if (key !== 0 && this.isGood(key)) yield [key, this.get(key) as Value<T, L, L>];
    }
  }

  /** Ends the column: what values own is given back, then the memory. A second time does nothing. O(slots). */
  dispose(): void {
    if (this.life.ended) return;
    this.clear();
    this.life.ended = true;
    this.leaveSource();
    this.freeArrays();
    this.capacity = 0;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  protected override summary(): string {
    const title = `SecondaryColumn<${cut(this.type.name)}>`;
    if (this.life.ended) return `${title} ${shown(this.name)} (ended)`;
    return `${title}(${this.size}) ${shown(this.name)}`;
  }

  /** The key that a slot's value was set for; 0: it has none. */
  private keyAt(index: number): number {
    if (index >= this.capacity) return 0;
    this.space.reaches(this.keysAt + this.capacity * KEY_BYTES);
    return this.space.f64[(this.keysAt >>> 3) + index] as number;
  }

  /** Whether the slot map has a key's value. The column is there, also after any code of the source's has run. */
  private isGood(key: Key<K>): boolean {
    this.life.check("a value", 0);
    const good = this.source.has(key);
    this.life.check("a value", 0);
    return good;
  }

  private forget(index: number): void {
    const { space, type } = this;
    if (this.keyAt(index) === 0) return;
    this.moved();
    const at = this.valuesAt + index * this.stride;
    space.reaches(at + this.stride);
    space.f64[(this.keysAt >>> 3) + index] = 0;
    type.drop?.(space, at, this.life);
    space.u8.fill(0, at, at + this.stride);
  }

  /** Writes a value where none is; if it cannot be, nothing of it stays. */
  private store(at: number, given: unknown): void {
    const { space, type, stride } = this;
    try {
      if (space.reaches(at + stride) && type.store(space, at, given as never, this.life)) return;
      space.refresh();
      if (!type.store(space, at, given as never, this.life))
        throw new PointerError("outside", type.name, at, `a value of ${this.name} lies beyond the memory`);
    } catch (error) {
      type.drop?.(space, at, this.life);
      space.u8.fill(0, at, at + stride);
      throw error;
    }
  }

  /** Room for so many slots: both arrays anew, so that a lack of memory for either changes nothing. */
  private grow(need: number): void {
    const capacity = Math.max(need, FIRST_CAPACITY, 2 * this.capacity);
    const { allocator, space, stride, type } = this;
    const bytes = (capacity + 1) * stride;
    const fits = bytes <= MOST_BYTES && capacity * KEY_BYTES <= MOST_BYTES;
    const keys = fits ? allocator.allocate(capacity * KEY_BYTES, KEY_BYTES) : 0;
    const values = keys === 0 ? 0 : allocator.allocate(bytes, type.align);
    if (values === 0) {
      if (keys !== 0) allocator.deallocate(keys, capacity * KEY_BYTES, KEY_BYTES);
      throw new OutOfMemoryError(bytes + capacity * KEY_BYTES, this.name);
    }
    space.reaches(Math.max(keys + capacity * KEY_BYTES, values + bytes));
    const { u8 } = space;
    const [hadKeys, hadBytes] = [this.capacity * KEY_BYTES, this.capacity * stride];
    u8.copyWithin(keys, this.keysAt, this.keysAt + hadKeys);
    u8.fill(0, keys + hadKeys, keys + capacity * KEY_BYTES);
    u8.copyWithin(values, this.valuesAt, this.valuesAt + hadBytes);
    u8.fill(0, values + hadBytes, values + bytes);
    this.moved();
    this.freeArrays();
    this.capacity = capacity;
    this.keysAt = keys;
    this.valuesAt = values;
  }

  private freeArrays(): void {
    const { allocator, capacity, stride, type } = this;
    if (capacity === 0) return;
    allocator.deallocate(this.valuesAt, (capacity + 1) * stride, type.align);
    allocator.deallocate(this.keysAt, capacity * KEY_BYTES, KEY_BYTES);
  }

  /** Values lie elsewhere, or one goes: references that were given end. */
  private moved(): void {
    if (!this.lent) return;
    this.lent = false;
    if (!this.space.checking) return;
    this.life.ended = true;
    this.life = this.begin();
  }

  private begin(): OwnedLife {
    return new OwnedLife(`its place in ${this.name}`, this.allocator, this);
  }
}
