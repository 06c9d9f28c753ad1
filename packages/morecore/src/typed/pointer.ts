// Pointers: raw ones, which are numbers with a type, and the fields that hold an address.
//
// Owns:  the types of raw pointers and their arithmetic; how a pointer is read and written.
// Needs: space, ref.
//
// Making a raw pointer and computing with it is safe; following it is the explicit step, as in Rust: `heap.ref(Node, p)` checks
// what can be checked. At run time a raw pointer is a number and knows no type, so what depends on the size takes the type.

import { describe } from "../memory/arguments.ts";
import { PointerError } from "./errors.ts";
import { AT, isRef, LIFE, refAt, SPACE } from "./ref.ts";
import { type ScalarType, u32 } from "./scalars.ts";
import type { Space } from "./space.ts";
import { isStruct, type StructType } from "./struct.ts";
import type { Type } from "./type.ts";

declare const POINTEE: unique symbol;
declare const MUTABLE: unique symbol;

/** An address where a T lies that is not to be written through this pointer. C's `const T *`. 0 is null. */
export type ConstPtr<T> = number & { readonly [POINTEE]: T };
/** An address where a T lies. C's `T *`. 0 is null. */
export type MutPtr<T> = ConstPtr<T> & { readonly [MUTABLE]: true };
/** A raw pointer: a number that knows at compile time what it leads to. */
export type Ptr<T> = MutPtr<T>;

/** The null pointer, of any type. */
export const NULL: Ptr<never> = 0 as Ptr<never>;

export function isNull(ptr: ConstPtr<unknown>): boolean {
  return ptr === 0;
}

/** C's `p + count`: the address `count` elements on. Addresses wrap at 2^32, as in C. */
export function add<T extends Type, P extends ConstPtr<T>>(type: T, ptr: P, count: number): P {
  return ((ptr + count * type.size) >>> 0) as P;
}

/** C's `p - count`. */
export function sub<T extends Type, P extends ConstPtr<T>>(type: T, ptr: P, count: number): P {
  return ((ptr - count * type.size) >>> 0) as P;
}

/** C's `to - from`: how many elements lie between. Throws a PointerError if that is no whole number of them. */
export function distance<T extends Type>(type: T, from: ConstPtr<T>, to: ConstPtr<T>): number {
  const count = (to - from) / type.size;
  if (!Number.isInteger(count)) {
    throw new PointerError(
      "misaligned",
      type.name,
      to,
      `${to - from} bytes are no whole number of ${type.size}`,
    );
  }
  return count;
}

/** C's cast: the same address, as a pointer to another type. Nothing is checked. */
export function cast<T extends Type>(_type: T, ptr: ConstPtr<unknown>): Ptr<T> {
  return ptr as number as Ptr<T>;
}

/** The address of a field: C's `&p->field`. */
export function fieldPtr<F, K extends keyof F & string>(
  type: StructType<F>,
  ptr: ConstPtr<StructType<F>>,
  field: K,
): Ptr<F[K]> {
  const offset = type.offsets[field];
  if (typeof offset !== "number") throw new RangeError(`field: ${type.name} has no field ${describe(field)}`);
  if ((type.fields[field] as Partial<Type>).kind === "bits")
    throw new TypeError(`field: ${describe(field)} is a bit field, which has no address`);
  return (ptr + offset) as Ptr<F[K]>;
}

/** A field that refers to a struct, or to none. It reads as a reference or null, and what it refers to has a lifetime. */
export interface PointerType<F> extends Type {
  readonly kind: "pointer";
  readonly target: F;
}

/** A field that is a bare address: it reads as a Ptr, 0 for none, and has no lifetime. */
export interface RawPointerType<F> extends Type {
  readonly kind: "raw-pointer";
  readonly target: F;
}

/**
 * A pointer to a struct, four bytes, as in wasm32. It takes a function, so that a struct may refer to itself, or to one that is
 * declared after it: `pointer(() => Node)`. (Its type looks at the function's result only when a field is used.)
 */
export function pointer<F extends () => void>(target: F): PointerType<F> {
  if (typeof target !== "function")
    throw new TypeError(`pointer: expected a function that gives a struct type, got ${describe(target)}`);
  return { ...pointerBy(target, u32), unaligned: pointerBy(target, u32.unaligned) } as PointerType<F>;
}

function pointerBy<F extends () => void>(target: F, word: ScalarType<number>): PointerType<F> {
  return {
    kind: "pointer",
    target,
    name: "pointer",
    size: 4,
    align: word.align,
    load: (space, at, life) => {
      const to = word.load(space, at);
      if (to === undefined) return undefined;
      if (to === 0) return null;
      const type = structOf(target);
      return refAt(space, type, to, space.lifeAt(to, life, type));
    },
    // A reference can end between being read and being stored, so it is looked at again then.
    read: (space, value) => {
      addressOf(space, structOf(target), value);
      return value;
    },
    store: (space, at, value) => word.store(space, at, addressOf(space, structOf(target), value)),
    copy: word.load,
  };
}

/** A raw pointer to any type, four bytes: `rawPointer(() => Node)`. */
export function rawPointer<F extends () => void>(target: F): RawPointerType<F> {
  return { ...u32, kind: "raw-pointer", target, name: "raw pointer" };
}

function structOf(target: () => unknown): StructType<unknown> {
  const type = target();
  if (!isStruct(type))
    throw new TypeError("pointer: expected a function that gives a struct type; rawPointer takes any type");
  return type;
}

/** What is stored for a reference. */
function addressOf(space: Space, type: StructType<unknown>, value: unknown): number {
  if (value === null) return 0;
  if (!isRef(value, type)) throw new TypeError(`expected a reference to ${type.name}, or null`);
  if (value[SPACE].memory !== space.memory)
    throw new TypeError(`expected a reference to ${type.name} in the same memory, got one in another`);
  value[LIFE].check(type.name, value[AT]);
  return value[AT];
}
