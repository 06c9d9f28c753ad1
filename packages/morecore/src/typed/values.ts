// Values: what TypeScript makes of a type: what reading it gives, what it is made from. Nothing here exists at run time.
//
// Owns:  references, arrays and unions in memory as their users see them.
// Needs: type, raw-pointer, lifetime.
//
// L is how long what is read may be used, B how long the references live that it holds: see lifetime.ts.

import type { Holds, LivesFor } from "./lifetime.ts";
import type { Ptr } from "./raw-pointer.ts";
import type { Arrays } from "./space.ts";
import type {
  ArrayType,
  Fields,
  PointerType,
  RawPointerType,
  StructType,
  UnionType,
  ValueType,
} from "./type.ts";

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
    ? RefTo<Target<F>, B> | null
    : T extends RawPointerType<infer F>
      ? Ptr<Target<F>>
      : T extends StructType<Fields>
        ? HoldsRefs<T> extends true
          ? RefHolding<T, L, B>
          : Ref<T, L>
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
    ? RefTo<Target<F>, B> | null
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

/**
 * Stands beside InitFields where fields are given, so that the compiler infers I from them: for HeldBy. It asks for nothing
 * itself, so what is compared, and what errors show, are the fields' own types. But where I has what is no field of F, it asks
 * for what nobody has. Of a literal the compiler finds that by itself, and says so first; any other object it would take.
 */
export type OnlyFields<F, I> = [I] extends [never]
  ? I
  : [Exclude<keyof I, keyof F | ViewKeys<F, I>>] extends [never]
    ? unknown
    : UnknownFields<Exclude<keyof I, keyof F | ViewKeys<F, I>>>;

declare const UNKNOWN_FIELDS: unique symbol;

/** Names what the struct has not. */
interface UnknownFields<K> {
  readonly [UNKNOWN_FIELDS]: K;
}

/** What `new` gives: what holds no other references than its own lifetime's is a Ref<T, L>. */
export type Made<T extends StructType<Fields>, L, I> = [GivenRefs<T["fields"], I>] extends [never]
  ? Ref<T, L>
  : RefHolding<T, L, ShortestOf<GivenRefs<T["fields"], I>>>;

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

/** The fields of a struct type. */
type FieldsOf<T> = T extends StructType<infer F> ? F : never;

/** What a reference to a T has: its fields, which live for L and hold references that live for B. */
export type Members<T, L, B> = { [K in keyof FieldsOf<T>]: Value<FieldsOf<T>[K], L, B> } & {
  /** The raw pointer: a number. */
  readonly ptr: Ptr<T>;
};

/** What a T holds. */
export type Holding<T, B> = HoldsRefs<T> extends true ? Holds<B> : unknown;

/**
 * A reference whose own references live as long as itself: the Ref of ref-type.ts with B = L. It has that name since an alias
 * is shown with all that it was given. Here that is what a reader would write.
 */
export type Ref<T, L> = LivesFor<L> & Holding<T, L> & Members<T, L, L>;

/** A reference that lives for L to what holds references that live for B. */
export type RefHolding<T, L, B> = LivesFor<L> & Holding<T, B> & Members<T, L, B>;

/** A reference to what a pointer's function gives. */
type RefTo<T, L> = T extends StructType<unknown> ? Ref<T, L> : never;

/** The typed array over elements of a scalar type. */
export type ViewOf<E> = E extends { readonly array: infer A extends keyof Arrays } ? Arrays[A] : never;

/** A typed array over memory, that may be used while L lasts, and until something allocates. */
export type View<E, L> = ViewOf<E> & LivesFor<L>;

/** An array in memory, that may be used while L lasts. */
export type ArrayRef<E, L = unknown, B = L> = ArrayElements<E, L, B> &
  LivesFor<L> &
  (HoldsRefs<E> extends true ? Holds<B> : unknown);

/** What can be done with the elements of an array in memory. */
export interface ArrayElements<E, L, B> {
  /** How many elements there are. */
  readonly length: number;
  /** The raw pointer to the first element. */
  readonly ptr: Ptr<E>;
  /** The element at an index: from 0 to length - 1, or a RangeError. */
  get(index: number): Value<E, L, B>;
  /** Writes an element; of a struct the fields that are given. Throws a RangeError beyond the length. */
  set(index: number, value: Init<E, B>): void;
  /** Writes the elements from the first on. Throws a RangeError when there are more than fit; those that fit are written then. */
  assign(values: Iterable<Init<E, B>>): void;
  /** Writes the same to all elements. O(length). */
  fill(value: Init<E, B>): void;
  [Symbol.iterator](): IterableIterator<Value<E, L, B>>;
  /** Calls a function with each element. For structs it is one reference that moves along: no object is made for each. */
  forEach(visit: (element: Value<E, L, B>, index: number) => void): void;
  /** A typed array over the elements, of a scalar type at an aligned address. Get it anew after anything that may allocate. */
  view(): View<E, L>;
  /** Plain copies of all elements. O(length). */
  toJSON(): unknown;
}

/** What a union reads as: `if (u.tag === "circle") u.value.radius`. */
export type UnionRef<F, L, B> = {
  [K in keyof F]: { readonly tag: K; readonly value: Value<F[K], L, B> };
}[keyof F];

/** What a union is written from. */
export type UnionInit<F, B> = { [K in keyof F]: { readonly tag: K; readonly value: Init<F[K], B> } }[keyof F];
