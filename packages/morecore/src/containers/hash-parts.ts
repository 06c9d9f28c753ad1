// Hash parts: what a key made of parts comes to as words, from JavaScript's values and from memory alike.
//
// Owns:  which types can be keys, or parts of them.
// Needs: hash-words, the kinds of types.
//
// Both ways must give the same words for what is equal: a field that is not given is zero, padding is nothing, a pointer is
// its address, a text its bytes. What a caller gives is read once: a generator gives nothing the second time, a getter something else.

import { describe } from "../memory/arguments.ts";
import { type AnyRef, AT, isRef, LIFE, TYPE } from "../typed/ref.ts";
import type { Space } from "../typed/space.ts";
import type { ArrayType, StructType, Type } from "../typed/type.ts";
import type { Words } from "./hash-words.ts";

export interface Part {
  /**
   * Writes what a value comes to, and gives what is to be stored, as the type's own `read` would, in which none of the caller's code
   * is left. Throws a TypeError or RangeError for what is no such value.
   */
  readonly give: (words: Words, value: unknown) => unknown;
  /** What is still to be done to that before it is stored: encoding texts, which a lookup need not. Missing: nothing. */
  readonly pack?: ((given: unknown) => unknown) | undefined;
  /** Writes what lies at an address. */
  readonly read: (words: Words, space: Space, at: number) => void;
  /** Words that are all zero: what a missing value comes to. */
  readonly zeros: number;
}

const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  u8: [0, 2 ** 8 - 1],
  i8: [-(2 ** 7), 2 ** 7 - 1],
  u16: [0, 2 ** 16 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  u32: [0, 2 ** 32 - 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
};

/** A number as its type holds it. Whole numbers that the type has not are refused: cut off, they would be another key. */
export function numberOf(type: string): (value: unknown) => number {
  const range = RANGES[type];
  return (value) => {
    if (typeof value !== "number")
      throw new TypeError(`key: expected a number of type ${type}, got ${describe(value)}`);
    if (range === undefined) return type === "f32" ? Math.fround(value) : value;
    if (Number.isInteger(value) && value >= range[0] && value <= range[1]) return value + 0;
    throw new RangeError(
      `key: expected an integer from ${range[0]} to ${range[1]} for ${type}, got ${describe(value)}`,
    );
  };
}

/** A bigint of 64 bits, the same for u64 and i64. */
export function bigintOf(type: string): (value: unknown) => bigint {
  const [least, most] = type === "u64" ? [0n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n];
  return (value) => {
    if (typeof value !== "bigint")
      throw new TypeError(`key: expected a bigint of type ${type}, got ${describe(value)}`);
    if (value >= least && value <= most) return value;
    throw new RangeError(`key: expected ${least}n to ${most}n for ${type}, got ${describe(value)}`);
  };
}

export function booleanOf(value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError(`key: expected a boolean, got ${describe(value)}`);
  return value;
}

export function stringOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`key: expected a string, got ${describe(value)}`);
  return value;
}

/** The address of a reference that is a key, checked as where one is stored. */
export function addressOf(type: Type, space: Space, value: unknown): number {
  const ref = type.read(space, value) as AnyRef | null;
  return ref === null ? 0 : ref[AT];
}

/** How a type's values become words. Throws a TypeError for a type that keys cannot have. */
export function partOf(type: Type, space: Space): Part {
  switch (type.kind) {
    case "scalar":
    case "key":
    case "raw-pointer":
      return scalarPart(type, type.name === "u64" || type.name === "i64");
    case "bits":
      return bitsPart(type);
    case "pointer":
      return {
        give: (words, value) => {
          words.number(addressOf(type, space, value));
          return value;
        },
        read: (words, from, at) => words.number(type.copy(from, at) as number),
        zeros: 1,
      };
    case "text":
    case "utf8":
      return textPart(type, space);
    case "array":
      return arrayPart(type as ArrayType<Type>, space);
    case "struct":
      return structPart(type as StructType<unknown>, space);
    default:
      throw new TypeError(`HashMap: a key cannot be or contain ${type.name}: there is no equality for it`);
  }
}

function scalarPart(type: Type, big: boolean): Part {
  const read = (words: Words, space: Space, at: number): void => {
    put(words, type.copy(space, at));
  };
  if (type.name === "bool") return { give: (words, value) => put(words, booleanOf(value)), read, zeros: 1 };
  const convert = big ? bigintOf(type.name) : numberOf(type.kind === "raw-pointer" ? "u32" : type.name);
  return { give: (words, value) => put(words, convert(value)), read, zeros: 1 };
}

