// HashMap: what is promised besides: order, references, memory, formats, lifetimes; and what is refused.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import {
  array,
  bits,
  f64,
  HashMap,
  Heap,
  i32,
  NULL,
  OutOfMemoryError,
  PointerError,
  pointer,
  rawPointer,
  struct,
  text,
  UseAfterFreeError,
  u8,
  u32,
  u64,
  union,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Named = struct({ name: text, at: Point }, { name: "Named" });
const Padded = struct({ small: u8, wide: u32 }, { name: "Padded" });
const Node = struct({ value: i32, next: pointer(() => Node) }, { name: "Node" });

/** Steps until there is no memory; what was thrown then. */
function untilFull(step: (index: number) => void): unknown {
  for (let index = 0; ; index++) {
    try {
      step(index);
    } catch (error) {
      return error;
    }
  }
}

/** "MMAP" */
const MAGIC = 0x5041_4d4d;

describe("iteration over a HashMap", () => {
  it("sees what Map's does, whatever is done meanwhile", () => {
    const changes = fc.array(fc.tuple(fc.constantFrom("set", "delete", "delete", "clear"), fc.nat(12)), {
      maxLength: 6,
    });
    const property = fc.property(fc.array(changes, { maxLength: 30 }), (program) => {
      const map = new HashMap(Heap.create(), i32, i32);
      const model = new Map<number, number>();
      for (let key = 0; key < 6; key++) {
        map.set(key, key);
        model.set(key, key);
      }
      const [ours, theirs] = [map.keys(), model.keys()];
      for (const step of program) {
        for (const [call, key] of step) {
          if (call === "set") [map.set(key, key), model.set(key, key)];
          else if (call === "delete") expect(map.delete(key)).toBe(model.delete(key));
          else if (key === 0) [map.clear(), model.clear()];
        }
        expect(ours.next()).toEqual(theirs.next());
        map.check();
      }
      expect([...ours]).toEqual([...theirs]);
    });
    fc.assert(property, { seed: seedOf("hash-map iteration"), numRuns: 300 });
  });

  it("goes in the order of insertion, in each of its forms", () => {
    const map = new HashMap(Heap.create(), text, i32).set("b", 1).set("a", 2).set("c", 3);
    map.delete("b");
    map.set("a", 4).set("b", 5);
    const all = [
      ["a", 4],
      ["c", 3],
      ["b", 5],
    ];
    expect([...map]).toEqual(all);
    expect([...map.entries()]).toEqual(all);
    expect(JSON.parse(JSON.stringify(map))).toEqual(all);
    expect([...map.keys()]).toEqual(["a", "c", "b"]);
    expect([...map.values()]).toEqual([4, 3, 5]);
    const visited: unknown[] = [];
    map.forEach((value, key, same) => {
      visited.push([key, value]);
      expect(same).toBe(map);
    });
    expect(visited).toEqual(all);
  });

  it("throws when another HashMap on the same memory has moved the entries", () => {
    const heap = Heap.create();
    const map = new HashMap(heap, i32, i32).set(1, 1).set(2, 2).set(3, 3).set(4, 4);
    const other = HashMap.attach(heap, i32, i32, map.ptr);
    const keys = map.keys();
    keys.next();
    other.delete(1);
    other.delete(3);
    expect(keys.next().value).toBe(2);
    other.set(5, 5);
    expect(() => keys.next()).toThrow(/moved through another HashMap/);
    expect([...map.keys()]).toEqual([2, 4, 5]);
  });
});

