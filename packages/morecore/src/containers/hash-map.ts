// HashMap: keys and values in the memory, found by hashing, in the order in which they came. JavaScript's Map, Rust's HashMap.
//
// Owns:  what a map is for people: arguments, types, iterators.
// Needs: hash-table, hash-header.
//
// It behaves as Map does, also when it is changed while it is iterated over; keys are compared by their contents as the type
// holds them, with -0 and 0 alike, and NaN equal to itself. Nothing of it is outside the memory but what is known of it: several
// HashMaps may be attached to the same. References to values hold until entries move or one is taken away: until an insertion
// needs room, a delete, clear or dispose, through whichever of them. While checking, later uses throw.
//
// Key and value are read first, once and whole; that may run the caller's code, which may change the map. Then the map is looked
// at anew and written to. So a call within another one comes before it.
//
// The default seed is 0, so that the same calls leave the same bytes. Who feeds a map with keys from strangers gives a random
// one: keys that all collide are easily made otherwise, and make each call O(n). Of strings, lone surrogates become U+FFFD, as
// everywhere in UTF-8.

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { cut, listed, Printed, shown } from "../memory/printed.ts";
import { type Allocator, checkType } from "../typed/allocator.ts";
import { DISPOSE } from "../typed/disposal.ts";
import { checkOptions } from "../typed/options.ts";
import type { Ptr } from "../typed/raw-pointer.ts";
import { SPACE } from "../typed/ref.ts";
import type { ArrayType, Fields, StructType, Type } from "../typed/type.ts";
import type { HoldsRefs, Init, Plain, Value } from "../typed/values.ts";
import { checkHashTable, type HashReport, reportOn } from "./hash-check.ts";
import { checkMapHeader, freeMapHeader, MAP_HEADER_BYTES, makeMapHeader, nameOf } from "./hash-header.ts";
import { HashIterator } from "./hash-iterator.ts";
import { keysOf } from "./hash-keys.ts";
import { HashTable } from "./hash-table.ts";
import { checkHeld } from "./header.ts";

/** What a HashMap can be told when it is made. */
export interface HashMapOptions {
  /** Room for so many entries from the beginning. */
  readonly capacity?: number;
  /** What hashes depend on: a whole number below 2^32. Default 0. */
  readonly seed?: number;
}

/** What iterators give for a key: structs and arrays as copies, since a key in a map must not change. */
export type KeyOf<K, L, B> = K extends StructType<Fields> | ArrayType<unknown> ? Plain<K> : Value<K, L, B>;

/**
 * JavaScript's Map in a heap's memory: keys and values of any types, in the order of insertion. Keys are
 * compared by content. `get`, `set`, `has` and `delete` are O(1) on average. References to values hold until
 * entries move.
 *
 * @example
 *
 * ```ts
 * const counts = new HashMap(Heap.create(), text, u32);
 * for (const word of ["a", "b", "a"]) counts.set(word, (counts.get(word) ?? 0) + 1);
 * console.log([...counts]); // [ [ 'a', 2 ], [ 'b', 1 ] ]
 * counts.dispose();
 * ```
 */