/** A bit field's values are cut to its width when they are written: what is given must be what will be read. */
function bitsPart(type: Type): Part {
  if (type.size === 0) return { give: () => {}, read: () => {}, zeros: 0 };
  const [, base = "", bits = ""] = /^(\w+) : (\d+)$/.exec(type.name) ?? [];
  const [width, signed] = [Number(bits), base.startsWith("i")];
  const cut = (value: bigint): bigint =>
    signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
  const give = (words: Words, value: unknown): unknown => {
    if (typeof value === "number" ? !Number.isInteger(value) : !["bigint", "boolean"].includes(typeof value))
      throw new TypeError(`key: expected a whole number for ${type.name}, got ${describe(value)}`);
    if (typeof value !== "boolean" && cut(BigInt(value as number)) !== BigInt(value as number))
      throw new RangeError(`key: expected at most ${width} bits for ${type.name}, got ${describe(value)}`);
    return put(words, base === "bool" ? Boolean(value) : value);
  };
  return { give, read: (words, space, at) => put(words, type.copy(space, at)), zeros: 1 };
}

function textPart(type: Type, space: Space): Part {
  return {
    pack: (given) => type.read(space, given),
    give: (words, value) => {
      words.text(stringOf(value));
      return value;
    },
    read: (words, space, at) => {
      if (type.kind === "utf8") {
        words.text(type.copy(space, at) as string);
        return;
      }
      const [ptr, length] = [space.u32[at >>> 2] as number, space.u32[(at + 4) >>> 2] as number];
      space.reaches(ptr + length);
      words.bytes(space.u8, ptr, length);
    },
    zeros: 1,
  };
}

function arrayPart({ element, count, name }: ArrayType<Type>, space: Space): Part {
  const part = partOf(element, space);
  const { pack } = part;
  return {
    give: (words, value) => {
      if (typeof value !== "object" || value === null || !(Symbol.iterator in value))
        throw new TypeError(`key: expected something iterable for ${name}, got ${describe(value)}`);
      const given: unknown[] = [];
      for (const each of value as Iterable<unknown>) {
        if (given.length === count)
          throw new RangeError(`key: expected at most ${count} elements for ${name}`);
        given.push(part.give(words, each));
      }
      words.zeros((count - given.length) * part.zeros);
      return given;
    },
    pack: pack && ((given) => (given as unknown[]).map(pack)),
    read: (words, from, at) => {
      for (let index = 0; index < count; index++) part.read(words, from, at + index * element.size);
    },
    zeros: count * part.zeros,
  };
}

function structPart(type: StructType<unknown>, space: Space): Part {
  const fields = type.list.map((field) => ({ ...field, part: partOf(field.type, space) }));
  const names = new Set(fields.map(({ name }) => name));
  const read = (words: Words, from: Space, at: number): void => {
    for (const { part, offset } of fields) part.read(words, from, at + offset);
  };
  const give = (words: Words, value: unknown): unknown => {
    if (typeof value !== "object" || value === null)
      throw new TypeError(`key: expected the fields of ${type.name} in an object, got ${describe(value)}`);
    const viewed = (value as { readonly [TYPE]?: StructType<unknown> })[TYPE];
    if (viewed !== undefined) {
      if (viewed.fields !== type.fields)
        throw new TypeError(`key: expected a reference to ${type.name}, got ${describe(value)}`);
      if (isRef(value)) value[LIFE].check(type.name, value[AT]);
    } else {
      for (const key in value)
        if (!names.has(key))
          throw new TypeError(
            `key: ${type.name}: no field ${describe(key)}; it has ${[...names].join(", ")}`,
          );
    }
    const given: unknown[] = [];
    for (const { name, part } of fields) {
      const one = (value as Record<string, unknown>)[name];
      if (one === undefined) words.zeros(part.zeros);
      given.push(one === undefined ? undefined : part.give(words, one));
    }
    return given;
  };
  const pack = (given: unknown): unknown =>
    (given as unknown[]).map((one, index) => {
      const packOne = fields[index]?.part.pack;
      return one === undefined || packOne === undefined ? one : packOne(one);
    });
  const packs = fields.some(({ part }) => part.pack !== undefined);
  const zeros = fields.reduce((sum, { part }) => sum + part.zeros, 0);
  return { give, read, zeros, pack: packs ? pack : undefined };
}

function put<V>(words: Words, value: V): V {
  if (typeof value === "bigint") words.bigint(value);
  else words.number(Number(value));
  return value;
}
