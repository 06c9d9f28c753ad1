// Vec: elements side by side, as many as there are. Rust's Vec, C++'s vector.
//
// Owns:  its header and its elements, in an allocator's memory.
// Needs: collection, list-header, allocator, type.
// Invariants: V1  length ≤ capacity, and the elements' block has capacity elements, or is none at 0
//             V2  what lies from length on owns nothing
//             (and those of collection.ts)
//
// Several Vecs may be attached to the same header: each notices by its count of moves what another has done. References to elements hold
// until elements move or one is taken away; while checking, a later use throws.

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { isTypedArray } from "../memory/slots.ts";
import { type Allocator, checkType } from "../typed/allocator.ts";
import { Elements, viewAt } from "../typed/array.ts";
import { OutOfMemoryError, PointerError } from "../typed/errors.ts";
import type { Ptr } from "../typed/raw-pointer.ts";
import { type AnyRef, AT, innerRefAt, LIFE, SPACE } from "../typed/ref.ts";
import { bool } from "../typed/scalars.ts";
import type { ScalarType } from "../typed/type.ts";
import { isPlace, isStruct, type Type } from "../typed/type.ts";
import type { ArrayRef, HoldsRefs, Init, Plain, Value, View } from "../typed/values.ts";
import { Collection } from "./collection.ts";
import { AT_CAPACITY, AT_ELEMENTS, checkHeld, checkIndex } from "./header.ts";
import {
  checkListBlocks,
  checkListHeader,
  HeaderAt,
  LIST_HEADER_BYTES,
  type ListBlock,
  type ListKind,
} from "./list-header.ts";

/** "VEC2" */
const MAGIC = 0x3243_4556;
/** "MVEC": when the header ended with the capacity. */
const FORMER_MAGIC = 0x4345_564d;
const FIRST_CAPACITY = 4;
const MOST_BYTES = 2 ** 32 - 1;

/**
 * Elements of any type side by side, as many as there are: Rust's Vec, C++'s vector. `push` and `pop` are
 * O(1) on average, `insert` and `remove` O(length). References to elements hold until elements move; while
 * checking, a later use throws.
 *
 * @example
 *
 * ```ts
 * const list = new Vec(Heap.create(), f64);
 * list.extend([3, 1, 2]);
 * list.sort();
 * console.log([...list], list.pop()); // [ 1, 2, 3 ] 3
 * list.dispose();
 * ```
 */
export class Vec<E extends Type, L = unknown, B = L> extends Collection<L> {
  /** How long what it holds lives: for the compiler only. */
  declare protected readonly holds: HoldsRefs<E> extends true ? (life: B) => B : unknown;
  /** The type of the elements. */
  readonly element: E;
  protected override readonly owning: boolean;
  /** Whether elements that are read live in their place. */
  private readonly lends: boolean;
  /** Where the elements lie, as of `moves`. */
  private elements = 0;

  /** An empty one; takes memory for its header. Throws an OutOfMemoryError. */
  constructor(allocator: Allocator<L>, element: E, capacity?: number);
  /** For `attach`. */
  constructor(allocator: Allocator<L>, element: E, from: HeaderAt);
  constructor(allocator: Allocator<L>, element: E, from: number | HeaderAt = 0) {
    checkType("Vec", element);
    if (typeof from !== "object" && !isWord(from)) refuseWord("capacity", from);
    super(allocator, kindOf(element), from);
    this.element = element;
    this.owning = element.drop !== undefined;
    this.lends = isPlace(element);
    this.enter();
    if (typeof from === "object") this.closeGap();
    else if (from > 0) this.reserveFirst(from);
  }

  /** The Vec that lies at an address, of an allocator in the same memory. Throws a PointerError if there is none of such elements. */
  static attach<E extends Type, L>(allocator: Allocator<L>, element: E, ptr: Ptr<Vec<E>>): Vec<E, L> {
    checkType("Vec", element);
    const [space, kind] = [allocator[SPACE], kindOf(element)];
    checkListHeader(space, kind, ptr);
    checkListBlocks(space, kind, ptr, blocksAt(element, ...wordsAt(space.u32, ptr)));
    checkHeld(allocator, kind.title, ptr, kind.headerBytes);
    return new Vec(allocator, element, new HeaderAt(ptr));
  }

