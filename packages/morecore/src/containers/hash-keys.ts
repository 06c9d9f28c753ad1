// Hash keys: hashing and comparing, made for one type of key.
//
// Owns:  the key that is being looked up, between `hash` and `matches`.
// Needs: hash-parts, hash-words.
//
// Numbers, bigints, booleans, pointers and texts have ways of their own; everything else goes by its parts.

import { OutOfMemoryError } from "../typed/errors.ts";
import type { Life } from "../typed/life.ts";
import type { Space } from "../typed/space.ts";
import type { Type } from "../typed/type.ts";
import { addressOf, bigintOf, booleanOf, numberOf, partOf, stringOf } from "./hash-parts.ts";
import { mix, mixIn, Words } from "./hash-words.ts";

export interface Keys {
  /**
   * A key's hash, 32 bits with a sign. Reads what the caller gives, once, and keeps it: the others are about that key. Throws for
   * what is no key.
   */
  readonly hash: (key: unknown) => number;
  /** Keeps the key beyond the next one: what this gives makes the others be about it again. */
  readonly keep: () => () => void;
  /** Whether the key equals the one at an address. */
  readonly matches: (at: number) => boolean;
  /** Stores the key where all is zero. False: that is beyond the arrays. */
  readonly store: (at: number, life: Life) => boolean;
}

export function keysOf(type: Type, space: Space, seed: number): Keys {
  if (type.kind === "bits") throw new TypeError(`HashMap: expected a type of whole bytes, got ${type.name}`);
  if (type.kind === "pointer" || type.kind === "raw-pointer") return addressKeys(type, space, seed);
  if (type.kind === "text") return textKeys(space, seed);
  if (type.kind === "key") return floatKeys(type, space, seed);
  if (type.kind !== "scalar") return partKeys(type, space, seed);
  if (type.name === "bool") return booleanKeys(type, space, seed);
  if (type.name === "u64" || type.name === "i64") return bigintKeys(type, space, seed);
  return type.name === "f64" || type.name === "f32"
    ? floatKeys(type, space, seed)
    : wholeKeys(type, space, seed);
}

function booleanKeys(type: Type, space: Space, seed: number): Keys {
  let wanted = false;
  return {
    hash: (key) => {
      wanted = booleanOf(key);
      return mix(seed ^ (wanted ? 1 : 2));
    },
    keep: () => {
      const own = wanted;
      return () => {
        wanted = own;
      };
    },
    matches: (at) => (space.u8[at] !== 0) === wanted,
    store: (at, life) => type.store(space, at, wanted as never, life),
  };
}

function wholeKeys(type: Type, space: Space, seed: number): Keys {
  const convert = numberOf(type.name);
  const load = type.load as (space: Space, at: number) => unknown;
  let wanted = 0;
  return {
    hash: (key) => {
      wanted = convert(key);
      return mix(wanted ^ seed);
    },
    keep: () => {
      const own = wanted;
      return () => {
        wanted = own;
      };
    },
    matches: (at) => load(space, at) === wanted,
    store: (at, life) => type.store(space, at, wanted as never, life),
  };
}

function floatKeys(type: Type, space: Space, seed: number): Keys {
  const convert = numberOf(type.name);
  const load = type.load as (space: Space, at: number) => number;
  const value = new Float64Array(1);
  const halves = new Uint32Array(value.buffer);
  let wanted = 0;
  const normal = (key: unknown): number => {
    const number = convert(key);
    // 0 for -0, as Map does.
    return Number.isNaN(number) ? Number.NaN : number + 0;
  };
  return {
    hash: (key) => {
      wanted = normal(key);
      value[0] = wanted;
      return mix(mixIn(seed, halves[1] as number) ^ (halves[0] as number));
    },
    keep: () => {
      const own = wanted;
      return () => {
        wanted = own;
      };
    },
    matches: (at) => {
      const found = load(space, at);
      return found === wanted || (Number.isNaN(found) && Number.isNaN(wanted));
    },
    store: (at, life) => type.store(space, at, wanted as never, life),
  };
}

function bigintKeys(type: Type, space: Space, seed: number): Keys {
  const convert = bigintOf(type.name);
  const value = new BigUint64Array(1);
  const halves = new Uint32Array(value.buffer);
  let wanted = 0n;
  const want = (key: bigint): void => {
    wanted = key;
    value[0] = BigInt.asUintN(64, key);
  };
  return {
    hash: (key) => {
      want(convert(key));
      return mix(mixIn(seed, halves[1] as number) ^ (halves[0] as number));
    },
    keep: () => {
      const own = wanted;
      return () => want(own);
    },
    // A bigint is an object: this makes none for what it finds.
    matches: (at) => space.u32[at >>> 2] === halves[0] && space.u32[(at >>> 2) + 1] === halves[1],
    store: (at, life) => type.store(space, at, wanted as never, life),
  };
}

function addressKeys(type: Type, space: Space, seed: number): Keys {
  const convert = numberOf("u32");
  const raw = type.kind === "raw-pointer";
  let wanted = 0;
  return {
    hash: (key) => {
      wanted = raw ? convert(key) : addressOf(type, space, key);
      return mix(wanted ^ seed);
    },
    keep: () => {
      const own = wanted;
      return () => {
        wanted = own;
      };
    },
    matches: (at) => space.u32[at >>> 2] === wanted,
    store: (at) => {
      if (at >>> 2 >= space.u32.length) return false;
      space.u32[at >>> 2] = wanted;
      return true;
    },
  };
}

function textKeys(space: Space, seed: number): Keys {
  const words = new Words();
  let given = "";
  let length = 0;
  const want = (key: string): void => {
    given = key;
    length = words.reset().text(key);
  };
  return {
    hash: (key) => {
      want(stringOf(key));
      return words.hash(seed);
    },
    keep: () => {
      const own = given;
      return () => want(own);
    },
    matches: (at) => {
      if (space.u32[(at >>> 2) + 1] !== length) return false;
      const ptr = space.u32[at >>> 2] as number;
      return space.reaches(ptr + length) && words.isText(space, ptr, length);
    },
    // As the type does it, without encoding it again.
    store: (at, life) => {
      if (length === 0) return true;
      const made = life.source.allocate(length, 1);
      if (made === 0 || !space.reaches(made + length)) throw new OutOfMemoryError(length, "a text");
      words.copyText(space, made, length);
      space.u32[at >>> 2] = made;
      space.u32[(at >>> 2) + 1] = length;
      return true;
    },
  };
}

function partKeys(type: Type, space: Space, seed: number): Keys {
  const part = partOf(type, space);
  const spare: Words[] = [];
  const found = new Words();
  let wanted = found;
  let given: unknown;
  return {
    hash: (key) => {
      // Reading a key may call code of the caller's, which may look up another one meanwhile.
      const words = (spare.pop() ?? new Words()).reset();
      try {
        given = part.give(words, key);
      } finally {
        spare.push(words);
      }
      wanted = words;
      return words.hash(seed);
    },
    keep: () => {
      const [own, copy] = [given, wanted.copy()];
      return () => {
        given = own;
        wanted = copy;
      };
    },
    matches: (at) => {
      part.read(found.reset(), space, at);
      return found.equals(wanted);
    },
    store: (at, life) => type.store(space, at, (part.pack?.(given) ?? given) as never, life),
  };
}

/** What a stored key's hash must be: for checking. */
export function hashAt(keys: Keys, type: Type, space: Space, at: number, life: Life): number {
  return keys.hash(type.load(space, at, life));
}
