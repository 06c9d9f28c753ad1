// Slot maps and columns beside them: what they are given is read once and first; what moves or goes ends references, through
// whichever window.

import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import {
  array,
  f64,
  fieldsOf,
  Heap,
  HeapMisuseError,
  i32,
  type Key,
  SecondaryColumn,
  SlotMap,
  struct,
  text,
  UseAfterFreeError,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Named = struct({ name: text, number: i32 }, { name: "Named" });
const Four = array(i32, 4);
type NamedKey = Key<typeof Named>;

/** A value that makes a call when it is read. */
function sly(call: () => void): { readonly name: string } {
  return {
    get name(): string {
      call();
      return "outer";
    },
  };
}

describe("a call within a call on a slot map comes before it", () => {
  it("whatever it does", () => {
    const heap = Heap.create({ checking: true });
    const calls: [
      name: string,
      call: (map: SlotMap<typeof Named>, first: NamedKey) => void,
      left: string[],
    ][] = [
      ["inserts", (map) => void map.insert({ name: "inner" }), ["first", "inner", "outer"]],
      ["sets", (map, first) => void map.set(first, { name: "set" }), ["set", "outer"]],
      ["removes", (map, first) => void map.remove(first), ["outer"]],
      ["clears", (map) => map.clear(), ["outer"]],
      ["makes room", (map) => map.reserve(100), ["first", "outer"]],
    ];
    for (const [name, call, left] of calls) {
      const map = new SlotMap(heap, Named, { capacity: 2 });
      const first = map.insert({ name: "first" });
      const outer = map.insert(sly(() => call(map, first)));
      expect(
        Array.from(map.values(), (value) => value.name),
        name,
      ).toEqual(left);
      expect(map.get(outer)?.name, name).toBe("outer");
      map.check();
      map.dispose();
    }
    const map = new SlotMap(heap, Named);
    const key = map.insert({ name: "gone" });
    expect(
      map.set(
        key,
        sly(() => map.remove(key)),
      ),
    ).toBe(false);
    expect(
      map.replace(
        key,
        sly(() => map.clear()),
      ),
    ).toBe(undefined);
    expect(() => map.insert(sly(() => map.dispose()))).toThrow(UseAfterFreeError);
    expect(liveBlocks(heap)).toBe(0);
    heap.check();
  });

  it("in generators, deep within each other, and through another window", () => {
    const heap = Heap.create();
    const map = new SlotMap(heap, Four);
    const other = SlotMap.attach(Heap.attach(heap.memory, heap.base), Four, map.ptr);
    const node = function* (depth: number): Generator<number> {
      yield depth;
      if (depth < 30) (depth % 2 === 0 ? map : other).insert(node(depth + 1));
      yield depth;
    };
    map.insert(node(0));
    expect(Array.from(map.values(), (list) => [...list].slice(0, 2))).toEqual(
      Array.from({ length: 31 }, (_, index) => [30 - index, 30 - index]),
    );
    map.check();
  });
});

describe("a slot map", () => {
  it("gives what a key had when its value is replaced, as a copy", () => {
    const heap = Heap.create({ checking: true });
    const map = new SlotMap(heap, Named);
    const key = map.insert({ name: "first", number: 1 });
    const held = map.get(key);
    expect(map.replace(key, { name: "second" })).toEqual({ name: "first", number: 1 });
    expect([map.get(key)?.name, map.get(key)?.number, held?.name]).toEqual(["second", 1, "second"]);
    expect(map.replace(key, map.get(key) ?? {})).toEqual({ name: "second", number: 1 });
    expect(() => map.replace(key, { number: 1n as never })).toThrow(TypeError);
    expect(map.get(key)?.name).toBe("second");
    map.remove(key);
    expect(map.replace(key, { name: "late" })).toBe(undefined);
    const numbers = new SlotMap(heap, f64);
    expect(numbers.replace(numbers.insert(1), 2)).toBe(1);
    map.dispose();
    numbers.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("refuses a reference that is spread, and takes its fields", () => {
    const map = new SlotMap(Heap.create(), Point);
    const value = map.get(map.insert({ x: 5, y: 6 }));
    if (value === undefined) expect.fail("it is there");
    expect(() => map.insert({ ...value })).toThrow(/spread fieldsOf\(reference\)/);
    expect(map.get(map.insert({ ...fieldsOf(value), x: 1 }))?.y).toBe(6);
  });

  it("ends references when another window moves values, or takes one away", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true });
    const heap = Heap.create({ memory, advance: 0, checking: true });
    const map = new SlotMap(heap, Named, { capacity: 8 });
    const first = map.insert({ name: "first" });
    const second = map.insert({ name: "second" });
    const there = Heap.attach(memory, heap.base);
    there.checking = true;
    const other = SlotMap.attach(there, Named, map.ptr);
    const ends: [name: string, call: () => void][] = [
      ["a remove", () => other.remove(second)],
      [
        "growth",
        () => void Array.from({ length: 5000 }, (_, number) => other.insert({ name: `${number}`, number })),
      ],
      ["room made", () => other.reserve(20_000)],
    ];
    for (const [name, call] of ends) {
      const held = map.get(first);
      expect(held?.name, name).toBe("first");
      call();
      expect(() => held?.name, name).toThrow(/used after its place in slot map/);
      expect(map.get(first)?.name, name).toBe("first");
    }
    expect([map.size, other.size]).toEqual([5001, 5001]);
    expect(Array.from(map.values(), ({ number }) => number).slice(1)).toEqual(
      Array.from({ length: 5000 }, (_, number) => number),
    );
    const last = map.get(first);
    other.clear();
    expect(() => last?.name).toThrow(UseAfterFreeError);
    expect(map.size).toBe(0);
    map.check();
  });

  it("ends what gives all values side by side, numbers too, when any goes", () => {
    const map = new SlotMap(Heap.create({ checking: true }), f64);
    const [first] = [map.insert(1), map.insert(2)];
    const all = map.dense();
    expect([...all]).toEqual([1, 2]);
    map.remove(first);
    expect(() => all.get(0)).toThrow(/its place in slot map \d+ had ended/);
  });

  it("lets nobody delete a value that is a part of it", () => {
    const heap = Heap.create({ checking: true });
    const map = new SlotMap(heap, Point);
    const value = map.get(map.insert({ x: 1 }));
    expect(() => heap.delete(value as { ptr: number })).toThrow(/part of something larger/);
    expect(value?.x).toBe(1);
  });

  it("is sound after a remove that could not free a text", () => {
    const heap = Heap.create({ checking: true });
    const map = new SlotMap(heap, Named);
    const [first, second] = [map.insert({ name: "first" }), map.insert({ name: "second" })];
    heap.u32(map.ptrOf(first), 1)[0] = 8;
    expect(() => map.remove(first)).toThrow(HeapMisuseError);
    expect([map.has(first), map.get(second)?.name, map.size]).toEqual([false, "second", 1]);
    map.check();
  });

  it("is gone through while another window changes it", () => {
    const heap = Heap.create({ checking: true });
    const map = new SlotMap(heap, Named);
    const other = SlotMap.attach(heap, Named, map.ptr);
    for (let number = 0; number < 6; number++) map.insert({ number });
    const seen: number[] = [];
    map.forEach(({ number }, key) => {
      seen.push(number);
      if (number < 3) other.remove(key);
      if (number === 5) for (let next = 6; next < 40; next++) other.insert({ number: next });
    });
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, number) => number));
    expect(map.size).toBe(37);
    const keys = map.keys();
    keys.next();
    other.dispose();
    expect(() => keys.next()).toThrow(/had ended elsewhere/);
  });

  it("is ended once, by whichever window, and another one in its place is left alone", () => {
    const heap = Heap.create({ checking: true });
    const map = new SlotMap(heap, Point);
    const key = map.insert({ x: 1 });
    const other = SlotMap.attach(heap, Point, map.ptr);
    const held = other.get(key);
    map.dispose();
    other.dispose();
    heap.check();
    const next = new SlotMap(heap, Point, { id: map.id });
    expect(next.ptr).toBe(map.ptr);
    expect(next.insert({ x: 5 })).toBe(key);
    expect(() => other.get(key)).toThrow(/had ended elsewhere/);
    expect(() => held?.x).toThrow(UseAfterFreeError);
    other.dispose();
    expect(next.get(key)?.x).toBe(5);
  });
});