  /** Where its header lies: all that `attach` needs. */
  get ptr(): Ptr<Vec<E>> {
    this.enter();
    return this.header as Ptr<Vec<E>>;
  }

  /** The element at an index from 0 to length - 1, or a RangeError. O(1). */
  get(index: number): Value<E, L, B> {
    this.enter();
    checkIndex(index, this.count);
    return this.load(index);
  }

  /** Writes an element; of a struct the fields that are given. Throws a RangeError beyond the length. O(size). */
  set(index: number, value: Init<E, B>): void {
    const given = this.element.read(this.space, value) as never;
    this.enter();
    checkIndex(index, this.count);
    this.store(index, given);
  }

  /** As `set`, and gives a plain copy of what the element was. O(size). */
  replace(index: number, value: Init<E, B>): Plain<E> {
    const given = this.element.read(this.space, value) as never;
    return this.exchange(index, given) as Plain<E>;
  }

  /** Array.prototype.at: from the end if negative, undefined where there is none. O(1). */
  at(index: number): Value<E, L, B> | undefined {
    if (typeof index !== "number") throw new TypeError(`index: expected a number, got ${describe(index)}`);
    const { length } = this;
    const whole = Math.trunc(index) || 0;
    const from = whole < 0 ? length + whole : whole;
    return from >= 0 && from < length ? this.get(from) : undefined;
  }

  /** Adds an element at the end. O(1) on average. Throws an OutOfMemoryError, and it is as it was. The new length. */
  push(value: Init<E, B>): number {
    const given = this.element.read(this.space, value) as never;
    this.enter();
    const length = this.count;
    if (length === this.room) this.growTo(Math.max(FIRST_CAPACITY, 2 * length), length + 1);
    this.storeNew(length, given);
    this.count = length + 1;
    return length + 1;
  }

  /** Takes the last element away: a plain copy of it; undefined: there is none. O(size). */
  pop(): Plain<E> | undefined {
    return this.takeLast() as Plain<E> | undefined;
  }

  /** Puts an element before another, or at the end. O(length). */
  insert(index: number, value: Init<E, B>): void {
    const given = this.element.read(this.space, value) as never;
    this.enter();
    this.closeGap();
    const length = this.count;
    checkIndex(index, length + 1);
    if (length === this.room) this.growTo(Math.max(FIRST_CAPACITY, 2 * length), length + 1);
    this.storeNew(length, given);
    if (index === length) {
      this.count = length + 1;
      return;
    }
    const bytes = this.bytesOf(length);
    if (this.owning) this.openGap(length);
    this.count = length + 1;
    this.moved();
    this.carryGap(length, index);
    this.space.u8.set(bytes, this.elementAt(index));
    this.endGap();
  }

  /** Takes an element away; those behind move up. O(length). */
  remove(index: number): Plain<E> {
    this.enter();
    this.closeGap();
    checkIndex(index, this.count);
    const taken = this.copyAt(index);
    this.takeOut(index, () => this.carryGap(index, this.count - 1));
    return taken;
  }

  /** Takes an element away; the last one comes to its place. O(1). */
  swapRemove(index: number): Plain<E> {
    this.enter();
    this.closeGap();
    checkIndex(index, this.count);
    const taken = this.copyAt(index);
    this.takeOut(index, () => {
      const last = this.count - 1;
      if (index === last) return;
      this.copyElement(index, last);
      if (this.owning) this.moveGap(last);
    });
    return taken;
  }

