// Array: a fixed number of elements side by side, C's `T name[count]`.
//
// Owns:  how elements are reached.
// Needs: ref, space, life, type, values.
//
// An ArrayRef has methods and no indices: `a[3]` on memory would need a Proxy, at many times the cost.

import { describe } from "../memory/arguments.ts";
import { cut, INSPECT, listed, printed, shown } from "../memory/printed.ts";
import { PointerError } from "./errors.ts";
import { DELETED, type Life } from "./life.ts";
import type { Ptr } from "./raw-pointer.ts";
import { AT, innerRefAt } from "./ref.ts";
import type { Arrays, Space } from "./space.ts";
import {
  type ArrayType,
  isType,
  looseOf,
  type ScalarType,
  type StructType,
  type Type,
  typePrinting,
} from "./type.ts";
import type { ArrayElements, Init, Value, View } from "./values.ts";

/**
 * `count` elements of a type: `array(u8, 16)`.
 *
 * @example
 *
 * ```ts
 * const Line = struct({ path: array(f64, 3) });
 * const line = Heap.create().new(Line, { path: [1, 2] });
 * console.log([...line.path]); // [ 1, 2, 0 ]
 * ```
 */
export function array<E extends Type>(element: E, count: number): ArrayType<E> {
  if (!isType(element)) throw new TypeError(`array: expected a type of elements, got ${describe(element)}`);
  if (element.kind === "bits")
    throw new TypeError("array: expected elements of whole bytes, got a bit field");
  if (!Number.isInteger(count) || count < 0 || count * element.size > MAX_BYTES)
    throw new RangeError(
      `array: expected a count from 0 to ${Math.floor(MAX_BYTES / Math.max(1, element.size))}, got ${describe(count)}`,
    );
  const size = element.size * count;
  const { drop } = element;
  const type: ArrayType<E> = {
    ...typePrinting(),
    kind: "array",
    element,
    count,
    name: `${element.name}[${count}]`,
    size,
    align: element.align,
    load: (space, at, life) =>
      at + size <= space.u8.length
        ? new Elements<E, unknown, unknown>(space, element, at, count, life)
        : undefined,
    read: (space, value) => readElements(space, element, count, value),
    store: (space, at, given: readonly never[], life) =>
      at + size <= space.u8.length && storeElements(space, element, at, given, life),
    copy: (space, at) =>
      Array.from({ length: count }, (_, index) => element.copy(space, at + index * element.size)),
    ...(drop && {
      drop: (space: Space, at: number, life: Life) => {
        for (let index = 0; index < count; index++) drop(space, at + index * element.size, life);
      },
    }),
    ...("unaligned" in element && {
      unaligned: () => array(looseOf(element) ?? element, count),
    }),
  };
  return type;
}

const MAX_BYTES = 2 ** 30;

/** What is given for at most so many elements, each read as its type reads it. */
function readElements(space: Space, element: Type, count: number, values: unknown): unknown[] {
  checkIterable(values);
  const given: unknown[] = [];
  for (const value of values) {
    if (given.length >= count) throw new RangeError(`array: expected at most ${count} elements, got more`);
    given.push(element.read(space, value));
  }
  return given;
}

/** Writes the elements that are given. Getting memory for one can replace the arrays: each store looks for itself. */
function storeElements(
  space: Space,
  element: Type,
  at: number,
  given: readonly never[],
  life: Life,
): boolean {
  for (let index = 0; index < given.length; index++) {
    const value = given[index] as never;
    const to = at + index * element.size;
    if (element.store(space, to, value, life)) continue;
    space.refresh();
    if (!element.store(space, to, value, life)) return false;
  }
  return true;
}

function checkIterable(values: unknown): asserts values is Iterable<unknown> {
  if (typeof values !== "object" || values === null || !(Symbol.iterator in values))
    throw new TypeError(`array: expected something iterable, got ${describe(values)}`);
}

/** Throws unless what is to be deleted lies in this memory and, while checking, belongs to this owner: see Life. */
export function checkOwner(what: string, space: Space, life: Life, own: Space, owner: object): void {
  if (space.memory !== own.memory)
    throw new TypeError(`delete: expected ${what} in this memory, got one in another`);
  if (space.checking && life.owner !== owner)
    throw new TypeError(`delete: expected ${what} that was made here, got one that lives in ${life.name}`);
}

/** `count` elements from an address on. */
export class Elements<E, L, B> implements ArrayElements<E, L, B> {
  readonly length: number;
  private readonly space: Space;
  private readonly element: Type;
  private readonly at: number;
  private life: Life;
  /** Whether they were made by themselves, and are no part of something larger: what can be deleted. */
  private readonly whole: boolean;

  constructor(space: Space, element: Type, at: number, count: number, life: Life, whole = false) {
    this.space = space;
    this.element = element;
    this.at = at;
    this.length = count;
    this.life = life;
    this.whole = whole;
  }

  get ptr(): Ptr<E> {
    this.reach();
    return this.at as Ptr<E>;
  }

  get(index: number): Value<E, L, B> {
    if (index >>> 0 !== index || index >= this.length || this.life.ended) this.refuse(index);
    const at = this.at + index * this.element.size;
    const value = this.element.load(this.space, at, this.life);
    return (value === undefined ? this.loadAgain(at) : value) as Value<E, L, B>;
  }

