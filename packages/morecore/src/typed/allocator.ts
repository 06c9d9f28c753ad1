// Allocator: what the heap and every arena can do alike: give bytes, and make typed things in them.
//
// Owns:  the way from bytes to references: zeroed, filled, given back when that fails.
// Needs: space, life, ref, struct.
//
// Three functions make an allocator: allocate, deallocate, reallocate, with sizes and alignments handed in, as in Rust's
// Allocator trait, so that an arena need not keep them. Everything else is here, once. L is how long what is made here lives.

import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { Printed } from "../memory/printed.ts";
import { checkOwner, Elements } from "./array.ts";
import { OutOfMemoryError, PointerError } from "./errors.ts";
import type { Life } from "./life.ts";
import type { ConstPtr, MutPtr, Ptr } from "./raw-pointer.ts";
import {
  type AnyRef,
  AT,
  endRef,
  INDEX,
  isInner,
  isRef,
  LIFE,
  refAt,
  SPACE,
  TYPE,
  useAfterFree,
} from "./ref.ts";
import type { Ref } from "./ref-type.ts";
import type { Space } from "./space.ts";
import { type Fields, isStruct, isType, type StructType, type Type } from "./type.ts";
import type {
  ArrayRef,
  FieldValues,
  HeldBy,
  Init,
  InitFields,
  Made,
  OnlyFields,
  Plain,
  Ref as RefOf,
} from "./values.ts";

/** What Uninit needs of an allocator, and arenas of one type. */
export const FILL: unique symbol = Symbol("fill");
/** How what is made in an allocator's memory learns that this memory ends. */
export const ENDING: unique symbol = Symbol("ending");
/** Whether an allocator has handed out what lies at an address, and lets it live. */
export const HOLDS: unique symbol = Symbol("holds");
/** What things take their memory from that are made in an allocator's memory, and live as long as what is made there. */
export const HOLDER: unique symbol = Symbol("holder");
/** How a container that lends its elements gets at the code for that: with an allocator it is there, whoever uses it. */
export const ELEMENTS: unique symbol = Symbol("elements");
const nothing = (): void => {};
/** For what is asked of any type: one that owns memory. */
const OWNER = { drop: nothing };

/** What an arena or a container needs of the allocator that it lies in, whatever the lifetime of what that makes. */
export type MemorySource = Pick<
  Allocator,
  | "allocate"
  | "deallocate"
  | "reallocate"
  | "reallocateInPlace"
  | typeof SPACE
  | typeof LIFE
  | typeof ENDING
  | typeof HOLDER
  | typeof ELEMENTS
>;

/**
 * What heaps and arenas can do alike: give bytes, and make typed things in them. Take one as a parameter
 * where any will do.
 *
 * @example
 *
 * ```ts
 * const Point = struct({ x: f64, y: f64 });
 * const make = (allocator: Allocator): number => allocator.new(Point, { x: 1 }).x;
 * const heap = Heap.create();
 * console.log(make(heap), make(heap.bump())); // 1 1
 * ```
 */
export abstract class Allocator<L = unknown> extends Printed {
  /** The memory that this allocates in. */
  abstract readonly [SPACE]: Space;
  /** How long what is made here lives. */
  abstract readonly [LIFE]: Life;

  /** The address of `bytes` bytes, a multiple of `alignment`, a power of two; 0: no memory, and nothing has changed. */
  abstract allocate(bytes: number, alignment: number): number;

  /** Gives back what allocate gave for this size and alignment. An arena may keep it until the arena ends. */
  abstract deallocate(ptr: number, bytes: number, alignment: number): void;

  /** The block with another size, perhaps elsewhere, its contents kept up to the smaller of both; 0: no memory, and it is as it was. */
  abstract reallocate(ptr: number, oldBytes: number, newBytes: number, alignment: number): number;

  /**
   * Gives the block another size where it lies. False: it cannot be, and the block is as it was. For who must have the address of
   * another block written down before this one is freed.
   */
  reallocateInPlace(_ptr: number, _oldBytes: number, _newBytes: number, _alignment: number): boolean {
    return false;
  }

  /** Whether bytes at an address lie within one live block. O(1) or worse: for turning raw pointers into references. */
  protected abstract isLive(at: number, bytes: number): boolean;