  /**
   * Adds all of them at the end, or none: they are read before the first is added. No memory: an OutOfMemoryError, and it is
   * as it was. O(elements).
   */
  extend(values: Iterable<Init<E, B>>): void {
    if (typeof values !== "object" || values === null || !(Symbol.iterator in values))
      throw new TypeError(`extend: expected something iterable, got ${describe(values)}`);
    const { element, space } = this;
    if (isCopyable(element, values)) {
      this.extendBy(values);
      return;
    }
    const given: unknown[] = [];
    for (const value of values) given.push(element.read(space, value));
    this.enter();
    const length = this.count;
    const total = length + given.length;
    this.makeRoom(total);
    let made = length;
    try {
      for (; made < total; made++) this.storeNew(made, given[made - length] as never);
    } catch (error) {
      while (made > length) this.drop(--made);
      throw error;
    }
    this.count = total;
  }

  /**
   * Sees to it that there is room for so many elements in all. Throws an OutOfMemoryError, and it is as it was. O(bytes) if
   * they move.
   */
  reserve(capacity: number): void {
    if (!isWord(capacity)) refuseWord("capacity", capacity);
    this.enter();
    this.makeRoom(capacity);
  }

  /** Gives back the room that is not used. O(bytes) if they move. */
  shrinkToFit(): void {
    this.enter();
    const { count: length, room: old, elements: from, element } = this;
    if (length === old) return;
    const bytes = this.blockBytes(length);
    this.setWord(AT_CAPACITY, length);
    const stays =
      length > 0 && this.allocator.reallocateInPlace(from, this.blockBytes(old), bytes, element.align);
    const to = length === 0 || stays ? 0 : this.blockFor(bytes);
    if (to > 0) this.space.u8.copyWithin(to, from, from + length * element.size);
    // Of an allocator that neither makes blocks smaller nor has another one, it keeps what it has.
    if (length > 0 && !stays && to === 0) this.setWord(AT_CAPACITY, old);
    else if (!stays) this.setWord(AT_ELEMENTS, to);
    this.relocated();
    if (this.elements !== from) this.allocator.deallocate(from, this.blockBytes(old), element.align);
  }

  /**
   * Sorts numbers by size, as typed arrays do; else by a function that compares plain copies. It must not take elements away
   * or have them move. Stable. O(n log n). What owns memory is sorted into another block; none: an OutOfMemoryError.
   */
  sort(compare?: (a: Plain<E>, b: Plain<E>) => number): void {
    this.enter();
    if (this.element.kind === "scalar" && compare === undefined) {
      (this.view() as Float64Array).sort();
      this.moved();
      return;
    }
    if (typeof compare !== "function")
      throw new TypeError(`sort: expected a function that compares, got ${describe(compare)}`);
    this.closeGap();
    const { moves } = this;
    const copies = Array.from({ length: this.count }, (_, index) => this.copyAt(index));
    const order = copies.map((_, index) => index);
    order.sort((a, b) => compare(copies[a] as Plain<E>, copies[b] as Plain<E>));
    this.enter();
    if (this.moves !== moves)
      throw new TypeError(
        `sort: expected a function that leaves ${this.kind.title} as it is; it has moved elements`,
      );
    this.putInOrder(order);
  }

  /**
   * A typed array over the elements, of a scalar type. Get it anew after anything that may allocate. Throws a TypeError for
   * elements that are no scalars. O(1).
   */
  view(): View<E, L> {
    this.enter();
    return viewAt(this.space, this.element, this.elements, this.count) as unknown as View<E, L>;
  }

  /** The elements as an array in memory: until elements move, or one is taken away. O(1). */
  asArray(): ArrayRef<E, L, B> {
    this.enter();
    const { space, element, elements, count, movement } = this;
    return new Elements<E, L, B>(space, element, elements, count, movement.life) as unknown as ArrayRef<
      E,
      L,
      B
    >;
  }

  /** By indices, as an array's: what is added meanwhile comes, too. */
  [Symbol.iterator](): IterableIterator<Value<E, L, B>> {
    let index = 0;
    const iterator: IterableIterator<Value<E, L, B>> = {
      next: () => {
        this.enter();
        return index < this.count
          ? { done: false, value: this.load(index++) }
          : { done: true, value: undefined };
      },
      [Symbol.iterator]: () => iterator,
    };
    return iterator;
  }