describe("a HashMap", () => {
  it("compares structs without their padding, and pointers by address", () => {
    const heap = Heap.create();
    const map = new HashMap(heap, Padded, i32);
    const key = heap.new(Padded, { small: 1, wide: 2 });
    new Uint8Array(heap.memory.buffer).fill(0xaa, key.ptr + 1, key.ptr + 4);
    map.set(key, 7);
    expect(map.get({ small: 1, wide: 2 })).toBe(7);
    expect(map.set({ wide: 2, small: 1 }, 8).size).toBe(1);
    const [one, other] = [heap.new(Node, { value: 1 }), heap.new(Node, { value: 1 })];
    const nodes = new HashMap(
      heap,
      pointer(() => Node),
      text,
    );
    nodes.set(one, "one").set(other, "other").set(null, "none");
    expect([nodes.get(one), nodes.get(other), nodes.get(null)]).toEqual(["one", "other", "none"]);
    expect([...nodes.keys()].map((node) => node?.value)).toEqual([1, 1, undefined]);
    const raw = new HashMap(
      heap,
      rawPointer(() => Node),
      i32,
    );
    expect(raw.set(one.ptr, 1).has(other.ptr)).toBe(false);
    const ends = new HashMap(heap, Node, i32).set({ value: 3, next: one }, 1);
    expect(ends.has({ value: 3, next: one })).toBe(true);
    expect(ends.has({ value: 3, next: other })).toBe(false);
    heap.delete(one);
    expect(() => nodes.has(one)).toThrow(UseAfterFreeError);
  });

  it("gives copies of keys that are structs, and references to values", () => {
    const map = new HashMap(Heap.create(), Point, Point).set({ x: 1 }, { y: 2 });
    for (const [key, value] of map) {
      key.x = 5;
      value.y = 6;
    }
    expect(map.get({ x: 1, y: 0 })?.y).toBe(6);
  });

  it("replaces a value wholly: fields that are not given are zero, and what it owned is freed", () => {
    const heap = Heap.create();
    const map = new HashMap(heap, text, Named);
    map.set("a", { name: "first", at: { x: 1 } });
    const before = liveBlocks(heap);
    map.set("a", { at: { y: 2 } });
    expect(map.toJSON()).toEqual([["a", { name: "", at: { x: 0, y: 2 } }]]);
    expect(liveBlocks(heap)).toBe(before - 1);
    map.set("a", map.get("a") ?? {}).check();
    expect(map.get("a")?.at.y).toBe(2);
  });

  it("lets a reference to a value be used until entries move or one goes, and no longer", () => {
    const heap = Heap.create({ checking: true });
    const map = new HashMap(heap, i32, Point, { capacity: 8 }).set(1, { x: 1 });
    const value = map.get(1);
    for (let key = 2; key <= 8; key++) map.set(key, {});
    map.set(1, { x: 2 });
    map.replace(2, { x: 3 });
    expect(value?.x, "what is added where there is room, or set, ends none").toBe(2);
    const other = HashMap.attach(heap, i32, Point, map.ptr);
    const ends: [name: string, call: () => void][] = [
      ["growth", () => map.set(9, {})],
      ["a delete", () => map.delete(2)],
      ["a delete through another HashMap", () => other.delete(3)],
      ["entries that move together", () => map.reserve(16 - 1)],
      ["growth through another HashMap", () => other.reserve(40)],
    ];
    for (const [name, call] of ends) {
      const [held, theirs] = [map.get(1), other.get(1)];
      expect([held?.x, theirs?.x], name).toEqual([2, 2]);
      call();
      for (const ref of [held, theirs])
        expect(() => ref?.x, name).toThrow(/Point at 0x[0-9a-f]+: used after its place in HashMap/);
      expect(map.get(1)?.x).toBe(2);
    }
    const [cleared, disposed] = [map.get(1), new HashMap(heap, i32, Point).set(1, {})];
    const last = disposed.get(1);
    map.clear();
    disposed.dispose();
    for (const ref of [cleared, last]) expect(() => ref?.x).toThrow(UseAfterFreeError);
  });

  it("writes no text where the value was that a reference referred to", () => {
    const heap = Heap.create({ checking: true });
    const map = new HashMap(heap, i32, Named).set(1, { name: "a" });
    const value = map.get(1);
    map.delete(1);
    const before = liveBlocks(heap);
    const write = (): void => {
      if (value) value.name = "it would never be freed".repeat(9);
    };
    expect(write).toThrow(UseAfterFreeError);
    expect(liveBlocks(heap)).toBe(before);
  });

  it("lets no reference to a value outlive its arena", () => {
    const heap = Heap.create();
    const arena = heap.bump();
    const map = new HashMap(arena, i32, Point).set(1, {});
    const value = map.get(1);
    arena.dispose();
    expect(() => value?.x).toThrow(UseAfterFreeError);
    expect(() => map.get(1)).toThrow(UseAfterFreeError);
    map.dispose();
  });

  it("makes a value only where there is none", () => {
    const map = new HashMap(Heap.create(), text, i32);
    expect(map.getOrInsert("a", (key) => key.length)).toBe(1);
    expect(map.getOrInsert("a", () => expect.fail("it is there"))).toBe(1);
    const nested = map.getOrInsert("b", () => {
      for (let index = 0; index < 100; index++) map.set(`${index}`, index);
      return 5;
    });
    expect([nested, map.get("b"), map.size]).toEqual([5, 5, 102]);
  });

  it("does not degrade, however long keys come and go", () => {
    const heap = Heap.create();
    const map = new HashMap(heap, i32, i32);
    const size = 1000;
    for (let key = 0; key < 200 * size; key++) {
      map.set(key, key);
      if (key >= size) map.delete(key - size);
    }
    map.check();
    const { meanProbes, mostProbes, capacity, holes } = map.report();
    expect(map.size).toBe(size);
    expect(capacity).toBe(2048);
    expect(holes).toBeLessThanOrEqual(capacity - size);
    expect(meanProbes).toBeLessThan(1.5);
    expect(mostProbes).toBeLessThan(20);
    for (let key = 0; key < 100 * size; key++) map.set(-1, 0).delete(-1);
    expect(map.report().capacity).toBe(capacity);
  });

  it("spreads keys that follow a pattern", () => {
    const heap = Heap.create();
    for (const step of [1, 16, 4096, 65_536]) {
      const whole = new HashMap(heap, u32, u8);
      const float = new HashMap(heap, f64, u8);
      const long = new HashMap(heap, u64, u8);
      const point = new HashMap(heap, Point, u8);
      for (let index = 0; index < 1000; index++) {
        whole.set(index * step, 1);
        float.set(index * step, 1);
        long.set(BigInt(index * step) << 20n, 1);
        point.set({ x: index % 32, y: index * step }, 1);
      }
      for (const map of [whole, float, long, point]) expect(map.report().meanProbes).toBeLessThan(1.6);
    }
  });

  it("has another order of slots for another seed, and the same bytes for the same", () => {
    const bytes = (seed?: number): Uint8Array => {
      const heap = Heap.create({ memory: new ArrayBuffer(1 << 16) });
      const map = new HashMap(heap, text, i32, seed === undefined ? {} : { seed });
      for (let index = 0; index < 20; index++) map.set(`key ${index}`, index);
      return new Uint8Array(heap.memory.buffer);
    };
    expect(Buffer.compare(bytes(), bytes(0))).toBe(0);
    expect(Buffer.compare(bytes(1), bytes(0))).not.toBe(0);
  });
});