  /** Whether bytes at an address lie in one live block of this allocator's, and live as long as what it makes. */
  [HOLDS](at: number, bytes: number): boolean {
    if (!this.isLive(at, bytes)) return false;
    return this[SPACE].lifeAt(at, this[LIFE], OWNER).owner === this[LIFE].owner;
  }

  /** Throws if what is to be deleted is surely not all of a block, so that a part was taken for the whole; before anything is freed. */
  protected checkWhole(_ptr: number, _bytes: number): void {}

  /**
   * Calls a function before what is made here ends, unless the function that this gives is called before. What a heap makes
   * does not end by itself.
   */
  [ENDING](_ending: () => void): () => void {
    return nothing;
  }

  /**
   * What an arena or a container takes its memory from that is made here now, or that lies here at an address: it must not be let go of
   * before that is.
   */
  [HOLDER](_at?: number): MemorySource {
    return this;
  }

  /** `count` elements that are a part of something in this allocator's memory, from an address on. */
  [ELEMENTS]<E extends Type, L, B>(element: E, at: number, count: number, life: Life): ArrayRef<E, L, B> {
    return new Elements<E, L, B>(this[SPACE], element, at, count, life) as unknown as ArrayRef<E, L, B>;
  }

  /**
   * A struct, made in place from its fields; those that are not given are zero. Throws an OutOfMemoryError, or a TypeError for a
   * field that the struct has not, and then nothing is kept. O(size).
   */
  new<T extends StructType<Fields>, I extends object = Record<never, never>>(
    type: T,
    fields?: InitFields<T["fields"], HeldBy<T["fields"], I, L>> & OnlyFields<T["fields"], I>,
  ): Made<T, L, I> {
    checkStruct("new", type);
    // Read before there is memory for it: what cannot be read has then taken none.
    const given = fields === undefined ? undefined : type.read(this[SPACE], fields);
    const at = this.takeZeroed(type, type.size);
    const ref = refAt(this[SPACE], type, at, this[LIFE]);
    if (given !== undefined) this.fillFrom(ref, given);
    return ref as unknown as Made<T, L, I>;
  }

  /** The same as a raw pointer, all zero: no object is made. No memory: an OutOfMemoryError. O(size). */
  newPtr<T extends Type>(type: T): Ptr<T> {
    checkType("newPtr", type);
    return this.takeZeroed(type, type.size) as Ptr<T>;
  }

  /** Memory for a struct that nothing can read until `init` has filled it. Throws an OutOfMemoryError. O(size). */
  alloc<T extends StructType<Fields>>(type: T): Uninit<T, L> {
    checkStruct("alloc", type);
    const at = this.takeZeroed(type, type.size);
    return new Uninit(this, refAt(this[SPACE], type, at, this[LIFE]));
  }

  /** `count` elements side by side, zero, or from the values. Throws an OutOfMemoryError. O(bytes). */
  newArray<E extends Type, B = L>(
    element: E,
    count: number,
    values?: Iterable<Init<E, B>>,
  ): ArrayRef<E, L, B> {
    checkType("newArray", element);
    if (!isWord(count)) refuseWord("count", count);
    const bytes = count * element.size;
    if (bytes > MAX_BYTES) throw new OutOfMemoryError(bytes, element.name);
    const at = this.takeZeroed(element, bytes);
    const made = new Elements<E, L, B>(this[SPACE], element, at, count, this[LIFE], true);
    if (values !== undefined) {
      try {
        made.assign(values);
      } catch (error) {
        this.delete(made);
        throw error;
      }
    }
    return made as unknown as ArrayRef<E, L, B>;
  }

