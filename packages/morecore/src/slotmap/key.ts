// Key: what a slot map gives for a value: a number that says which map, which slot, and which of its values.
//
// Owns:  the bits of keys; the types that tell one map's from another's.
// Needs: scalars.
//
//     bit  52 ……… 45 | 44 ………… 26 | 25 ………… 0
//          map's id  | version     | slot's index        id and version together are the slot's tag
//
// 53 bits, so that a key is an exact number, and can be kept in an f64 field. 0 is no key: ids and versions begin at 1.

import { describe } from "../memory/arguments.ts";
import { f64 } from "../typed/scalars.ts";
import type { ValueType } from "../typed/type.ts";

declare const KEY: unique symbol;

/** A key of maps that have the brand B: by default the type of their values, else what `keyType` was given. */
export type Key<B> = number & { readonly [KEY]: (brand: B) => B };

/** A type for fields that hold keys, eight bytes; as the option `key` of a slot map, what tells its keys from others'. */
export interface KeyType<B> extends ValueType<Key<B>> {
  /** Always "key". */
  readonly kind: "key";
  /** No key: what a field that was not set reads as. */
  readonly none: Key<B>;
}

const INDEX_BITS = 26;
const VERSION_BITS = 19;
/** The most slots of a map. */
export const MOST_SLOTS: number = 2 ** INDEX_BITS;
/** The last version of a slot, unless an option says less. */
export const LAST_VERSION: number = 2 ** VERSION_BITS - 1;
/** Ids are from 1 to this. */
export const LAST_ID = 255;
const INDEX_MASK = MOST_SLOTS - 1;
const VERSION_UNIT = 2 ** VERSION_BITS;

/**
 * Keys of a name: those of another name do not compile in their place. `const PlayerKey = keyType("Player")`.
 *
 * @example
 *
 * ```ts
 * const PlayerKey = keyType("Player");
 * const Team = struct({ captain: PlayerKey });
 * console.log(Heap.create().new(Team).captain === PlayerKey.none); // true
 * ```
 */
export function keyType<const B extends string>(name: B): KeyType<B> {
  if (typeof name !== "string") throw new TypeError(`keyType: expected a name, got ${describe(name)}`);
  const key = `key of ${name}`;
  // Their values are numbers that are keys: whoever has one has it from a map, or from such a field.
  return { ...f64, kind: "key", name: key, none: 0 } as unknown as KeyType<B>;
}

export function makeTag(id: number, version: number): number {
  return id * VERSION_UNIT + version;
}

export function idOf(tag: number): number {
  return Math.floor(tag / VERSION_UNIT);
}

export function versionOf(tag: number): number {
  return tag % VERSION_UNIT;
}

export function makeKey(tag: number, index: number): number {
  return tag * MOST_SLOTS + index;
}

/** Which slot a key is for. Of what is no key: any number below 2^26. */
export function indexOf(key: number): number {
  return key & INDEX_MASK;
}

/** What the slot must have as its tag. Of what is no key: no tag of any slot. */
export function tagOf(key: number): number {
  return (key - (key & INDEX_MASK)) / MOST_SLOTS;
}

/** Throws unless a number can be a key of this map; says whether it is one at all: 0 is none. */
export function checkKey(call: string, key: unknown, map: string, id: number): boolean {
  if (typeof key !== "number" || !Number.isSafeInteger(key) || key < 0)
    throw new TypeError(`${call}: expected a key, got ${describe(key)}`);
  if (key === 0) return false;
  const other = idOf(tagOf(key));
  if (other !== id)
    throw new TypeError(
      `${call}: expected a key of ${map}, whose id is ${id}; got one of a map with id ${other}`,
    );
  return true;
}
