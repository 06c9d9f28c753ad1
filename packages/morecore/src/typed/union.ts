// Union: one of several types, and a tag that says which. Rust's enum; in C, a struct of an enum and a union.
//
// Owns:  the tag.
// Needs: space, word-life, type.
//
// In memory: the tag, four bytes, counting the variants from 0 in their order; then the value, at the largest alignment. All
// zero is the first variant of zeros.

import { describe } from "../memory/arguments.ts";
import { OutOfMemoryError } from "./errors.ts";
import type { Life } from "./life.ts";
import type { Space } from "./space.ts";
import { type Fields, isPlace, isType, type Type, typePrinting, type UnionType } from "./type.ts";
import { WordLife } from "./word-life.ts";

const TAG_BYTES = 4;

/** What is given for a union: which variant, and what its type has read. */
interface GivenVariant {
  readonly next: number;
  readonly given: never;
}

/**
 * One of these types: `union({ circle: Circle, square: f64 })`. At least one.
 *
 * @example
 *
 * ```ts
 * const Shape = struct({ kind: union({ circle: f64, side: u32 }) });
 * const shape = Heap.create().new(Shape, { kind: { tag: "circle", value: 2 } });
 * if (shape.kind.tag === "circle") console.log(shape.kind.value); // 2
 * ```
 */
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
  const begin = (space: Space, at: number, tag: number): void => {
    space.reaches(at + size);
    space.u8.fill(0, at + valueOffset, at + size);
    space.u32[at >>> 2] = tag;
  };
  /** For a variant of which nothing is owned, or a value that needs no memory and so cannot fail. */
  const changeInPlace = (space: Space, at: number, { next, given }: GivenVariant, life: Life): boolean => {
    const tag = tagAt(space, at);
    const type = types[next] as Type;
    const before = space.u8.slice(at + valueOffset, at + size);
    types[tag]?.drop?.(space, at + valueOffset, life);
    begin(space, at, next);
    let stored = false;
    try {
      stored = type.store(space, at + valueOffset, given, life);
    } finally {
      if (!stored) {
        type.drop?.(space, at + valueOffset, life);
        begin(space, at, tag);
        space.u8.set(before, at + valueOffset);
      }
    }
    return stored;
  };
  /**
   * Puts another variant in place of the one that is there, which stays if the new value cannot be made. After each store the union is one
   * of the two, with zeros for what is not written. So a value that owns memory is made beside what is to be freed for it, and then copied
   * over zeros word by word: of an owned string the address first, then the length.
   */
  const change = (space: Space, at: number, variant: GivenVariant, life: Life): boolean => {
    const old = types[tagAt(space, at)] as Type;
    const type = types[variant.next] as Type;
    const owned =
      old.drop !== undefined && space.u8.subarray(at + valueOffset, at + size).some((byte) => byte !== 0);
    if (!owned || type.drop === undefined) return changeInPlace(space, at, variant, life);
    const made = makeBeside(space, type, variant.given, life);
    old.drop?.(space, at + valueOffset, life);
    begin(space, at, variant.next);
    const { u32 } = space;
    for (let offset = 0; offset < type.size; offset += 4)
      u32[(at + valueOffset + offset) >>> 2] = u32[(made + offset) >>> 2] as number;
    life.source.deallocate(made, type.size, type.align);
    return true;
  };
  const owning = types.some((type) => type.drop !== undefined);
  return {
    ...typePrinting(),
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
        space.checking && isPlace(type)
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

/** A value in a block of its own. Throws an OutOfMemoryError. */
function makeBeside(space: Space, type: Type, given: never, life: Life): number {
  const at = life.source.allocate(type.size, type.align);
  if (at === 0 || !space.reaches(at + type.size)) throw new OutOfMemoryError(type.size, type.name);
  space.u8.fill(0, at, at + type.size);
  let stored = false;
  try {
    stored = type.store(space, at, given, life);
  } finally {
    if (!stored) {
      type.drop?.(space, at, life);
      life.source.deallocate(at, type.size, type.align);
    }
  }
  if (!stored) throw new OutOfMemoryError(type.size, type.name);
  return at;
}

function checkTagged(name: string, value: unknown): { tag: string; value: unknown } {
  if (typeof value === "object" && value !== null && "tag" in value && "value" in value)
    return { tag: String(value.tag), value: value.value };
  throw new TypeError(`${name}: expected an object with tag and value, got ${describe(value)}`);
}