describe("a HashMap whose memory ends", () => {
  it("is as it was when there is no room for another entry, and goes on after a deletion", () => {
    const heap = Heap.create({ footprintLimit: 1 << 17 });
    const map = new HashMap(heap, i32, Point);
    const error = untilFull((key) => map.set(key, { x: key }));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    const { size } = map;
    expect(size).toBeGreaterThan(500);
    map.check();
    expect(map.has(size)).toBe(false);
    expect([...map.keys()]).toEqual(Array.from({ length: size }, (_, key) => key));
    expect(() => map.reserve(1 << 20)).toThrow(OutOfMemoryError);
    expect(() => map.reserve(2 ** 32 - 1)).toThrow(OutOfMemoryError);
    map.delete(3);
    expect(map.set(size, { x: 1 }).get(size)?.x).toBe(1);
    expect(() => map.set(-1, {})).toThrow(OutOfMemoryError);
    map.check();
    heap.check();
  });

  it("is as it was when there is no memory for a key's or a value's text", () => {
    const heap = Heap.create({ footprintLimit: 1 << 17 });
    const map = new HashMap(heap, text, Named, { capacity: 64 });
    map.set("a", { name: "b", at: { x: 1 } });
    const long = "x".repeat(1 << 20);
    const before = map.toJSON();
    expect(() => map.set(long, {})).toThrow(OutOfMemoryError);
    expect(() => map.set("new", { name: long })).toThrow(OutOfMemoryError);
    expect(() => map.set("a", { at: { x: 2 }, name: long })).toThrow(OutOfMemoryError);
    expect(() => map.set("a", { at: { x: "no" }, other: 1 } as never)).toThrow(TypeError);
    expect(map.toJSON()).toEqual(before);
    map.check();
    map.dispose();
    expect(liveBlocks(heap)).toBe(0);
    heap.check();
  });

  it("takes nothing when there is no memory for it at all", () => {
    const heap = Heap.create({ footprintLimit: 1 << 17 });
    expect(() => new HashMap(heap, i32, i32, { capacity: 1 << 20 })).toThrow(OutOfMemoryError);
    expect(liveBlocks(heap)).toBe(0);
  });
});

