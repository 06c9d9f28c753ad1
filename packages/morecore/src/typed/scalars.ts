// Scalars: numbers, bigints and booleans as C has them, little-endian.
//
// Owns:  how each is read and written.
// Needs: space.
//
// What is written is converted as C converts it: a u8 keeps the lowest eight bits, an f32 is rounded. Of the 64-bit ones the
// values are bigints.
//
// Each store has a body of its own: one for all would see ten kinds of arrays, which V8 gives up on, and cost ten times as much.

import type { AccessMakers } from "./access.ts";
import {
  f32Access,
  f64Access,
  i8Access,
  i16Access,
  i32Access,
  u8Access,
  u16Access,
  u32Access,
} from "./scalar-access.ts";
import type { Arrays, Space } from "./space.ts";
import { type ScalarType, typePrinting } from "./type.ts";

// Each type has the name of its value, so that messages and hovers say f64 where they would say ScalarType<number, "f64">.
/** The type of `u8`. */
export interface u8 extends ScalarType<number, "u8"> {}
/** The type of `i8`. */
export interface i8 extends ScalarType<number, "i8"> {}
/** The type of `u16`. */
export interface u16 extends ScalarType<number, "u16"> {}
/** The type of `i16`. */
export interface i16 extends ScalarType<number, "i16"> {}
/** The type of `u32`. */
export interface u32 extends ScalarType<number, "u32"> {}
/** The type of `i32`. */
export interface i32 extends ScalarType<number, "i32"> {}
/** The type of `u64`. */
export interface u64 extends ScalarType<bigint, "u64"> {}
/** The type of `i64`. */
export interface i64 extends ScalarType<bigint, "i64"> {}
/** The type of `f32`. */
export interface f32 extends ScalarType<number, "f32"> {}
/** The type of `f64`. */
export interface f64 extends ScalarType<number, "f64"> {}
/** The type of `bool`. */
export interface bool extends ScalarType<boolean, "u8"> {}

type Load<V> = (space: Space, at: number) => V | undefined;
type Store<V> = (space: Space, at: number, value: V) => boolean;

/** What is found at an address that need not be aligned. */
interface Loose<V> {
  readonly get: (view: DataView, at: number) => V;
  readonly set: (view: DataView, at: number, value: V) => void;
}

/** What is no number becomes one, as it does where a typed array is written. */
const readNumber = (_: Space, value: unknown): number =>
  typeof value === "number" ? value : +(value as number);
const readBigint = (_: Space, value: unknown): bigint =>
  typeof value === "bigint" ? value : BigInt.asUintN(64, value as bigint);
const readBoolean = (_: Space, value: unknown): boolean => Boolean(value);

function scalar<V, A extends keyof Arrays>(
  name: string,
  array: A,
  size: number,
  read: (space: Space, value: unknown) => V,
  load: Load<V>,
  store: Store<V>,
  { get, set }: Loose<V>,
  access?: AccessMakers,
): ScalarType<V, A> {
  const fits = (space: Space, at: number): boolean => at + size <= space.view.byteLength;
  const shared = { ...typePrinting(), kind: "scalar", name, array, size, read } as const;
  const looseLoad: Load<V> = (space, at) => (fits(space, at) ? get(space.view, at) : undefined);
  const looseStore: Store<V> = (space, at, value) => {
    if (!fits(space, at)) return false;
    set(space.view, at, value);
    return true;
  };
  const loose: ScalarType<V, A> = {
    ...shared,
    align: 1,
    load: looseLoad,
    store: looseStore,
    copy: looseLoad,
    get unaligned() {
      return loose;
    },
  };
  return { ...shared, align: size, load, store, copy: load, unaligned: loose, ...(access && { access }) };
}

/** An unsigned number of 8 bits, C's `uint8_t`. What is written keeps its lowest 8 bits. */
export const u8: u8 = scalar(
  "u8",
  "u8",
  1,
  readNumber,
  (s, at) => s.u8[at],
  (s, at, value) => {
    if (at >= s.u8.length) return false;
    s.u8[at] = value;
    return true;
  },
  { get: (v, at) => v.getUint8(at), set: (v, at, value) => v.setUint8(at, value) },
  u8Access,
);

/** A signed number of 8 bits, C's `int8_t`. What is written keeps its lowest 8 bits. */
export const i8: i8 = scalar(
  "i8",
  "i8",
  1,
  readNumber,
  (s, at) => s.i8[at],
  (s, at, value) => {
    if (at >= s.i8.length) return false;
    s.i8[at] = value;
    return true;
  },
  { get: (v, at) => v.getInt8(at), set: (v, at, value) => v.setInt8(at, value) },
  i8Access,
);