export class HashMap<K extends Type, V extends Type, L = unknown, B = L>
  extends Printed
  implements Disposable
{
  /** How long it may be used, and how long what it holds lives: for the compiler only. */
  declare protected readonly lives: (life: L) => void;
  declare protected readonly holds: true extends HoldsRefs<K> | HoldsRefs<V> ? (life: B) => B : unknown;
  /** The type of the keys. */
  readonly key: K;
  /** The type of the values. */
  readonly value: V;
  private readonly table: HashTable;

  /** An empty one; takes memory for its header. Throws an OutOfMemoryError, or a TypeError for a type that has no equality. */
  constructor(allocator: Allocator<L>, key: K, value: V, options: HashMapOptions = {}) {
    super();
    checkTypes(allocator, key, value);
    checkOptions("HashMap", options, { capacity: [0, 2 ** 32 - 1], seed: [0, 2 ** 32 - 1] });
    const source = allocator as unknown as Allocator<never>;
    const header = makeMapHeader(source, key, value, options.seed ?? 0);
    this.key = key;
    this.value = value;
    this.table = new HashTable(source, key, value, header);
    try {
      if (options.capacity) this.table.reserve(options.capacity);
    } catch (error) {
      freeMapHeader(source, header);
      throw error;
    }
  }

  /** The one that lies at an address, of an allocator in the same memory. Throws a PointerError if there is none of such types. */
  static attach<K extends Type, V extends Type, L>(
    allocator: Allocator<L>,
    key: K,
    value: V,
    ptr: Ptr<HashMap<K, V>>,
  ): HashMap<K, V, L> {
    checkTypes(allocator, key, value);
    const source = allocator as unknown as Allocator<never>;
    checkMapHeader(source, key, value, ptr);
    checkHeld(source, nameOf(key, value), ptr, MAP_HEADER_BYTES);
    const made: HashMap<K, V, L> = Object.create(HashMap.prototype);
    return Object.assign(made, { key, value, table: new HashTable(source, key, value, ptr) });
  }

  /** Where its header lies: all that `attach` needs. */
  get ptr(): Ptr<HashMap<K, V>> {
    this.table.enter();
    return this.table.header as Ptr<HashMap<K, V>>;
  }

  /** How many keys there are. O(1). */
  get size(): number {
    this.table.enter();
    return this.table.size;
  }

  /** The value of a key; undefined: there is none. Of a struct, a reference, for as long as said above. O(1). */
  get(key: Init<K, B>): Value<V, L, B> | undefined {
    const at = this.locate(key);
    return at === 0 ? undefined : this.load(at);
  }

  /** Whether a key is there. O(1) on average. */
  has(key: Init<K, B>): boolean {
    return this.locate(key) !== 0;
  }

  /** Gives a key a value, in place of the one it had. O(1) on average. Throws an OutOfMemoryError, and it is as it was. */
  set(key: Init<K, B>, value: Init<V, B>): this {
    const { table } = this;
    const given = this.value.read(table.space, value);
    const hash = this.hash(key);
    const at = table.find(hash);
    if (at === 0) table.add(hash, given);
    else table.replace(at, given);
    return this;
  }

  /** As `set`, and gives a plain copy of the value that the key had; undefined: it had none. O(1) on average. */
  replace(key: Init<K, B>, value: Init<V, B>): Plain<V> | undefined {
    const { table } = this;
    const given = this.value.read(table.space, value);
    const hash = this.hash(key);
    const at = table.find(hash);
    if (at === 0) {
      table.add(hash, given);
      return undefined;
    }
    const old = this.copy(this.value, at + table.layout.valueOffset) as Plain<V>;
    table.replace(at, given);
    return old;
  }

  /**
   * The value of a key; if there is none, the one that a function makes is set before. O(1) on average. Throws an
   * OutOfMemoryError, and it is as it was.
   */
  getOrInsert(key: Init<K, B>, make: (key: Init<K, B>) => Init<V, B>): Value<V, L, B> {
    if (typeof make !== "function")
      throw new TypeError(`getOrInsert: expected a function, got ${describe(make)}`);
    const { table } = this;
    const hash = this.hash(key);
    const found = table.find(hash);
    if (found !== 0) return this.load(found);
    // The function may change the map and look up others: the key is looked up again, as it was read.
    const recall = table.keys.keep();
    const given = this.value.read(table.space, make(key));
    recall();
    table.enter();
    const at = table.find(hash);
    if (at === 0) table.add(hash, given);
    else table.replace(at, given);
    return this.load(table.find(hash));
  }

  /** Takes a key away, and what it and its value own. Whether it was there. O(1). */
  delete(key: Init<K, B>): boolean {
    const at = this.locate(key);
    if (at !== 0) this.table.remove(at);
    return at !== 0;
  }

  /** Takes all keys away; the room for them stays. O(n) where keys or values own memory. */
  clear(): void {
    this.table.enter();
    this.table.clear();
  }

  /**
   * Sees to it that so many keys in all find room without a move. Throws an OutOfMemoryError, and it is as it was. O(n) if
   * they move.
   */
  reserve(count: number): void {
    if (!isWord(count)) refuseWord("count", count);
    this.table.enter();
    this.table.reserve(count);
  }

  /** In the order of insertion. */
  entries(): IterableIterator<[KeyOf<K, L, B>, Value<V, L, B>]> {
    return new HashIterator(this.table, (at) => [this.loadKey(at), this.load(at)]);
  }

  /** The keys, in the order of insertion; structs and arrays as copies. */
  keys(): IterableIterator<KeyOf<K, L, B>> {
    return new HashIterator(this.table, (at) => this.loadKey(at));
  }

  /** The values, in the order of insertion. */
  values(): IterableIterator<Value<V, L, B>> {
    return new HashIterator(this.table, (at) => this.load(at));
  }

  [Symbol.iterator](): IterableIterator<[KeyOf<K, L, B>, Value<V, L, B>]> {
    return this.entries();
  }

  /** Calls a function with each value and key, in the order of insertion, as Map.prototype.forEach does. */
  forEach(visit: (value: Value<V, L, B>, key: KeyOf<K, L, B>, map: this) => void): void {
    if (typeof visit !== "function")
      throw new TypeError(`forEach: expected a function, got ${describe(visit)}`);
    for (const [key, value] of this) visit(value, key, this);
  }

  /** Plain copies of all pairs. O(n). */
  override toJSON(): [Plain<K>, Plain<V>][] {
    return [...this.copies()];
  }

  private copies(): HashIterator<[Plain<K>, Plain<V>]> {
    const { keyOffset, valueOffset } = this.table.layout;
    return new HashIterator(this.table, (at): [Plain<K>, Plain<V>] => [
      this.copy(this.key, at + keyOffset) as Plain<K>,
      this.copy(this.value, at + valueOffset) as Plain<V>,
    ]);
  }

  protected override summary(): string {
    const name = cut(nameOf(this.key, this.value));
    if (this.table.hasEnded()) return `${name} (ended)`;
    const { size } = this;
    const pairs = this.copies();
    const text = listed(
      size,
      () => (pairs.next().value ?? []).map((one: unknown) => shown(one)).join(" => "),
      "{}",
    );
    pairs.return();
    return `${name}(${size}) ${text}`;
  }

  /** Checks every invariant; throws an Error that names the first that does not hold. O(n). */
  check(): void {
    this.table.enter();
    checkHashTable(this.table);
  }

  /** How full it is, and how far keys lie from where they are looked for first. O(n). */
  report(): HashReport {
    this.table.enter();
    return reportOn(this.table);
  }

  /**
   * Frees the entries, what they own, and the header. A second time does nothing, here or where else it is attached; other
   * uses throw. O(n) where keys or values own memory, else O(1).
   */
  dispose(): void {
    if (this.table.hasEnded()) return;
    this.table.enter();
    this.table.dispose();
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /** A key's hash as entries hold it, never 0; the map is as it is after any code of the caller's has run. */
  private hash(key: Init<K, B>): number {
    const hash = (this.table.keys.hash(key) | LIVE) >>> 0;
    this.table.enter();
    return hash;
  }

  /** The address of a key's entry; 0: there is none. */
  private locate(key: Init<K, B>): number {
    return this.table.find(this.hash(key));
  }

  private load(entry: number): Value<V, L, B> {
    const { space, valueLife, layout } = this.table;
    const at = entry + layout.valueOffset;
    return (this.value.load(space, at, valueLife) ?? this.loadAgain(this.value, at)) as Value<V, L, B>;
  }

  private loadKey(entry: number): KeyOf<K, L, B> {
    const { key, table } = this;
    const at = entry + table.layout.keyOffset;
    if (key.kind === "struct" || key.kind === "array") return this.copy(key, at) as KeyOf<K, L, B>;
    return (key.load(table.space, at, table.life) ?? this.loadAgain(key, at)) as KeyOf<K, L, B>;
  }

  /** Null is a value; undefined: a text lies where the memory has grown to. */
  private loadAgain(type: Type, at: number): unknown {
    const { space, valueLife } = this.table;
    const value = type.load(space, at, valueLife);
    if (value !== undefined) return value;
    space.refresh();
    return type.load(space, at, valueLife);
  }

  private copy(type: Type, at: number): unknown {
    this.table.space.refresh();
    return type.copy(this.table.space, at);
  }
}

/** The bit that marks an entry as live. */
const LIVE = 0x8000_0000;

function checkTypes(allocator: Allocator<never>, key: Type, value: Type): void {
  checkType("HashMap", key);
  checkType("HashMap", value);
  if (value.kind === "bits")
    throw new TypeError(`HashMap: expected a type of whole bytes, got ${value.name}`);
  keysOf(key, allocator[SPACE], 0);
}