  /**
   * Frees what `new`, `alloc` or `newArray` made here, and what it owns. Later uses of this reference throw. Throws a
   * TypeError for what was not made here, or is a part of something larger. O(1), and what it owns.
   */
  delete(what: { readonly ptr: number }): void {
    if (what instanceof Elements) {
      const check = (at: number, bytes: number): void => this.checkWhole(at, bytes);
      const { at, element, length } = what.takeOver(this[SPACE], this[LIFE].owner, check);
      for (let index = 0; element.drop && index < length; index++)
        element.drop(this[SPACE], at + index * element.size, this[LIFE]);
      this.deallocate(at, Math.max(1, length * element.size), element.align);
      return;
    }
    if (!isRef(what)) throw new TypeError(`delete: expected a reference, got ${describe(what)}`);
    if (what[LIFE].ended) useAfterFree(what);
    if (isInner(what))
      throw new TypeError(
        `delete: expected a reference to what was made by itself, got one to a ${what[TYPE].name} that is a part of something larger`,
      );
    checkOwner("a reference", what[SPACE], what[LIFE], this[SPACE], this[LIFE].owner);
    const type = what[TYPE];
    this.checkWhole(what[AT], type.size);
    this[SPACE].reaches(what[AT] + type.size);
    type.drop?.(this[SPACE], what[AT], this[LIFE]);
    this.deallocate(what[AT], Math.max(1, type.size), type.align);
    endRef(what);
  }

  /**
   * A reference to the struct at a raw pointer: the explicit step. Throws a PointerError for null, and for an address that is
   * not aligned or leads beyond the memory. While checking, also for one that lies in no live block. It lives as long as what
   * is made here does: that the struct lives as long is yours to know. O(1), but in a heap O(chunks) for an address inside a
   * block.
   */
  ref<T extends StructType<Fields>>(type: T, ptr: ConstPtr<T>): RefOf<T, L> {
    checkStruct("ref", type);
    this.checkPtr(type, ptr);
    const life = this[SPACE].lifeAt(ptr, this[LIFE], type);
    return refAt(this[SPACE], type, ptr, life) as unknown as RefOf<T, L>;
  }

  /** The elements from a raw pointer on, checked as `ref` does. As `ref` in cost. */
  refArray<E extends Type>(element: E, ptr: ConstPtr<E>, count: number): ArrayRef<E, L> {
    checkType("refArray", element);
    if (!isWord(count)) refuseWord("count", count);
    this.checkPtr(element, ptr, count * element.size);
    const life = this[SPACE].lifeAt(ptr, this[LIFE], element);
    return new Elements<E, L, L>(this[SPACE], element, ptr, count, life, true) as unknown as ArrayRef<E, L>;
  }

  /**
   * A reference that refers to nothing yet and is moved along with `moveTo`, so that a loop makes no objects. Until it is
   * moved, its uses read address 0. O(1).
   */
  cursor<T extends StructType<Fields>>(type: T): RefOf<T, L> {
    checkStruct("cursor", type);
    return refAt(this[SPACE], type, 0, this[LIFE]) as unknown as RefOf<T, L>;
  }

  /** A plain copy of what lies at a raw pointer. Throws as `ref` does. O(size). */
  read<T extends Type>(type: T, ptr: ConstPtr<T>): Plain<T> {
    checkType("read", type);
    this.checkPtr(type, ptr);
    return type.copy(this[SPACE], ptr) as Plain<T>;
  }

  /** Writes what lies at a raw pointer. Does not compile for a ConstPtr. Throws as `ref` does. O(size). */
  write<T extends Type>(type: T, ptr: MutPtr<T>, value: Init<T, L>): void {
    checkType("write", type);
    const given = type.read(this[SPACE], value);
    this.checkPtr(type, ptr);
    storeAt(this[SPACE], type, ptr, given, this[LIFE]);
  }

  /** C's memmove of `count` elements. What they own is not copied along. Throws as `ref` does. O(bytes). */
  copy<T extends Type>(type: T, to: MutPtr<T>, from: ConstPtr<T>, count = 1): void {
    checkType("copy", type);
    if (!isWord(count)) refuseWord("count", count);
    if (count === 0) return;
    this.checkPtr(type, from, count * type.size);
    this.checkPtr(type, to, count * type.size);
    this[SPACE].u8.copyWithin(to, from, from + count * type.size);
  }

  /** Runs what fills a new struct; if it throws, the memory is given back. */
  [FILL](ref: AnyRef, body: (ref: AnyRef) => unknown): void {
    try {
      const result = body(ref);
      if (isThenable(result))
        throw new TypeError("init: expected a function that is done when it returns, got a promise");
    } catch (error) {
      if (!ref[LIFE].ended) this.delete(ref as unknown as { ptr: number });
      throw error;
    }
  }