/** An unsigned number of 16 bits, C's `uint16_t`, little-endian. What is written keeps its lowest 16 bits. */
export const u16: u16 = scalar(
  "u16",
  "u16",
  2,
  readNumber,
  (s, at) => s.u16[at >>> 1],
  (s, at, value) => {
    if (at >>> 1 >= s.u16.length) return false;
    s.u16[at >>> 1] = value;
    return true;
  },
  { get: (v, at) => v.getUint16(at, true), set: (v, at, value) => v.setUint16(at, value, true) },
  u16Access,
);

/** A signed number of 16 bits, C's `int16_t`, little-endian. What is written keeps its lowest 16 bits. */
export const i16: i16 = scalar(
  "i16",
  "i16",
  2,
  readNumber,
  (s, at) => s.i16[at >>> 1],
  (s, at, value) => {
    if (at >>> 1 >= s.i16.length) return false;
    s.i16[at >>> 1] = value;
    return true;
  },
  { get: (v, at) => v.getInt16(at, true), set: (v, at, value) => v.setInt16(at, value, true) },
  i16Access,
);

/** An unsigned number of 32 bits, C's `uint32_t`, little-endian. What is written keeps its lowest 32 bits. */
export const u32: u32 = scalar(
  "u32",
  "u32",
  4,
  readNumber,
  (s, at) => s.u32[at >>> 2],
  (s, at, value) => {
    if (at >>> 2 >= s.u32.length) return false;
    s.u32[at >>> 2] = value;
    return true;
  },
  { get: (v, at) => v.getUint32(at, true), set: (v, at, value) => v.setUint32(at, value, true) },
  u32Access,
);

/** A signed number of 32 bits, C's `int32_t`, little-endian. What is written keeps its lowest 32 bits. */
export const i32: i32 = scalar(
  "i32",
  "i32",
  4,
  readNumber,
  (s, at) => s.i32[at >>> 2],
  (s, at, value) => {
    if (at >>> 2 >= s.i32.length) return false;
    s.i32[at >>> 2] = value;
    return true;
  },
  { get: (v, at) => v.getInt32(at, true), set: (v, at, value) => v.setInt32(at, value, true) },
  i32Access,
);

/** An unsigned bigint of 64 bits, C's `uint64_t`, little-endian. What is written keeps its lowest 64 bits. */
export const u64: u64 = scalar(
  "u64",
  "u64",
  8,
  readBigint,
  (s, at) => s.u64[at >>> 3],
  (s, at, value) => {
    if (at >>> 3 >= s.u64.length) return false;
    s.u64[at >>> 3] = value;
    return true;
  },
  { get: (v, at) => v.getBigUint64(at, true), set: (v, at, value) => v.setBigUint64(at, value, true) },
);

/** A signed bigint of 64 bits, C's `int64_t`, little-endian. What is written keeps its lowest 64 bits. */
export const i64: i64 = scalar(
  "i64",
  "i64",
  8,
  readBigint,
  (s, at) => s.i64[at >>> 3],
  (s, at, value) => {
    if (at >>> 3 >= s.i64.length) return false;
    s.i64[at >>> 3] = value;
    return true;
  },
  { get: (v, at) => v.getBigInt64(at, true), set: (v, at, value) => v.setBigInt64(at, value, true) },
);

/** A number of 32 bits of IEEE 754, C's `float`, little-endian. What is written is rounded. */
export const f32: f32 = scalar(
  "f32",
  "f32",
  4,
  readNumber,
  (s, at) => s.f32[at >>> 2],
  (s, at, value) => {
    if (at >>> 2 >= s.f32.length) return false;
    s.f32[at >>> 2] = value;
    return true;
  },
  { get: (v, at) => v.getFloat32(at, true), set: (v, at, value) => v.setFloat32(at, value, true) },
  f32Access,
);

/** A number of 64 bits of IEEE 754, C's `double`, little-endian: all numbers of JavaScript. */
export const f64: f64 = scalar(
  "f64",
  "f64",
  8,
  readNumber,
  (s, at) => s.f64[at >>> 3],
  (s, at, value) => {
    if (at >>> 3 >= s.f64.length) return false;
    s.f64[at >>> 3] = value;
    return true;
  },
  { get: (v, at) => v.getFloat64(at, true), set: (v, at, value) => v.setFloat64(at, value, true) },
  f64Access,
);

/** C's bool: one byte, 0 or 1. Any other byte reads as true. */
export const bool: bool = scalar(
  "bool",
  "u8",
  1,
  readBoolean,
  (s, at) => {
    const byte = s.u8[at];
    return byte === undefined ? undefined : byte !== 0;
  },
  (s, at, value) => {
    if (at >= s.u8.length) return false;
    s.u8[at] = value ? 1 : 0;
    return true;
  },
  { get: (v, at) => v.getUint8(at) !== 0, set: (v, at, value) => v.setUint8(at, value ? 1 : 0) },
);
