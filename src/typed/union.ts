// Union: one of several types, and a tag that says which. Rust's enum; in C, a struct of an enum and a union.
//
// Owns:  the tag.
// Needs: space, life, type.
//
// In memory: the tag, four bytes, counting the variants from 0 in their order; then the value, at the largest alignment. All
// zero is the first variant of zeros.

import { describe } from "../memory/arguments.ts";
import { type Life, WordLife } from "./life.ts";
import type { Space } from "./space.ts";
import type { Fields } from "./struct.ts";
import { type Init, isType, type Type, type Value } from "./type.ts";

export interface UnionType<F> extends Type {
  readonly kind: "union";
  readonly variants: F;
  /** Bytes from the union's address to its value. */
  readonly valueOffset: number;
}

/** What a union reads as: `if (u.tag === "circle") u.value.radius`. */
export type UnionRef<F, L, B> = {
  [K in keyof F]: { readonly tag: K; readonly value: Value<F[K], L, B> };
}[keyof F];

/** What a union is written from. */
export type UnionInit<F, B> = { [K in keyof F]: { readonly tag: K; readonly value: Init<F[K], B> } }[keyof F];

const TAG_BYTES = 4;

/** What is given for a union: which variant, and what its type has read. */
interface GivenVariant {
  readonly next: number;
  readonly given: never;
}

/** One of these types: `union({ circle: Circle, square: f64 })`. At least one. */
export function union<F extends Fields>(variants: F): UnionType<F> {
  const names = Object.keys(variants);
  if (names.length === 0) throw new RangeError("union: expected at least one variant, got none");
  const types = Object.values(variants);
  for (const type of types) {
    if (!isType(type)) throw new TypeError(`union: expected types of variants, got ${describe(type)}`);
    if (type.kind === "bits") throw new TypeError("union: expected a type of whole bytes, got a bit field");
  }
  const align = Math.max(TAG_BYTES, ...types.map((type) => type.align));
  const valueOffset = Math.max(TAG_BYTES, ...types.map((type) => type.align));
  const size = Math.ceil((valueOffset + Math.max(...types.map((type) => type.size))) / align) * align;
  const name = `union { ${names.join(", ")} }`;
  const tagAt = (space: Space, at: number): number => {
    const tag = space.u32[at >>> 2] as number;
    if (tag >= names.length)
      throw new RangeError(`${name}: the tag at 0x${at.toString(16)} is ${tag}, no variant`);
    return tag;
  };
  const drop = (space: Space, at: number, life: Life): void =>
    types[tagAt(space, at)]?.drop?.(space, at + valueOffset, life);
  const fits = (space: Space, at: number): boolean => at + size <= space.u8.length;
  /** Puts another variant in place of the one that is there, which stays if the new value cannot be made. */
  const change = (space: Space, at: number, { next, given }: GivenVariant, life: Life): boolean => {
    const before = space.u8.slice(at, at + size);
    const type = types[next] as Type;
    const old = types[tagAt(space, at)] as Type;
    const set = (bytes: Uint8Array): void => {
      space.reaches(at + size);
      space.u8.set(bytes, at);
    };
    space.u8.fill(0, at, at + size);
    space.u32[at >>> 2] = next;
    let stored = false;
    try {
      stored = type.store(space, at + valueOffset, given, life);
    } finally {
      if (!stored) {
        type.drop?.(space, at + valueOffset, life);
        set(before);
      }
    }
    if (stored && old.drop) {
      const after = space.u8.slice(at, at + size);
      set(before);
      old.drop(space, at + valueOffset, life);
      set(after);
    }
    return stored;
  };
  const owning = types.some((type) => type.drop !== undefined);
  return {
    kind: "union",
    name,
    size,
    align,
    variants,
    valueOffset,
    load: (space, at, life) => {
      if (!fits(space, at)) return undefined;
      const tag = tagAt(space, at);
      const type = types[tag] as Type;
      // A reference to the value is for as long as it is this variant.
      const within =
        space.checking && refersTo(type)
          ? new WordLife(`the variant ${names[tag]} of ${name}`, life, type, space, at)
          : life;
      const value = type.load(space, at + valueOffset, within);
      return value === undefined ? undefined : { tag: names[tag], value };
    },
    read: (space, value): GivenVariant => {
      const { tag, value: given } = checkTagged(name, value);
      const next = names.indexOf(tag);
      const type = types[next];
      if (type === undefined)
        throw new TypeError(`${name}: expected a tag of ${names.join(", ")}, got ${describe(tag)}`);
      return { next, given: type.read(space, given) as never };
    },
    store: (space, at, variant: GivenVariant, life) => {
      if (!fits(space, at)) return false;
      const { next, given } = variant;
      if (next === tagAt(space, at)) return types[next]?.store(space, at + valueOffset, given, life) === true;
      return change(space, at, variant, life);
    },
    copy: (space, at) => {
      const tag = tagAt(space, at);
      return { tag: names[tag], value: types[tag]?.copy(space, at + valueOffset) };
    },
    ...(owning && { drop }),
  };
}

/** Whether reading a type gives something that refers to where it lies. */
function refersTo({ kind }: Type): boolean {
  return kind === "struct" || kind === "array" || kind === "union";
}

function checkTagged(name: string, value: unknown): { tag: string; value: unknown } {
  if (typeof value === "object" && value !== null && "tag" in value && "value" in value)
    return { tag: String(value.tag), value: value.value };
  throw new TypeError(`${name}: expected an object with tag and value, got ${describe(value)}`);
}
