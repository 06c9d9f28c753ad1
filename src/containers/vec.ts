// Vec: elements side by side, as many as there are. Rust's Vec, C++'s vector.
//
// Owns:  its header and its elements, in an allocator's memory.
// Needs: collection, header, allocator, type.
// Invariants: V1  length ≤ capacity, and the elements' block has capacity elements, or is none at 0
//             V2  what lies from length on owns nothing
//
// Nothing of it is outside the memory: it reads its header at each use, so that several Vecs may be attached to the same.
// References to elements, and views, hold until the Vec grows or its elements move.

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { type Allocator, checkType } from "../typed/allocator.ts";
import { type ArrayRef, Elements, type ViewOf, viewAt } from "../typed/array.ts";
import { OutOfMemoryError, PointerError } from "../typed/errors.ts";
import type { Ptr } from "../typed/pointer.ts";
import { type AnyRef, AT, innerRefAt, LIFE, SPACE } from "../typed/ref.ts";
import { isStruct } from "../typed/struct.ts";
import { type HoldsRefs, type Init, isFlat, type Plain, type Type, type Value } from "../typed/type.ts";
import { Collection } from "./collection.ts";
import {
  AT_CAPACITY,
  AT_ELEMENTS,
  AT_LENGTH,
  checkBlock,
  checkHeader,
  checkIndex,
  HEADER_BYTES,
  makeHeader,
} from "./header.ts";

/** "MVEC" */
const MAGIC = 0x4345_564d;
const FIRST_CAPACITY = 4;

export class Vec<E extends Type, L = unknown, B = L> extends Collection<L> {
  /** How long what it holds lives: for the compiler only. */
  declare protected readonly holds: HoldsRefs<E> extends true ? (life: B) => B : unknown;
  readonly element: E;

