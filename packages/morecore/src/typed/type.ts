// Type: what lies in memory: how long, how aligned, how it is read and written; and what TypeScript makes of it.
//
// Owns:  the interface that every kind of field has; the types of values; telling a type from something else.
// Needs: lifetime; the kinds, for their types only.
//
// `load` and `store` are plain closures without `this`: an accessor holds them as constants, and V8 inlines them there.

import type { ArrayRef, ArrayType } from "./array.ts";
import type { Life } from "./life.ts";
import type { Holds, LivesFor } from "./lifetime.ts";
import type { PointerType, Ptr, RawPointerType } from "./pointer.ts";
import type { AccessMakers } from "./scalar-access.ts";
import type { Space } from "./space.ts";
import type { Fields, StructType } from "./struct.ts";
import type { UnionInit, UnionRef, UnionType } from "./union.ts";

declare const VALUE: unique symbol;

export interface Type {
  readonly kind: string;
  /** As messages show it. */
  readonly name: string;
  /** Bytes, a multiple of `align`. */
  readonly size: number;
  /** A power of two. */
  readonly align: number;
  /** What lies at an address; undefined: it is beyond the arrays. `life` is that of whatever contains it. */
  readonly load: (space: Space, at: number, life: Life) => unknown;
  /**
   * Reads what a caller gives for a value that is to be stored in `space`: once, whole, and before anything else is looked at,
   * since that may run the caller's code. What it gives back refers to nothing that can move or be changed. Throws a TypeError
   * for what is no such value.
   */
  readonly read: (space: Space, value: unknown) => unknown;
  /** Writes what `read` gave; none of the caller's code runs. False: it is beyond the arrays, and nothing was written. */
  readonly store: (space: Space, at: number, given: never, life: Life) => boolean;
  /** A plain copy, for people and for JSON: objects, arrays, numbers; pointers as addresses. */
  readonly copy: (space: Space, at: number) => unknown;
  /** How a reference's property reads and writes it, where there is a faster way than load and store. */
  readonly access?: AccessMakers;
  /** Gives back what the value owns. Missing: it owns nothing. */
  readonly drop?: (space: Space, at: number, life: Life) => void;
}

/** Whether a value is a type: what comes from callers is looked at before it is used. */
export function isType(value: unknown): value is Type {
  return (
    typeof value === "object" &&
    value !== null &&
    "load" in value &&
    "size" in value &&
    typeof value.size === "number"
  );
}

const ONE_STORE = new Set(["scalar", "key", "raw-pointer", "pointer"]);
const PLACES = new Set(["struct", "array", "union"]);

/** Whether a value is written by one store: it is there or not, whenever the process ends. */
export function isOneStore(type: Type): boolean {
  return ONE_STORE.has(type.kind);
}

/** Whether what reading gives leads back to the place that was read. */
export function isPlace(type: Type): boolean {
  return PLACES.has(type.kind);
}

/** A type whose values are JavaScript's own: numbers, bigints, booleans, strings. */
export interface ValueType<V> extends Type {
  readonly [VALUE]?: V;
}

/** What a thunk leads to. */
export type Target<F> = F extends () => infer T ? T : never;

/** Whether values of T contain references that have a lifetime. */
export type HoldsRefs<T> =
  T extends PointerType<unknown>
    ? true
    : T extends StructType<infer F>
      ? true extends { [K in keyof F]: HoldsRefs<F[K]> }[keyof F]
        ? true
        : false
      : T extends ArrayType<infer E>
        ? HoldsRefs<E>
        : T extends UnionType<infer F>
          ? true extends { [K in keyof F]: HoldsRefs<F[K]> }[keyof F]
            ? true
            : false
          : false;

/** What reading a T gives, in something that lives for L and holds references that live for B. */
export type Value<T, L, B> =
  T extends PointerType<infer F>
    ? Ref<Target<F>, B, B> | null
    : T extends RawPointerType<infer F>
      ? Ptr<Target<F>>
      : T extends StructType<Fields>
        ? Ref<T, L, B>
        : T extends ArrayType<infer E>
          ? ArrayRef<E, L, B>
          : T extends UnionType<infer F>
            ? UnionRef<F, L, B>
            : T extends ValueType<infer V>
              ? V
              : never;