describe("a HashMap that lies in memory", () => {
  it("goes on in a copy of the memory as it does in the original", () => {
    const heap = Heap.create({ memory: new ArrayBuffer(1 << 18) });
    const map = new HashMap(heap, text, Named, { seed: 5 });
    for (let index = 0; index < 300; index++) map.set(`${index % 200}`, { name: `name ${index}` });
    for (let index = 0; index < 200; index += 3) map.delete(`${index}`);
    const copy = Heap.attach((heap.memory.buffer as ArrayBuffer).slice(0), heap.base);
    const again = HashMap.attach(copy, text, Named, map.ptr);
    expect(again.toJSON()).toEqual(map.toJSON());
    for (const one of [map, again]) {
      for (let index = 0; index < 500; index++) one.set(`${index}`, { at: { x: index } });
      for (let index = 0; index < 500; index += 2) one.delete(`${index}`);
      one.check();
    }
    expect(copy.footprint).toBe(heap.footprint);
    const bytesOf = ({ memory }: Heap): Uint8Array => new Uint8Array(memory.buffer);
    expect(Buffer.compare(bytesOf(copy), bytesOf(heap))).toBe(0);
  });

  it("is seen by every HashMap that is attached to it", () => {
    const heap = Heap.create();
    const map = new HashMap(heap, i32, i32);
    const other = HashMap.attach(heap, i32, i32, map.ptr);
    for (let key = 0; key < 100; key++) (key % 2 === 0 ? map : other).set(key, -key);
    expect(map.toJSON()).toEqual(other.toJSON());
    expect(other.size).toBe(100);
    map.dispose();
    expect(() => other.get(1)).toThrow(/disposed of, or overwritten/);
    expect(liveBlocks(heap)).toBe(0);
  });

  it("finds entries and texts where a shared memory has grown to, through another Heap", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true });
    const heap = Heap.create({ memory, advance: 0 });
    const map = new HashMap(heap, text, text).set("first", "one");
    const there = Heap.attach(memory, heap.base);
    const other = HashMap.attach(there, text, text, map.ptr);
    for (let index = 0; index < 3000; index++) other.set(`${index}`, `value ${index}`.repeat(9));
    expect(memory.buffer.byteLength).toBeGreaterThan(4 * 65_536);
    expect(map.get("2999")).toBe("value 2999".repeat(9));
    expect(map.delete("1500")).toBe(true);
    expect([...other.keys()]).toEqual([...map.keys()]);
    map.check();
    map.dispose();
    expect(liveBlocks(there)).toBe(0);
  });

  it("is refused where there is none, or one of other types", () => {
    const heap = Heap.create();
    const { ptr } = new HashMap(heap, u32, Point).set(1, {});
    const refused = (attach: () => unknown, sentence: RegExp): void => {
      expect(attach).toThrow(PointerError);
      expect(attach).toThrow(sentence);
    };
    refused(() => HashMap.attach(heap, u32, Point, NULL), /null/);
    refused(() => HashMap.attach(heap, u32, Point, (ptr + 1) as never), /multiple of 4/);
    refused(() => HashMap.attach(heap, u32, Point, (ptr + 8) as never), /magic number is missing/);
    refused(() => HashMap.attach(heap, u32, Point, (2 ** 32 - 4) as never), /beyond the memory/);
    refused(() => HashMap.attach(heap, u64, Point, ptr as never), /its keys have 4 bytes, expected 8/);
    refused(() => HashMap.attach(heap, u32, f64, ptr as never), /its values have 16 bytes, expected 8/);
    refused(() => HashMap.attach(heap, i32, Point, ptr as never), /of other types, or have other fields/);
    const words = new Uint32Array(heap.memory.buffer, ptr, 16);
    for (const [word, value, sentence] of [
      [0, 0, /magic number is missing/],
      [1, 8, /its elements have 8 bytes, expected 24/],
      [5, 9, /version 9, this is morecore for version 2/],
      [6, 5, /its size 5, 1 entries and capacity 4 cannot be/],
      [3, 5, /cannot be/],
      [4, 3, /its size 1, 1 entries and capacity 3 cannot be/],
      [4, 2 ** 31, /cannot be/],
      [2, 2 ** 32 - 4, /cannot be/],
      [2, 2 ** 32 - 8, /cannot be/],
      [2, 0, /its 152 bytes at 0x0 cannot be/],
      [2, (words[2] as number) + 4, /cannot be/],
      [2, ptr - 64, /cannot be/],
      [0, MAGIC + 5, /magic number is missing/],
    ] as const) {
      const before = words[word] as number;
      words[word] = value;
      refused(() => HashMap.attach(heap, u32, Point, ptr), sentence);
      words[word] = before;
    }
    // A change that was cut short: what it is about is checked, too.
    for (const [phase, about, sentence] of [
      [MAGIC + 2, 2 ** 32 - 8, /its 152 bytes at 0xfffffff8 cannot be/],
      [MAGIC + 3, 4, /entry 4 of 4 cannot have got a new value/],
    ] as const) {
      const before = words.slice();
      words[0] = phase;
      words[14] = about;
      refused(() => HashMap.attach(heap, u32, Point, ptr), sentence);
      words.set(before);
    }
    expect(HashMap.attach(heap, u32, Point, ptr).size).toBe(1);
  });

  it("is found unsound by its check when a word of it is overwritten", () => {
    const heap = Heap.create();
    const map = new HashMap(heap, i32, i32).set(1, 1).set(2, 2).set(3, 3);
    const words = new Uint32Array(heap.memory.buffer, map.ptr, 14);
    const block = new Uint32Array(heap.memory.buffer, words[2], 5 * 3 + 8);
    const slot = block.findIndex((word, index) => index >= 15 && word === 3);
    for (const [array, word, value, sentence] of [
      [block, 1, 9, /T1: entry 0 has another hash/],
      [block, 10, 9, /T1: entry 3 is not there, and not zero/],
      [words, 6, 2, /T1: 3 entries are live, the size is 2/],
      [block, slot, 0, /T2: 2 slots are filled for 3 entries/],
      [block, slot, 2, /T2: slot \d has number 2/],
    ] as const) {
      const before = array[word] as number;
      array[word] = value;
      expect(() => map.check(), String(sentence)).toThrow(sentence);
      array[word] = before;
    }
    map.check();
  });
});