  /**
   * Calls a function with each element. For structs it is one reference that moves along: no object is made for each.
   * O(length).
   */
  forEach(visit: (element: Value<E, L, B>, index: number) => void): void {
    const { element, movement } = this;
    if (!isStruct(element)) {
      for (let index = 0; index < this.length; index++) visit(this.get(index), index);
      return;
    }
    const cursor: AnyRef = innerRefAt(this.space, element, 0, movement.life);
    for (let index = 0; index < this.length; index++) {
      cursor[AT] = this.elements + index * element.size;
      cursor[LIFE] = movement.life;
      visit(cursor as unknown as Value<E, L, B>, index);
    }
  }

  protected override find(): void {
    this.elements = this.word(AT_ELEMENTS);
    this.space.reaches(this.elements + this.blockBytes(this.room));
  }

  protected override blocks(): ListBlock[] {
    return blocksAt(this.element, this.elements, this.room);
  }

  protected override drop(index: number): void {
    this.element.drop?.(this.space, this.elementAt(index), this.life);
  }

  protected override copyAt(index: number): Plain<E> {
    return this.element.copy(this.space, this.elementAt(index)) as Plain<E>;
  }

  protected override fillGap(index: number): void {
    this.carryGap(index, this.count - 1);
  }

  private elementAt(index: number): number {
    return this.elements + index * this.element.size;
  }

  private bytesOf(index: number): Uint8Array {
    return this.space.u8.slice(this.elementAt(index), this.elementAt(index + 1));
  }

  private blockBytes(capacity: number): number {
    return Math.max(1, capacity * this.element.size);
  }