  /** An empty one; takes memory for its header. Throws an OutOfMemoryError. */
  constructor(allocator: Allocator<L>, element: E, capacity = 0) {
    checkType("Vec", element);
    if (!isWord(capacity)) refuseWord("capacity", capacity);
    super(
      allocator,
      makeHeader(allocator as unknown as Allocator<never>, nameOf(element), MAGIC, element.size),
    );
    this.element = element;
    if (capacity === 0) return;
    try {
      this.reserve(capacity);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** The Vec that lies at an address, of an allocator in the same memory. Throws a PointerError if there is none of such elements. */
  static attach<E extends Type, L>(allocator: Allocator<L>, element: E, ptr: Ptr<Vec<E>>): Vec<E, L> {
    checkType("Vec", element);
    checkHeader(allocator[SPACE], nameOf(element), MAGIC, element.size, ptr);
    const made: Vec<E, L> = Object.create(Vec.prototype);
    const space = allocator[SPACE];
    Object.assign(made, { element, allocator, space, life: allocator[LIFE], header: ptr });
    checkBlock(space, nameOf(element), ptr, made.elements, made.capacity * element.size, element.align);
    return made;
  }

  /** Where its header lies: all that `attach` needs. */
  get ptr(): Ptr<Vec<E>> {
    this.check();
    return this.header as Ptr<Vec<E>>;
  }

  /** The element at an index from 0 to length - 1, or a RangeError. */
  get(index: number): Value<E, L, B> {
    checkIndex(index, this.length);
    const { element, space } = this;
    const at = this.elements + index * element.size;
    const value = element.load(space, at, this.life);
    return (value === undefined ? this.loadAgain(at) : value) as Value<E, L, B>;
  }

  set(index: number, value: Init<E, B>): void {
    checkIndex(index, this.length);
    this.store(this.elements + index * this.element.size, value);
  }

  /** Array.prototype.at: from the end if negative, undefined where there is none. */
  at(index: number): Value<E, L, B> | undefined {
    const { length } = this;
    const from = index < 0 ? length + index : index;
    return from >= 0 && from < length ? this.get(from) : undefined;
  }

  /** Adds an element at the end. O(1) on average. Throws an OutOfMemoryError, and it is as it was. The new length. */
  push(value: Init<E, B>): number {
    const { length } = this;
    if (length < this.capacity) this.storeNew(length, value);
    else if (isFlat(value)) {
      this.growTo(Math.max(FIRST_CAPACITY, 2 * length));
      this.storeNew(length, value);
    } else this.pushInto(Math.max(FIRST_CAPACITY, 2 * length), value);
    this.setWord(AT_LENGTH, length + 1);
    return length + 1;
  }

  /** Takes the last element away: a plain copy of it; undefined: there is none. */
  pop(): Plain<E> | undefined {
    const { length } = this;
    return length === 0 ? undefined : this.remove(length - 1);
  }

  /** Puts an element before another, or at the end. O(length). */
  insert(index: number, value: Init<E, B>): void {
    const { length } = this;
    checkIndex(index, length + 1);
    this.push(value);
    this.rotate(index, length);
  }

  /** Takes an element away; those behind move up. O(length). */
  remove(index: number): Plain<E> {
    const { length } = this;
    checkIndex(index, length);
    const taken = this.copyAt(index);
    this.rotate(length - 1, index);
    this.truncate(length - 1);
    return taken;
  }

  /** Takes an element away; the last one comes to its place. O(1). */
  swapRemove(index: number): Plain<E> {
    const { length } = this;
    checkIndex(index, length);
    const taken = this.copyAt(index);
    const { size } = this.element;
    const [to, last] = [this.elements + index * size, this.elements + (length - 1) * size];
    this.drop(index);
    if (to !== last) this.space.u8.copyWithin(to, last, last + size);
    // What it owned has moved along.
    this.space.u8.fill(0, last, last + size);
    this.setWord(AT_LENGTH, length - 1);
    return taken;
  }

  /** Adds all of them at the end. If one cannot be added, those before it have been. */
  extend(values: Iterable<Init<E, B>>): void {
    if (typeof values !== "object" || values === null || !(Symbol.iterator in values))
      throw new TypeError(`extend: expected something iterable, got ${describe(values)}`);
    if (this.element.kind === "scalar" && ArrayBuffer.isView(values) && !(values instanceof DataView)) {
      let given = values as unknown as Uint8Array;
      // A view of this memory may be of what moves now.
      if (this.space.mayHold(given.buffer)) given = given.slice();
      const { length } = this;
      this.reserve(length + given.length);
      (viewAt(this.space, this.element, this.elements, length + given.length) as Uint8Array).set(
        given,
        length,
      );
      this.setWord(AT_LENGTH, length + given.length);
      return;
    }
    if ((values as unknown) === this) {
      // Up to where it ends now: an iterator would come by what it adds.
      for (let index = 0, { length } = this; index < length; index++)
        this.push(this.get(index) as unknown as Init<E, B>);
      return;
    }
    for (const value of values) this.push(value);
  }

  /** Sees to it that there is room for so many elements in all. Throws an OutOfMemoryError, and it is as it was. */
  reserve(capacity: number): void {
    if (!isWord(capacity)) refuseWord("capacity", capacity);
    if (capacity > this.capacity) this.growTo(Math.max(capacity, 2 * this.capacity), capacity);
  }

  /** Gives back the room that is not used. */
  shrinkToFit(): void {
    const { length, capacity } = this;
    if (length > 0 && length < capacity) this.growTo(length);
    if (length > 0 || capacity === 0) return;
    this.freeElements(capacity);
    this.setWord(AT_ELEMENTS, 0);
    this.setWord(AT_CAPACITY, 0);
  }

  /** Sorts: numbers by size, as typed arrays do; else by a function that compares plain copies. Stable. O(n log n). */
  sort(compare?: (a: Plain<E>, b: Plain<E>) => number): void {
    const { length, element } = this;
    if (element.kind === "scalar" && compare === undefined) {
      (this.view() as Float64Array).sort();
      return;
    }
    if (typeof compare !== "function")
      throw new TypeError(`sort: expected a function that compares, got ${describe(compare)}`);
    const copies = Array.from({ length }, (_, index) => this.copyAt(index));
    const order = copies.map((_, index) => index);
    order.sort((a, b) => compare(copies[a] as Plain<E>, copies[b] as Plain<E>));
    const bytes = this.space.u8.slice(this.elements, this.elements + length * element.size);
    order.forEach((from, to) => {
      const one = bytes.subarray(from * element.size, (from + 1) * element.size);
      this.space.u8.set(one, this.elements + to * element.size);
    });
  }

  /** A typed array over the elements, of a scalar type. Get it anew after anything that may allocate. */
  view(): ViewOf<E> {
    this.check();
    const { length, elements } = this;
    if (!this.space.reaches(elements + length * this.element.size))
      throw new RangeError("view: beyond the memory");
    return viewAt(this.space, this.element, elements, length) as ViewOf<E>;
  }

  /** The elements as an array in memory: until the Vec grows. */
  asArray(): ArrayRef<E, L, B> {
    const made = new Elements<E, L, B>(this.space, this.element, this.elements, this.length, this.life);
    return made as unknown as ArrayRef<E, L, B>;
  }

  [Symbol.iterator](): IterableIterator<Value<E, L, B>> {
    let index = 0;
    const iterator: IterableIterator<Value<E, L, B>> = {
      next: () =>
        index < this.length ? { done: false, value: this.get(index++) } : { done: true, value: undefined },
      [Symbol.iterator]: () => iterator,
    };
    return iterator;
  }

  /** Calls a function with each element. For structs it is one reference that moves along: no object is made for each. */
  forEach(visit: (element: Value<E, L, B>, index: number) => void): void {
    const { element } = this;
    if (!isStruct(element)) {
      for (let index = 0; index < this.length; index++) visit(this.get(index), index);
      return;
    }
    const cursor: AnyRef = innerRefAt(this.space, element, 0, this.life);
    for (let index = 0; index < this.length; index++) {
      cursor[AT] = this.elements + index * element.size;
      visit(cursor as unknown as Value<E, L, B>, index);
    }
  }

  protected override get title(): string {
    return nameOf(this.element);
  }

  protected override get headerBytes(): number {
    return HEADER_BYTES;
  }

  private get elements(): number {
    return this.word(AT_ELEMENTS);
  }

  private blockBytes(capacity: number): number {
    return Math.max(1, capacity * this.element.size);
  }

  /** Room for exactly so many elements; if there is none, for at least so many. */
  private growTo(capacity: number, least = capacity): void {
    const { length } = this;
    const [from, old] = [this.elements, this.capacity];
    const to = this.moved(from, old, capacity) || this.moved(from, old, Math.max(least, length + 1));
    if (to === 0) throw new OutOfMemoryError(this.blockBytes(least), this.title);
  }

  /** push with a growth, of a value that may lie in this Vec: what moves is freed only when the value has been read. */
  private pushInto(capacity: number, value: Init<E, B>): void {
    const { element, allocator, length } = this;
    const [from, old] = [this.elements, this.capacity];
    const bytes = this.blockBytes(capacity);
    const to = bytes < 2 ** 32 ? allocator.allocate(bytes, element.align) : 0;
    if (to === 0 || !this.space.reaches(to + bytes)) throw new OutOfMemoryError(bytes, this.title);
    this.space.u8.copyWithin(to, from, from + length * element.size);
    this.setWord(AT_ELEMENTS, to);
    this.setWord(AT_CAPACITY, capacity);
    try {
      this.storeNew(length, value);
    } finally {
      if (old > 0) allocator.deallocate(from, this.blockBytes(old), element.align);
    }
  }

  private moved(from: number, old: number, capacity: number): number {
    const { element, allocator } = this;
    const bytes = this.blockBytes(capacity);
    if (bytes >= 2 ** 32) return 0;
    const to =
      old === 0
        ? allocator.allocate(bytes, element.align)
        : allocator.reallocate(from, this.blockBytes(old), bytes, element.align);
    if (to === 0 || !this.space.reaches(to + bytes)) return 0;
    this.setWord(AT_ELEMENTS, to);
    this.setWord(AT_CAPACITY, capacity);
    return to;
  }

  /** Writes an element where none is. */
  private storeNew(index: number, value: Init<E, B>): void {
    const { element, space } = this;
    const at = this.elements + index * element.size;
    if (element.kind !== "scalar") space.u8.fill(0, at, at + element.size);
    try {
      this.store(at, value);
    } catch (error) {
      element.drop?.(space, at, this.life);
      throw error;
    }
  }

  private store(at: number, value: Init<E, B>): void {
    const { element, space } = this;
    this.check();
    space.reaches(at + element.size);
    const given = element.read(space, value) as never;
    if (!element.store(space, at, given, this.life)) throw new RangeError("Vec: beyond the memory");
  }

  private loadAgain(at: number): unknown {
    this.space.refresh();
    const value = this.element.load(this.space, at, this.life);
    if (value === undefined)
      throw new PointerError("outside", this.element.name, at, "leads beyond the memory");
    return value;
  }

  protected override copyAt(index: number): Plain<E> {
    const at = this.elements + index * this.element.size;
    this.space.reaches(at + this.element.size);
    return this.element.copy(this.space, at) as Plain<E>;
  }

  protected override drop(index: number): void {
    this.element.drop?.(this.space, this.elements + index * this.element.size, this.life);
  }

  protected override freeElements(capacity: number): void {
    this.allocator.deallocate(this.elements, this.blockBytes(capacity), this.element.align);
  }

  /** Moves the element at an index to another, and those between by one. */
  private rotate(to: number, from: number): void {
    const { size } = this.element;
    const { u8 } = this.space;
    const at = this.elements;
    const one = u8.slice(at + from * size, at + (from + 1) * size);
    if (from < to) u8.copyWithin(at + from * size, at + (from + 1) * size, at + (to + 1) * size);
    else u8.copyWithin(at + (to + 1) * size, at + to * size, at + from * size);
    u8.set(one, at + to * size);
  }
}

function nameOf(element: Type): string {
  return `Vec<${element.name}>`;
}
