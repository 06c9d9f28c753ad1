// Type: what lies in memory: how long, how aligned, how it is read and written.
//
// Owns:  the interface that every type has, and what each kind of types adds to it; telling a type from something else.
// Needs: space, life, access, for their types only.
//
// `load` and `store` are plain closures without `this`: an accessor holds them as constants, and V8 inlines them there.

import { printing } from "../memory/printed.ts";
import type { AccessMakers } from "./access.ts";
import type { Life } from "./life.ts";
import type { Arrays, Space } from "./space.ts";

declare const VALUE: unique symbol;

/**
 * What lies in memory: how long, how aligned, how it is read and written. What `struct`, `array`, `f64` and
 * the others are.
 */
export interface Type {
  /** Which kind of type it is, as "struct" or "scalar". */
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
   * Reads what a caller gives for a value that is to be stored in `space`. It does so once, whole, and before anything else
   * is looked at, since that may run the caller's code. What it gives back refers to nothing that can move or be changed.
   * Throws a TypeError for what is no such value.
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

/** What is printed of a type. Each that makes a type spreads it into it. */
export function typePrinting(): object {
  return printing(function (this: Type) {
    return printedType(this);
  });
}

export function printedType({ kind, name, size, align }: Type): string {
  return `Type ${name} (${kind}, ${size} bytes, aligned to ${align})`;
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

/** A number, a bigint or a boolean of a fixed size. */
export interface ScalarType<V, A extends keyof Arrays = keyof Arrays> extends ValueType<V> {
  /** Always "scalar". */
  readonly kind: "scalar";
  /** Which of a space's arrays has such elements. */
  readonly array: A;
  /** The value at an address; undefined: it is beyond the memory. */
  readonly load: (space: Space, at: number) => V | undefined;
  /** What a caller's value becomes before it is written. */
  readonly read: (space: Space, value: unknown) => V;
  /** Writes a value. False: the address is beyond the memory. */
  readonly store: (space: Space, at: number, value: V) => boolean;
  /** The same, where addresses need not be aligned. */
  readonly unaligned: ScalarType<V, A>;
}

/** A bit field. Where it lies in its unit, its struct decides. */
export interface BitsType<V> extends ValueType<V> {
  /** Always "bits". */
  readonly kind: "bits";
  /** How many bits it has. */
  readonly width: number;
  /** Bytes of the declared type: the unit that a bit field does not cross. */
  readonly unitBytes: number;
  /** This bit field, beginning at a bit of its first byte. */
  readonly at: (bit: number) => ValueType<V>;
}

/** The fields of a struct, or the variants of a union: types by name. */
export type Fields = Readonly<Record<string, Type>>;

export interface Field {
  readonly name: string;
  readonly type: Type;
  /** Bytes from the struct's address. */
  readonly offset: number;
}

/** A struct: fields side by side, laid out as clang lays them out for wasm32. */
export interface StructType<F> extends Type {
  /** Always "struct". */
  readonly kind: "struct";
  /** The fields' types, by name. */
  readonly fields: F;
  /** Of each field, the bytes from the struct's address; of a bit field, to the first byte that has bits of it. */
  readonly offsets: { readonly [K in keyof F]: number };
  /** Which struct this is, of all. */
  readonly id: number;
  /** The fields in their order, with their offsets in bytes. */
  readonly list: readonly Field[];
}

/** A fixed number of elements side by side. */
export interface ArrayType<E> extends Type {
  /** Always "array". */
  readonly kind: "array";
  /** The type of the elements. */
  readonly element: E;
  /** How many elements there are. */
  readonly count: number;
}

/** One of several types, and a tag that says which. */
export interface UnionType<F> extends Type {
  /** Always "union". */
  readonly kind: "union";
  /** The types, by their tags. */
  readonly variants: F;
  /** Bytes from the union's address to its value. */
  readonly valueOffset: number;
}

/** A field that refers to a struct, or to none. It reads as a reference or null, and what it refers to has a lifetime. */
export interface PointerType<F> extends Type {
  /** Always "pointer". */
  readonly kind: "pointer";
  /** A function that gives the struct type that it refers to. */
  readonly target: F;
}

/** A field that is a bare address: it reads as a Ptr, 0 for none, and has no lifetime. */
export interface RawPointerType<F> extends Type {
  /** Always "raw-pointer". */
  readonly kind: "raw-pointer";
  /** A function that gives the type that it leads to. */
  readonly target: F;
}

export function isStruct(type: unknown): type is StructType<unknown> {
  return typeof type === "object" && type !== null && "kind" in type && type.kind === "struct";
}

/** The same type where addresses need not be aligned; undefined: there is none. */
export function looseOf(type: Type): Type | undefined {
  if (!("unaligned" in type)) return undefined;
  const { unaligned } = type as Type & { unaligned: Type | (() => Type) };
  return typeof unaligned === "function" ? unaligned() : unaligned;
}