  private reserveFirst(capacity: number): void {
    try {
      this.makeRoom(capacity);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  private makeRoom(capacity: number): void {
    if (capacity > this.room) this.growTo(Math.max(capacity, 2 * this.room), capacity);
  }

  /** Room for so many elements; if there is none, for at least so many. Throws an OutOfMemoryError, and it is as it was. */
  private growTo(wanted: number, least: number): void {
    if (!this.growExactly(wanted) && !this.growExactly(least))
      throw new OutOfMemoryError(this.blockBytes(least), this.kind.title);
  }

  private growExactly(capacity: number): boolean {
    const { element, allocator, elements: from, room: old } = this;
    const bytes = this.blockBytes(capacity);
    if (bytes > MOST_BYTES) return false;
    const stretch = (): boolean =>
      old > 0 &&
      allocator.reallocateInPlace(from, this.blockBytes(old), bytes, element.align) &&
      this.space.reaches(from + bytes);
    // Once more, as a heap gives unused slabs back when it has no block, and one may lie behind this one.
    const to = stretch() ? from : this.blockFor(bytes) || (stretch() ? from : 0);
    if (to === 0) return false;
    if (to !== from) {
      this.space.u8.copyWithin(to, from, from + this.count * element.size);
      this.setWord(AT_ELEMENTS, to);
    }
    this.setWord(AT_CAPACITY, capacity);
    this.relocated();
    if (to !== from && old > 0) allocator.deallocate(from, this.blockBytes(old), element.align);
    return true;
  }

  /** Another block, within the arrays; 0: no memory. The arrays may be other ones. */
  private blockFor(bytes: number): number {
    const { align } = this.element;
    const at = this.allocator.allocate(bytes, align);
    if (at === 0 || this.space.reaches(at + bytes)) return at;
    this.allocator.deallocate(at, bytes, align);
    return 0;
  }

  /** Writes an element where none is. Throws, and there is still none. */
  private storeNew(index: number, given: never): void {
    const { element, space } = this;
    const at = this.elementAt(index);
    if (element.kind !== "scalar") space.u8.fill(0, at, at + element.size);
    try {
      this.store(index, given);
    } catch (error) {
      this.drop(index);
      throw error;
    }
  }

  protected override store(index: number, given: never): void {
    const { element, space, life } = this;
    const at = this.elementAt(index);
    if (element.store(space, at, given, life)) return;
    space.refresh();
    if (!element.store(space, at, given, life)) throw beyond(element, at);
  }

  /** The element at an index that there is. Its block is within the arrays. */
  private load(index: number): Value<E, L, B> {
    const { element, space } = this;
    const life = this.lends ? this.movement.life : this.life;
    return element.load(space, this.elements + index * element.size, life) as Value<E, L, B>;
  }

  /** Copies the elements of a typed array. */
  private extendBy(values: ArrayLike<number>): void {
    // A view of this memory may be of what moves now.
    const given = (values as Uint8Array).slice();
    this.enter();
    const { element, space } = this;
    const length = this.count;
    const total = length + given.length;
    this.makeRoom(total);
    (viewAt(space, element, this.elements, total) as Uint8Array).set(given, length);
    this.count = total;
  }

  /** Takes an element out, whose place `close` gives to others. */
  private takeOut(index: number, close: () => void): void {
    if (this.owning) {
      this.openGap(index);
      this.drop(index);
    }
    this.moved();
    close();
    const last = this.count - 1;
    this.count = last;
    if (!this.owning) return;
    this.endGap();
    // What it owned has moved along.
    this.space.u8.fill(0, this.elementAt(last), this.elementAt(last + 1));
  }

  /** Moves the elements between two places by one, so that the one that is not there is the other. */
  private carryGap(from: number, to: number): void {
    if (!this.owning) {
      const { u8 } = this.space;
      if (from < to) u8.copyWithin(this.elementAt(from), this.elementAt(from + 1), this.elementAt(to + 1));
      else u8.copyWithin(this.elementAt(to + 1), this.elementAt(to), this.elementAt(from));
      return;
    }
    const step = from < to ? 1 : -1;
    for (let index = from; index !== to; index += step) {
      this.copyElement(index, index + step);
      this.moveGap(index + step);
    }
  }

  private copyElement(to: number, from: number): void {
    this.space.u8.copyWithin(this.elementAt(to), this.elementAt(from), this.elementAt(from + 1));
  }

  /** Gives each place the element that a list says. Those behind the list, which came meanwhile, stay. */
  private putInOrder(order: readonly number[]): void {
    if (this.count === 0) return;
    const { element, elements: from, room } = this;
    const { size } = element;
    const bytes = this.space.u8.slice(from, from + this.count * size);
    const to = this.owning ? this.blockFor(this.blockBytes(room)) : from;
    if (to === 0) throw new OutOfMemoryError(this.blockBytes(room), this.kind.title);
    const { u8 } = this.space;
    if (to !== from) u8.set(bytes, to);
    order.forEach((source, index) => {
      u8.set(bytes.subarray(source * size, (source + 1) * size), to + index * size);
    });
    if (to === from) {
      this.moved();
      return;
    }
    this.setWord(AT_ELEMENTS, to);
    this.relocated();
    this.allocator.deallocate(from, this.blockBytes(room), element.align);
  }
}

function kindOf(element: Type): ListKind {
  return {
    title: `Vec<${element.name}>`,
    magic: MAGIC,
    former: FORMER_MAGIC,
    type: element,
    elementBytes: element.size,
    headerBytes: LIST_HEADER_BYTES,
  };
}

function wordsAt(u32: Uint32Array, header: number): [at: number, capacity: number] {
  return [u32[(header + AT_ELEMENTS) >>> 2] as number, u32[(header + AT_CAPACITY) >>> 2] as number];
}

function blocksAt({ size, align }: Type, at: number, capacity: number): ListBlock[] {
  return capacity === 0 ? [] : [{ at, bytes: Math.max(1, capacity * size), align }];
}

/** Whether a typed array's elements become such elements by being copied: a bool is not just any byte. */
function isCopyable(element: Type, values: object): values is ArrayLike<number> & object {
  return (
    element.kind === "scalar" &&
    (element as ScalarType<unknown>).load !== (bool as ScalarType<unknown>).load &&
    isTypedArray(values)
  );
}

function beyond(element: Type, at: number): PointerError {
  return new PointerError("outside", element.name, at, "leads beyond the memory");
}
