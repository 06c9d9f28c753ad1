// Raw pointers: numbers with a type.
//
// Owns:  their types and their arithmetic; the fields that hold one.
// Needs: type, scalars.
//
// Making a raw pointer and computing with it is safe; following it is the explicit step, as in Rust: `heap.ref(Node, p)` checks
// what can be checked. At run time a raw pointer is a number and knows no type, so what depends on the size takes the type.

import { describe } from "../memory/arguments.ts";
import { PointerError } from "./errors.ts";
import { u32 } from "./scalars.ts";
import type { RawPointerType, StructType, Type } from "./type.ts";

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

/**
 * Whether a raw pointer is null: 0.
 *
 * @example
 *
 * ```ts
 * console.log(isNull(NULL), isNull(Heap.create().newPtr(f64))); // true false
 * ```
 */
export function isNull(ptr: ConstPtr<unknown>): boolean {
  return ptr === 0;
}

/**
 * C's `p + count`: the address `count` elements on. Addresses wrap at 2^32, as in C.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const list = heap.newArray(f64, 3, [1, 2, 3]);
 * console.log(heap.read(f64, add(f64, list.ptr, 2))); // 3
 * ```
 */
export function add<T extends Type, P extends ConstPtr<T>>(type: T, ptr: P, count: number): P {
  return ((ptr + count * type.size) >>> 0) as P;
}

/**
 * C's `p - count`.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const list = heap.newArray(f64, 3, [1, 2, 3]);
 * const last = add(f64, list.ptr, 2);
 * console.log(heap.read(f64, sub(f64, last, 1))); // 2
 * ```
 */
export function sub<T extends Type, P extends ConstPtr<T>>(type: T, ptr: P, count: number): P {
  return ((ptr - count * type.size) >>> 0) as P;
}

/**
 * C's `to - from`: how many elements lie between. Throws a PointerError if that is no whole number of them.
 *
 * @example
 *
 * ```ts
 * const { ptr } = Heap.create().newArray(f64, 3);
 * console.log(distance(f64, ptr, add(f64, ptr, 2))); // 2
 * ```
 */
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

/**
 * C's cast: the same address, as a pointer to another type. Nothing is checked.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const bytes = heap.newArray(u8, 4, [1, 1, 0, 0]);
 * console.log(heap.read(u32, cast(u32, bytes.ptr))); // 257
 * ```
 */
export function cast<T extends Type>(_type: T, ptr: ConstPtr<unknown>): Ptr<T> {
  return ptr as number as Ptr<T>;
}

/**
 * The address of a field: C's `&p->field`.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const Point = struct({ x: f64, y: f64 });
 * const { ptr } = heap.new(Point, { y: 2 });
 * console.log(heap.read(f64, fieldPtr(Point, ptr, "y"))); // 2
 * ```
 */
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

/**
 * A raw pointer to any type, four bytes: `rawPointer(() => Node)`.
 *
 * @example
 *
 * ```ts
 * const Link = struct({ to: rawPointer(() => f64) });
 * const heap = Heap.create();
 * const link = heap.new(Link, { to: heap.newPtr(f64) });
 * console.log(link.to > 0, heap.new(Link).to); // true 0
 * ```
 */
export function rawPointer<F extends () => void>(target: F): RawPointerType<F> {
  return { ...u32, kind: "raw-pointer", target, name: "raw pointer" };
}