  /** The same for fields in an object, without a function for each struct that is made. */
  private fillFrom(ref: AnyRef, given: unknown): void {
    try {
      storeAt(ref[SPACE], ref[TYPE], ref[AT], given, ref[LIFE]);
    } catch (error) {
      this.delete(ref as unknown as { ptr: number });
      throw error;
    }
  }

  /** Small, since all of it is inlined: what is rare has a function of its own. */
  private takeZeroed(type: Type, bytes: number): number {
    const at = this.allocate(bytes || 1, type.align);
    const words = this[SPACE].u32;
    const first = at >>> 2;
    const last = first + (bytes >>> 2);
    if (at === 0 || bytes > LOOP_BYTES || (at | bytes) & 3 || last > words.length)
      return zeroSlowly(this[SPACE], type, at, bytes);
    for (let index = first; index < last; index++) words[index] = 0;
    return at;
  }

  private checkPtr(type: Type, ptr: number, bytes = type.size): void {
    const hex = `0x${ptr.toString(16)}`;
    if (!isWord(ptr)) refuseWord("ptr", ptr);
    if (ptr === 0) throw new PointerError("null", type.name, ptr, "expected an address, got null");
    if (ptr % type.align !== 0)
      throw new PointerError(
        "misaligned",
        type.name,
        ptr,
        `expected a multiple of ${type.align}, got ${hex}`,
      );
    const space = this[SPACE];
    if (!space.reaches(ptr + bytes)) {
      const end = space.u8.length;
      throw new PointerError(
        "outside",
        type.name,
        ptr,
        `${bytes} bytes at ${hex} lead beyond the memory's ${end} bytes`,
      );
    }
    this[LIFE].check(type.name, ptr);
    if (space.checking && !this.isLive(ptr, bytes))
      throw new PointerError("not-live", type.name, ptr, `${bytes} bytes at ${hex} lie in no live block`);
  }
}

const MAX_BYTES = 2 ** 32 - 1;
/** Up to here a loop beats a call into the engine. */
const LOOP_BYTES = 128;

type Filler = Pick<Allocator, "delete" | typeof FILL>;

/**
 * Memory for a struct, which nothing can read yet.
 *
 * @example
 *
 * ```ts
 * const Point = struct({ x: f64, y: f64 });
 * const place = Heap.create().alloc(Point);
 * const point = place.init((made) => {
 *   made.x = 1;
 * });
 * console.log(point.x); // 1
 * ```
 */
export class Uninit<T, L> extends Printed {
  private readonly allocator: Filler;
  private readonly made: AnyRef;
  private done = false;

  constructor(allocator: Filler, made: AnyRef) {
    super();
    this.allocator = allocator;
    this.made = made;
  }

  /**
   * Fills the struct in place: by a function that gets it, zeroed, or from fields. If that throws, the memory is given back. Once.
   */
  init<B = L>(fill: ((made: Ref<T, L, B>) => void) | Init<T, B>): Ref<T, L, B> {
    this.take("init");
    const body = typeof fill === "function" ? (fill as unknown as (ref: AnyRef) => void) : undefined;
    this.allocator[FILL](this.made, body ?? ((ref) => assign(ref as never, fill as never)));
    return this.made as unknown as Ref<T, L, B>;
  }

  /** Gives the memory back. */
  discard(): void {
    this.take("discard");
    this.allocator.delete(this.made as unknown as { ptr: number });
  }

  protected override summary(): string {
    return `Uninit<${this.made[TYPE].name}> @ 0x${this.made[AT].toString(16)}${this.done ? " (done)" : ""}`;
  }

  private take(call: string): void {
    if (this.done)
      throw new TypeError(
        `${call}: expected memory that is not initialised yet; it has been, or was discarded`,
      );
    this.done = true;
  }
}

/**
 * Writes the fields that are given, and leaves the others.
 *
 * @example
 *
 * ```ts
 * const point = Heap.create().new(struct({ x: f64, y: f64 }), { x: 1, y: 2 });
 * assign(point, { y: 3 });
 * console.log(point.x, point.y); // 1 3
 * ```
 */
export function assign<T, L, B>(ref: Ref<T, L, B>, fields: Init<T, B>): void {
  const made = checkRef("assign", ref);
  const given = made[TYPE].read(made[SPACE], fields);
  if (made[LIFE].ended) useAfterFree(made);
  storeAt(made[SPACE], made[TYPE], made[AT], given, made[LIFE]);
}