describe("a HashMap refuses", () => {
  const map = new HashMap(Heap.create(), u8, i32);

  it("keys that its type has not, instead of taking others for them", () => {
    for (const bad of [256, -1, 0.5, Number.NaN]) expect(() => map.set(bad, 1)).toThrow(RangeError);
    expect(() => map.has(300)).toThrow("key: expected an integer from 0 to 255 for u8, got 300");
    expect(() => map.get("1" as never)).toThrow('key: expected a number of type u8, got "1"');
    const heap = Heap.create();
    expect(() => new HashMap(heap, u64, i32).has(-1n)).toThrow(RangeError);
    expect(() => new HashMap(heap, u64, i32).has(1 as never)).toThrow(TypeError);
    expect(() => new HashMap(heap, text, i32).has(1 as never)).toThrow(TypeError);
    const points = new HashMap(heap, Point, i32);
    expect(() => points.has({ x: 1, z: 2 } as never)).toThrow('key: Point: no field "z"; it has x, y');
    expect(() => points.has(heap.new(Node) as never)).toThrow(/expected a reference to Point/);
    expect(() => new HashMap(heap, array(u8, 2), i32).has([1, 2, 3])).toThrow(/at most 2 elements/);
    const low = new HashMap(heap, struct({ low: bits(u32, 3) }), i32);
    expect(() => low.has({ low: 8 })).toThrow(/at most 3 bits/);
    expect(map.size).toBe(0);
  });

  it("types without equality, options that are none, functions that are none", () => {
    const heap = Heap.create();
    expect(() => new HashMap(heap, union({ a: i32, b: f64 }), i32)).toThrow(/no equality/);
    expect(() => new HashMap(heap, struct({ a: union({ a: i32 }) }), i32)).toThrow(/no equality/);
    expect(() => new HashMap(heap, bits(u32, 3), i32)).toThrow(/whole bytes/);
    expect(() => new HashMap(heap, i32, bits(u32, 3))).toThrow(/whole bytes/);
    expect(() => new HashMap(heap, 1 as never, i32)).toThrow(/expected a type/);
    expect(() => new HashMap(heap, i32, i32, { sead: 1 } as never)).toThrow(/unknown option "sead"/);
    expect(() => new HashMap(heap, i32, i32, { seed: -1 })).toThrow(/seed: expected an integer/);
    expect(() => map.reserve(0.5)).toThrow(RangeError);
    expect(() => map.forEach(1 as never)).toThrow(TypeError);
    expect(() => map.getOrInsert(1, 1 as never)).toThrow(TypeError);
    expect(liveBlocks(heap)).toBe(0);
  });

  it("to be used after its end", () => {
    const heap = Heap.create();
    {
      using short = new HashMap(heap, text, text);
      short.set("a", "b");
    }
    expect(liveBlocks(heap)).toBe(0);
    const ended = new HashMap(heap, i32, i32);
    ended.dispose();
    ended.dispose();
    for (const use of [
      () => ended.get(1),
      () => ended.set(1, 1),
      () => ended.size,
      () => ended.keys(),
      () => ended.ptr,
      () => ended.clear(),
    ])
      expect(use).toThrow(/HashMap<i32, i32> at 0x[0-9a-f]+: used after it was deleted/);
  });

  it("references that live shorter, for keys and for values", () => {
    Heap.create().scope((outer) => {
      const to = pointer(() => Point);
      const values = new HashMap(outer, i32, to);
      const keys = new HashMap(outer, to, i32);
      const Line = struct({ from: to, to });
      const structs = new HashMap(outer, i32, Line);
      const long = outer.new(Point);
      values.set(1, long);
      outer.scope((inner) => {
        const short = inner.new(Point);
        // @ts-expect-error: what lives in the inner scope does not live long enough
        values.set(2, short);
        // @ts-expect-error: nor as a key
        keys.set(short, 1);
        // @ts-expect-error: nor in a field
        structs.set(1, { from: long, to: short });
        expect(new HashMap(inner, i32, to).set(1, long).set(2, short).size).toBe(2);
      });
      expect(values.size + keys.size + structs.size).toBe(4);
    });
  });
});