/** What reading each field of a struct gives. */
export type FieldValues<T, L, B> =
  T extends StructType<infer F> ? { [K in keyof F]: Value<F[K], L, B> } : never;

/** What a T can be made from. Fields that are missing are zero. */
export type Init<T, B> =
  T extends PointerType<infer F>
    ? Ref<Target<F>, B, B> | null
    : T extends RawPointerType<infer F>
      ? Ptr<Target<F>>
      : T extends StructType<infer F>
        ? InitFields<F, B>
        : T extends ArrayType<infer E>
          ? Iterable<Init<E, B>>
          : T extends UnionType<infer F>
            ? UnionInit<F, B>
            : T extends ValueType<infer V>
              ? V
              : never;

/** The fields of a struct to be made, whose references live for B. */
export type InitFields<F, B> = { readonly [K in keyof F]?: Init<F[K], B> };

/** What is given for the fields of F that are pointers. */
type GivenRefs<F, I> = {
  [K in keyof I]: K extends keyof F
    ? F[K] extends PointerType<unknown>
      ? NonNullable<I[K]>
      : F[K] extends StructType<infer G>
        ? GivenRefs<G, I[K]>
        : F[K] extends ArrayType<PointerType<unknown>>
          ? I[K] extends Iterable<infer V>
            ? NonNullable<V>
            : never
          : never
    : never;
}[keyof I];

/** How long all of these references live: the intersection of their lifetimes, which is the shortest one. */
type ShortestOf<R> = (R extends LivesFor<infer L> ? (life: L) => void : never) extends (life: infer S) => void
  ? S
  : never;

/** How long the references live that fields are made from; L where there are none. */
export type HeldBy<F, I, L> = [GivenRefs<F, I>] extends [never] ? L : ShortestOf<GivenRefs<F, I>>;

/** Fields of F that I gives, and no others. */
export type GivenFields<F, I, L> = I &
  InitFields<F, HeldBy<F, I, L>> & { readonly [K in Exclude<keyof I, keyof F | ViewKeys<F, I>>]: never };

/** What references and rows have besides their fields. */
type ViewKeys<F, I> = I extends { readonly [K in keyof F]: unknown } ? "ptr" | "index" | symbol : never;

/** What a plain copy of a T looks like. */
export type Plain<T> =
  T extends PointerType<infer F>
    ? Ptr<Target<F>>
    : T extends RawPointerType<infer F>
      ? Ptr<Target<F>>
      : T extends StructType<infer F>
        ? { [K in keyof F]: Plain<F[K]> }
        : T extends ArrayType<infer E>
          ? Plain<E>[]
          : T extends UnionType<infer F>
            ? { [K in keyof F]: { tag: K; value: Plain<F[K]> } }[keyof F]
            : T extends ValueType<infer V>
              ? V
              : never;

/**
 * A reference to a T that may be used while L lasts, and whose own references live for B: `Ref<typeof Node, L>`. Its properties
 * are the fields. It stays valid when the memory grows; once its life has ended, every access throws a UseAfterFreeError.
 */
export type Ref<T, L = unknown, B = L> =
  T extends StructType<infer F>
    ? LivesFor<L> &
        (HoldsRefs<T> extends true ? Holds<B> : unknown) & { [K in keyof F]: Value<F[K], L, B> } & {
          /** The raw pointer: a number. */
          readonly ptr: Ptr<T>;
        }
    : never;

/** The same type where addresses need not be aligned; undefined: there is none. */
export function looseOf(type: Type): Type | undefined {
  if (!("unaligned" in type)) return undefined;
  const { unaligned } = type as Type & { unaligned: Type | (() => Type) };
  return typeof unaligned === "function" ? unaligned() : unaligned;
}