/**
 * The fields of a struct in a plain object, each as reading the property gives it: `{ ...fieldsOf(ref), x: 1 }`. A reference
 * itself cannot be spread, as its fields are not in it but in the memory.
 *
 * @example
 *
 * ```ts
 * const point = Heap.create().new(struct({ x: f64, y: f64 }), { x: 1, y: 2 });
 * console.log({ ...fieldsOf(point), x: 5 }); // { x: 5, y: 2 }
 * ```
 */
export function fieldsOf<T, L, B>(ref: Ref<T, L, B>): FieldValues<T, L, B>;
/** The same for a row of Columns. */
export function fieldsOf<R extends { index: number }>(row: R): Omit<R, "index">;
export function fieldsOf(ref: object): unknown {
  const { [TYPE]: type } =
    INDEX in ref && TYPE in ref ? (ref as unknown as AnyRef) : checkRef("fieldsOf", ref);
  const values = ref as unknown as Record<string, unknown>;
  return Object.fromEntries(type.list.map(({ name }) => [name, values[name]]));
}

/**
 * Lets a cursor refer to another struct of its type. Nothing is checked but, at the accesses, the memory's end.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const Point = struct({ x: f64, y: f64 });
 * const cursor = heap.cursor(Point);
 * moveTo(cursor, heap.new(Point, { x: 1 }).ptr);
 * console.log(cursor.x); // 1
 * ```
 */
export function moveTo<T, L, B>(cursor: Ref<T, L, B>, ptr: ConstPtr<T>): void {
  (cursor as unknown as AnyRef)[AT] = ptr;
}

/**
 * Whether two references refer to the same struct, or are both null: each read of a pointer field gives another object.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const Point = struct({ x: f64, y: f64 });
 * const point = heap.new(Point);
 * console.log(same(point, heap.ref(Point, point.ptr)), same(point, heap.new(Point))); // true false
 * ```
 */
export function same(a: { readonly ptr: number } | null, b: { readonly ptr: number } | null): boolean {
  if (a === null || b === null) return a === b;
  const [one, other] = [checkRef("same", a), checkRef("same", b)];
  return one[AT] === other[AT] && one[SPACE].memory === other[SPACE].memory;
}

/**
 * Whether what a reference lives in is still there. Looks also where accesses do not.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const point = heap.new(struct({ x: f64 }));
 * heap.delete(point);
 * console.log(isAlive(point)); // false
 * ```
 */
export function isAlive(ref: { readonly ptr: number } | object): boolean {
  return !checkRef("isAlive", ref)[LIFE].ended;
}

function checkRef(call: string, ref: unknown): AnyRef {
  if (!isRef(ref)) throw new TypeError(`${call}: expected a reference, got ${describe(ref)}`);
  if (call !== "isAlive" && ref[LIFE].ended) useAfterFree(ref);
  return ref;
}

function storeAt(space: Space, type: Type, at: number, given: unknown, life: Life): void {
  if (space.reaches(at + type.size) && type.store(space, at, given as never, life)) return;
  const end = space.u8.length;
  throw new PointerError(
    "outside",
    type.name,
    at,
    `0x${at.toString(16)} leads beyond the memory's ${end} bytes`,
  );
}

/** For what is large, or lies at odd addresses, or where the memory has grown, or there was none. */
function zeroSlowly(space: Space, type: Type, at: number, bytes: number): number {
  if (at === 0 || !space.reaches(at + bytes)) throw new OutOfMemoryError(bytes, type.name);
  space.u8.fill(0, at, at + bytes);
  return at;
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function checkStruct(call: string, type: unknown): asserts type is StructType<unknown> {
  if (!isStruct(type)) throw new TypeError(`${call}: expected a struct type, got ${describe(type)}`);
}

/** Small, and what throws apart: this is inlined where each byte of code counts. */
export function checkType(call: string, type: unknown): asserts type is Type {
  const given = type as Partial<Type> | null | undefined;
  if (given?.load === undefined || given.kind === "bits") refuseType(call, type);
}

function refuseType(call: string, type: unknown): never {
  const instead = isType(type)
    ? " of whole bytes, got a bit field, which only a struct has"
    : `, got ${describe(type)}`;
  throw new TypeError(`${call}: expected a type${instead}`);
}