describe("references to a column's values end", () => {
  /** A column with three values, and their keys. */
  function made() {
    const heap = Heap.create({ checking: true });
    const map = new SlotMap(heap, f64);
    const column = new SecondaryColumn(map, heap, Named);
    const keys = [0, 1, 2].map((value) => map.insert(value)) as [
      Key<typeof f64>,
      Key<typeof f64>,
      Key<typeof f64>,
    ];
    for (const key of keys) column.set(key, { name: "a name", number: 5 });
    return { heap, map, column, keys };
  }

  it("when it lets go of any, and only then", () => {
    const { heap, map, column, keys } = made();
    const [first, second, third] = keys;
    const ends: [name: string, call: () => void][] = [
      ["remove", () => void column.remove(second)],
      ["prune", () => [map.remove(third), column.prune()]],
      [
        "a value for the slot's next key",
        () => {
          column.set(second, {});
          map.remove(second);
          column.set(map.insert(9), { name: "next" });
        },
      ],
      ["growth", () => Array.from({ length: 20 }, (_, value) => column.set(map.insert(value), {}))],
      ["clear", () => column.clear()],
    ];
    for (const [name, call] of ends) {
      const held = column.get(first);
      column.set(first, { number: 7 });
      column.prune();
      expect(held?.number, name).toBe(7);
      call();
      expect(() => held?.number, name).toThrow(/its place in secondary column \d+ had ended/);
    }
    column.dispose();
    map.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("when what is read for one changes the column, which comes first", () => {
    const { heap, map, column, keys } = made();
    const [first, second] = keys;
    expect(
      column.set(
        first,
        sly(() => map.remove(first)),
      ),
    ).toBe(false);
    expect(
      column.set(
        second,
        sly(() => column.remove(second)),
      ),
    ).toBe(true);
    expect(column.get(second)?.name).toBe("outer");
    const grow = (): void => {
      for (let value = 0; value < 50; value++) column.set(map.insert(value), { name: "inner" });
    };
    column.set(second, sly(grow));
    expect(column.get(second)?.name).toBe("outer");
    expect(() =>
      column.set(
        second,
        sly(() => column.dispose()),
      ),
    ).toThrow(/had ended/);
    map.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("and stays as it was when a value cannot be made", () => {
    const { heap, column, keys } = made();
    const long = "x".repeat(1 << 20);
    heap.footprintLimit = heap.footprint;
    expect(() => column.set(keys[0], { name: long })).toThrow(/no memory/);
    expect(() => column.set(keys[0], { name: 1 as never })).toThrow(TypeError);
    expect(column.get(keys[0])?.name).toBe("a name");
    column.set(keys[0], { name: "b" });
    expect([column.get(keys[0])?.name, column.get(keys[0])?.number]).toEqual(["b", 0]);
    heap.check();
  });
});
