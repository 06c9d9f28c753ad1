// Bits: bit fields, as in C.
//
// Owns:  how a few bits within bytes are read and written.
// Needs: space, scalars.
//
// Where a bit field lies, struct.ts decides. In memory it begins at a bit of its first byte, the lowest bits first.

import { describe } from "../memory/arguments.ts";
import { bool, i8, i16, i32, i64, u8, u16, u32, u64 } from "./scalars.ts";
import type { Space } from "./space.ts";
import { type BitsType, type ScalarType, typePrinting, type ValueType } from "./type.ts";

const WHOLE = new Set<object>([u8, i8, u16, i16, u32, i32, u64, i64, bool]);

/**
 * A bit field of a struct: C's `unsigned flags : 3` is `flags: bits(u32, 3)`. Signed types are signed, 64-bit ones are bigints. A
 * width of 0 has no value: what follows begins a new unit. What is written is cut to the width, as in C.
 *
 * @example
 *
 * ```ts
 * const Flags = struct({ kind: bits(u32, 3), level: bits(i32, 4) });
 * const flags = Heap.create().new(Flags, { kind: 9, level: -3 });
 * console.log(Flags.size, flags.kind, flags.level); // 4 1 -3
 * ```
 */
export function bits<V extends number | bigint | boolean>(type: ScalarType<V>, width: number): BitsType<V> {
  if (!WHOLE.has(type))
    throw new TypeError(
      `bits: expected a type of whole numbers, got ${describe((type as { name?: unknown })?.name)}`,
    );
  const most = type === (bool as unknown) ? 1 : type.size * 8;
  if (!Number.isInteger(width) || width < 0 || width > most)
    throw new RangeError(`bits: expected a width from 0 to ${most} for ${type.name}, got ${describe(width)}`);
  const size = width === 0 ? 0 : type.size;
  const name = `${type.name} : ${width}`;
  const at = (bit: number): ValueType<V> => ({
    kind: "bits",
    name,
    size,
    align: 1,
    ...access(type, width, bit),
  });
  return { ...typePrinting(), ...at(0), kind: "bits", width, unitBytes: type.size, align: type.size, at };
}

type Access<V> = Pick<ValueType<V>, "load" | "read" | "store" | "copy">;

function access<V extends number | bigint | boolean>(
  type: ScalarType<V>,
  width: number,
  bit: number,
): Access<V> {
  const bytes = Math.ceil((bit + width) / 8);
  const { convert, back } = conversions(type, width);
  const { read } = type;
  const load = (space: Space, at: number): unknown =>
    at + bytes > space.u8.length
      ? undefined
      : convert((gather(space.u8, at, bytes) >> BigInt(bit)) & ones(width));
  const store = (space: Space, at: number, value: V): boolean => {
    if (at + bytes > space.u8.length) return false;
    const mask = ones(width) << BigInt(bit);
    const rest = gather(space.u8, at, bytes) & ~mask;
    scatter(space.u8, at, bytes, rest | ((back(value) << BigInt(bit)) & mask));
    return true;
  };
  if (bit + width > 31 || type.size === 8) return { load, read, store, copy: load };
  return { ...narrow(convert, back, width, bit, bytes), read, copy: load };
}

/** The same for what lies within 31 bits: in plain numbers. */
function narrow<V>(
  convert: (raw: bigint) => unknown,
  back: (value: V) => bigint,
  width: number,
  bit: number,
  bytes: number,
): Pick<Access<V>, "load" | "store"> {
  const mask = 2 ** width - 1;
  const signed = convert(BigInt(mask)) === -1;
  const logical = typeof convert(0n) === "boolean";
  const raw = (u8: Uint8Array, at: number): number => {
    let value = 0;
    for (let index = 0; index < bytes; index++) value |= (u8[at + index] as number) << (8 * index);
    return value;
  };
  return {
    load: (space, at) => {
      if (at + bytes > space.u8.length) return undefined;
      const value = (raw(space.u8, at) >>> bit) & mask;
      if (logical) return value !== 0;
      return signed ? (value << (32 - width)) >> (32 - width) : value;
    },
    store: (space, at, value) => {
      if (at + bytes > space.u8.length) return false;
      const given = typeof value === "number" ? value & mask : Number(back(value) & BigInt(mask));
      const whole = (raw(space.u8, at) & ~(mask << bit)) | (given << bit);
      for (let index = 0; index < bytes; index++) space.u8[at + index] = whole >>> (8 * index);
      return true;
    },
  };
}

/** From the bits to the value, and back. */
function conversions<V>(
  type: ScalarType<V>,
  width: number,
): { convert: (raw: bigint) => unknown; back: (value: V) => bigint } {
  if (type === (bool as unknown)) return { convert: (raw) => raw !== 0n, back: (value) => (value ? 1n : 0n) };
  const signed = type.name.startsWith("i");
  const whole = (raw: bigint): bigint => (signed ? BigInt.asIntN(width, raw) : raw);
  if (type.size === 8) return { convert: whole, back: (value) => BigInt.asUintN(width, value as bigint) };
  return {
    convert: (raw) => Number(whole(raw)),
    // What is no whole number becomes 0, as in a typed array.
    back: (value) => BigInt.asUintN(width, BigInt(Number.isFinite(value) ? Math.trunc(value as number) : 0)),
  };
}

function ones(width: number): bigint {
  return (1n << BigInt(width)) - 1n;
}

function gather(u8: Uint8Array, at: number, bytes: number): bigint {
  let value = 0n;
  for (let index = bytes - 1; index >= 0; index--) value = (value << 8n) | BigInt(u8[at + index] as number);
  return value;
}

function scatter(u8: Uint8Array, at: number, bytes: number, value: bigint): void {
  for (let index = 0; index < bytes; index++) u8[at + index] = Number((value >> BigInt(8 * index)) & 0xffn);
}