  set(index: number, value: Init<E, B>): void {
    // First, since the caller's code may run: what it leaves is what counts.
    const given = this.element.read(this.space, value) as never;
    if (index >>> 0 !== index || index >= this.length || this.life.ended) this.refuse(index);
    const at = this.at + index * this.element.size;
    if (this.element.store(this.space, at, given, this.life)) return;
    this.reach();
    this.element.store(this.space, at, given, this.life);
  }

  assign(values: Iterable<Init<E, B>>): void {
    checkIterable(values);
    let index = 0;
    for (const value of values) {
      if (index >= this.length)
        throw new RangeError(`array: expected at most ${this.length} elements, got more`);
      this.set(index, value as Init<E, B>);
      index++;
    }
  }

  fill(value: Init<E, B>): void {
    for (let index = 0; index < this.length; index++) this.set(index, value);
  }

  [Symbol.iterator](): IterableIterator<Value<E, L, B>> {
    return new ElementIterator(this);
  }

  forEach(visit: (element: Value<E, L, B>, index: number) => void): void {
    this.reach();
    const { element, length } = this;
    if (element.kind !== "struct") {
      for (let index = 0; index < length; index++) visit(this.get(index), index);
      return;
    }
    const cursor = innerRefAt(this.space, element as StructType<unknown>, this.at, this.life);
    for (let index = 0; index < length; index++) {
      cursor[AT] = this.at + index * element.size;
      visit(cursor as unknown as Value<E, L, B>, index);
    }
  }

  view(): View<E, L> {
    this.reach();
    return viewAt(this.space, this.element, this.at, this.length) as unknown as View<E, L>;
  }

  toJSON(): unknown {
    this.reach();
    return Array.from({ length: this.length }, (_, index) =>
      this.element.copy(this.space, this.at + index * this.element.size),
    );
  }

  [INSPECT](): string {
    const title = `ArrayRef<${cut(this.element.name)}>`;
    if (this.life.ended) return `${title} @ 0x${this.at.toString(16)} (ended)`;
    const copyAt = (index: number): unknown =>
      this.element.copy(this.space, this.at + index * this.element.size);
    return printed(() => {
      this.reach();
      return `${title}(${this.length}) ${listed(this.length, (index) => shown(copyAt(index)))}`;
    });
  }

  get $$typeof(): symbol {
    return Symbol.for("jest.asymmetricMatcher");
  }

  toAsymmetricMatcher(): string {
    return this[INSPECT]();
  }

  /** What is to be freed, for the allocator in this space that frees it, if `check` lets it; later uses throw. */
  takeOver(
    space: Space,
    owner: object,
    check: (at: number, bytes: number) => void,
  ): { at: number; element: Type; length: number } {
    this.reach();
    if (!this.whole)
      throw new TypeError(
        `delete: expected an array that was made by itself, got a ${this.element.name}[] that is a part of something larger`,
      );
    checkOwner("an array", this.space, this.life, space, owner);
    check(this.at, this.length * this.element.size);
    this.life = DELETED;
    return { at: this.at, element: this.element, length: this.length };
  }

  private refuse(index: number): never {
    this.life.check(`${this.element.name}[]`, this.at);
    const rule =
      this.length === 0
        ? "there is none: the length is 0"
        : `expected an integer from 0 to ${this.length - 1}`;
    throw new RangeError(`index: ${rule}, got ${describe(index)}`);
  }

  private loadAgain(at: number): unknown {
    this.reach();
    const value = this.element.load(this.space, at, this.life);
    if (value === undefined)
      throw new PointerError("outside", this.element.name, at, "leads beyond the memory");
    return value;
  }

  private reach(): void {
    if (this.life.ended) this.life.check(`${this.element.name}[]`, this.at);
    const end = this.at + this.length * this.element.size;
    if (!this.space.reaches(end))
      throw new PointerError("outside", `${this.element.name}[]`, this.at, `leads beyond the memory`);
  }
}

/** Not a generator: V8 makes no object for an element's result in a loop, if it can see all of this. */
class ElementIterator<E, L, B> implements IterableIterator<Value<E, L, B>> {
  private readonly elements: Elements<E, L, B>;
  private index = 0;

  constructor(elements: Elements<E, L, B>) {
    this.elements = elements;
  }

  next(): IteratorResult<Value<E, L, B>> {
    if (this.index >= this.elements.length) return { done: true, value: undefined };
    return { done: false, value: this.elements.get(this.index++) };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** A typed array over elements of a scalar type in memory. Throws a TypeError for another type, or an address not aligned. */
export function viewAt(space: Space, element: Type, at: number, count: number): Arrays[keyof Arrays] {
  if (element.kind !== "scalar")
    throw new TypeError(`view: expected elements of a scalar type, got ${element.name}`);
  const whole = space[(element as ScalarType<unknown>).array];
  if (at % element.size !== 0)
    throw new TypeError(`view: expected an aligned address, got 0x${at.toString(16)}`);
  const first = at / element.size;
  return whole.subarray(first, first + count);
}
