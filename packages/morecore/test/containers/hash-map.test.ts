// HashMap: beside Map, at random, with each kind of key, in a heap that grows and in an arena.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import {
  type Allocator,
  array,
  bits,
  bool,
  f32,
  f64,
  HashMap,
  Heap,
  type Init,
  i64,
  struct,
  type Type,
  text,
  u8,
  u32,
  utf8,
} from "../../src/index.ts";

/** A heap that begins small, so that it grows in the middle; sound and as it was afterwards. */
function inHeap(body: (allocator: Allocator, heap: Heap) => void): void {
  const heap = Heap.create({ reserve: 0, advance: 0 });
  const before = heap.mallinfo();
  body(heap, heap);
  heap.check();
  expect(liveBlocks(heap)).toBe(0);
  // Runs of small blocks are kept until then.
  heap.trim();
  expect(heap.mallinfo().uordblks).toBe(before.uordblks);
}

function inArena(body: (allocator: Allocator, heap: Heap) => void): void {
  inHeap((_, heap) => {
    const arena = heap.bump({ chunkBytes: 64 });
    body(arena, heap);
    arena.dispose();
  });
}

/** A type of keys, some of its keys, and what Map has for one. */
interface Keys<K extends Type> {
  readonly type: K;
  readonly some: fc.Arbitrary<Init<K, unknown>>;
  readonly plain: (key: Init<K, unknown>) => unknown;
}

const Inner = struct({ flag: bool, at: f64 }, { name: "Inner" });
/** With padding, an array, texts, bit fields. */
const Key = struct(
  { small: u8, inner: Inner, list: array(u8, 3), name: text, low: bits(u32, 3), word: utf8(4) },
  { name: "Key" },
);

const few = fc.constantFrom(0, -0, 1, 2, 0.5, Number.NaN);

const NUMBERS: Keys<typeof u32> = { type: u32, some: fc.nat(60), plain: (key) => key };
const FLOATS: Keys<typeof f64> = {
  type: f64,
  some: fc.oneof(few, fc.integer({ min: -9, max: 9 }), fc.constantFrom(1e300, -1e-300, Infinity)),
  plain: (key) => key,
};
const SINGLES: Keys<typeof f32> = { type: f32, some: few, plain: (key) => key };
const BIGINTS: Keys<typeof i64> = {
  type: i64,
  some: fc.oneof(fc.bigInt({ min: -9n, max: 9n }), fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n)),
  plain: (key) => key,
};
const BOOLEANS: Keys<typeof bool> = { type: bool, some: fc.boolean(), plain: (key) => key };
const STRINGS: Keys<typeof text> = {
  type: text,
  some: fc.oneof(
    fc.string({ maxLength: 2 }),
    fc.constantFrom("", "grüße", "a".repeat(70), "a".repeat(69), "ä".repeat(70)),
  ),
  plain: (key) => key,
};
const STRUCTS: Keys<typeof Key> = {
  type: Key,
  some: fc.record(
    {
      small: fc.nat(2),
      inner: fc.record({ flag: fc.boolean(), at: few }, { requiredKeys: [] }),
      list: fc.array(fc.nat(1), { maxLength: 3 }),
      name: fc.constantFrom("", "x", "yy"),
      low: fc.nat(1),
      word: fc.constantFrom("", "ab"),
    },
    { requiredKeys: [] },
  ),
  plain: ({ small = 0, inner = {}, list = [], name = "", low = 0, word = "" }) => {
    const all = Array.from({ length: 3 }, (_, index) => [...list][index] ?? 0);
    const at = Object.is(inner.at, -0) ? 0 : (inner.at ?? 0);
    return `${small} ${inner.flag ?? false} ${at} ${all} ${name} ${low} ${word}`;
  },
};

const STEPS = ["set", "set", "set", "get", "has", "delete", "delete", "clear", "reserve", "getOrInsert"];

type Step<K extends Type> = [call: string, key: Init<K, unknown>, value: number];

/** One step on both; what both gave. */
function step<K extends Type>(
  map: HashMap<K, typeof text>,
  model: Map<unknown, string>,
  plain: Keys<K>["plain"],
  [call, key, value]: Step<K>,
): [unknown, unknown] {
  const id = plain(key);
  const given = `value ${value}`;
  switch (call) {
    case "set":
      model.set(id, given);
      return [map.set(key, given), map];
    case "get":
      return [map.get(key), model.get(id)];
    case "has":
      return [map.has(key), model.has(id)];
    case "delete":
      return [map.delete(key), model.delete(id)];
    case "clear":
      if (value % 4 === 0) {
        map.clear();
        model.clear();
      }
      return [map.size, model.size];
    case "reserve":
      return [map.reserve(value), undefined];
    default:
      if (!model.has(id)) model.set(id, given);
      return [map.getOrInsert(key, () => given), model.get(id)];
  }
}

function beside<K extends Type>({ type, some, plain }: Keys<K>, inPlace: typeof inHeap): void {
  const steps = fc.array(fc.tuple(fc.constantFrom(...STEPS), some, fc.nat(99)), {
    maxLength: 150,
    size: "max",
  });
  const property = fc.property(steps, fc.nat(3), (program, seed) =>
    inPlace((allocator) => {
      const map = new HashMap(allocator, type, text, { seed });
      const model = new Map<unknown, string>();
      for (const one of program) {
        const [ours, theirs] = step(map, model, plain, one as Step<K>);
        expect(ours).toBe(theirs);
        expect(map.size).toBe(model.size);
        map.check();
      }
      const keys = Array.from(map.toJSON(), ([key]) => plain(key as Init<K, unknown>));
      expect(keys).toEqual([...model.keys()]);
      expect([...map.values()]).toEqual([...model.values()]);
      map.dispose();
    }),
  );
  fc.assert(property, { seed: seedOf("hash-map"), numRuns: 60 });
}

describe.each([
  ["a heap", inHeap],
  ["an arena", inArena],
] as const)("a HashMap in %s does what a Map does, whatever is called", (_, inPlace) => {
  it("with numbers for keys", () => beside(NUMBERS, inPlace));
  it("with floats, among them NaN and both zeros", () => beside(FLOATS, inPlace));
  it("with floats of 32 bits", () => beside(SINGLES, inPlace));
  it("with bigints", () => beside(BIGINTS, inPlace));
  it("with booleans", () => beside(BOOLEANS, inPlace));
  it("with strings", () => beside(STRINGS, inPlace));
  it("with structs, by the content of their fields", () => beside(STRUCTS, inPlace));
});
