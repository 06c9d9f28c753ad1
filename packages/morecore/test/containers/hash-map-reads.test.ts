// HashMap: what it is given is read once, whole and first, whatever code of the caller's that runs.

import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import {
  array,
  bits,
  Columns,
  f64,
  fieldsOf,
  HashMap,
  Heap,
  HeapMisuseError,
  i32,
  keyType,
  pointer,
  SlotMap,
  struct,
  text,
  u8,
  u32,
  utf8,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Named = struct({ name: text, at: Point }, { name: "Named" });
const Four = array(i32, 4);

describe("a HashMap takes a value of its own", () => {
  it.each([true, false])("at each growth, checking: %s", (checking) => {
    const map = new HashMap(Heap.create({ checking }), i32, Point).set(0, { x: 1, y: 2 });
    for (let key = 1; key < 200; key++) map.set(key, map.get(0) ?? {});
    expect([...map.values()].every(({ x, y }) => x === 1 && y === 2)).toBe(true);
    expect(map.size).toBe(200);
    map.check();
  });

  it("that owns a text, where it is replaced by itself, too", () => {
    const heap = Heap.create({ checking: true });
    const map = new HashMap(heap, text, Named).set("a", { name: "a name", at: { x: 1 } });
    for (let turn = 0; turn < 40; turn++) map.set(`${turn}`, map.get("a") ?? {}).set("a", map.get("a") ?? {});
    expect(map.get("39")?.name).toBe("a name");
    expect(map.get("a")?.at.x).toBe(1);
    map.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("as a key", () => {
    const map = new HashMap(Heap.create({ checking: true }), Named, Named);
    map.set({ name: "a" }, { name: "b" });
    for (let turn = 0; turn < 20; turn++) {
      const value = map.get({ name: "a" });
      if (value) map.set(value, value).set({ name: `${turn}` }, value);
    }
    expect(map.get({ name: "b" })?.name).toBe("b");
    map.check();
  });
});

describe("a HashMap reads a key once", () => {
  it("that is an iterator, or has one in a field", () => {
    const heap = Heap.create();
    const lists = new HashMap(heap, array(u8, 3), i32);
    lists.set([1, 2, 3].values(), 7);
    expect([lists.get([1, 2, 3]), lists.get([1, 2, 3].values()), lists.has([0, 0, 0])]).toEqual([
      7,
      7,
      false,
    ]);
    expect([...lists.keys()]).toEqual([[1, 2, 3]]);
    const Key = struct({ list: array(i32, 2), inner: struct({ list: array(u8, 2) }) });
    const structs = new HashMap(heap, Key, i32);
    structs.set({ list: new Set([1, 2]).values(), inner: { list: [3].values() } }, 7);
    expect(structs.get({ list: [1, 2], inner: { list: [3, 0] } })).toBe(7);
    expect([...structs.keys()]).toEqual([{ list: [1, 2], inner: { list: [3, 0] } }]);
    expect(structs.getOrInsert({ list: [5, 6].values() }, () => 8)).toBe(8);
    expect(structs.get({ list: [5, 6] })).toBe(8);
    lists.check();
    structs.check();
  });

  it("whose getters give something else each time", () => {
    const Key = struct({ n: i32, name: text, word: utf8(4), low: bits(u32, 3) }, { name: "Key" });
    const map = new HashMap(Heap.create(), Key, i32);
    let count = 0;
    const next = (): number => {
      count += 1;
      return count;
    };
    const key = {
      get n(): number {
        return next();
      },
      get name(): string {
        return `${next()}`;
      },
      get word(): string {
        return `w${next()}`;
      },
      get low(): number {
        return next();
      },
    };
    map.set(key, 1);
    expect(map.toJSON()).toEqual([[{ n: 1, name: "2", word: "w3", low: 4 }, 1]]);
    expect(map.get({ n: 1, name: "2", word: "w3", low: 4 })).toBe(1);
    map.getOrInsert({ ...fieldsOfKey(5) }, () => 2);
    map.check();
    expect(map.has(fieldsOfKey(5))).toBe(true);
  });

  it("that looks up another one while it is read", () => {
    const Key = struct({ a: i32, b: i32 });
    const map = new HashMap(Heap.create(), Key, i32).set({ a: 1, b: 1 }, 11).set({ a: 2, b: 2 }, 22);
    const sly = {
      a: 1,
      get b(): number {
        return (map.get({ a: 2, b: 2 }) ?? 0) - 21;
      },
    };
    expect(map.get(sly)).toBe(11);
    expect(map.set(sly, 5).get({ a: 1, b: 1 })).toBe(5);
    map.check();
  });
});

/** The fields of a key, in an object of its own. */
function fieldsOfKey(n: number): { n: number; name: string; word: string; low: number } {
  return { n, name: `${n}`, word: "w", low: n };
}

describe("a call within a call on a HashMap comes before it", () => {
  /** A value that makes a call when it is read. */
  const sly = (call: () => void): { readonly name: string } => ({
    get name(): string {
      call();
      return "outer";
    },
  });

  it("whatever it does", () => {
    const heap = Heap.create({ checking: true });
    const calls: [name: string, call: (map: HashMap<typeof i32, typeof Named>) => void, keys: number[]][] = [
      ["sets another key", (map) => void map.set(5, {}), [1, 5, 3]],
      ["sets the same key", (map) => void map.set(3, { name: "inner" }), [1, 3]],
      ["deletes", (map) => void map.delete(1), [3]],
      ["clears", (map) => map.clear(), [3]],
      ["makes room", (map) => map.reserve(100), [1, 3]],
      ["grows", (map) => void [6, 7, 8, 9].map((key) => map.set(key, {})), [1, 6, 7, 8, 9, 3]],
    ];
    for (const [name, call, keys] of calls) {
      const map = new HashMap(heap, i32, Named).set(1, { name: "one" });
      map.set(
        3,
        sly(() => call(map)),
      );
      expect([...map.keys()], name).toEqual(keys);
      expect(map.get(3)?.name, name).toBe("outer");
      map.set(
        1,
        sly(() => call(map)),
      );
      expect(map.get(1)?.name, name).toBe("outer");
      map.check();
      map.dispose();
    }
    const ended = new HashMap(heap, i32, Named);
    expect(() =>
      ended.set(
        3,
        sly(() => ended.dispose()),
      ),
    ).toThrow(/used after it was deleted/);
    expect(liveBlocks(heap)).toBe(0);
    heap.check();
  });

  it("also in generators, deep within each other, and in what makes a value", () => {
    const map = new HashMap(Heap.create(), i32, Four);
    const node = function* (depth: number): Generator<number> {
      yield depth;
      if (depth < 30) map.set(depth + 1, node(depth + 1));
      yield depth;
    };
    map.set(0, node(0));
    expect(map.size).toBe(31);
    for (const [key, list] of map) expect([...list].slice(0, 3)).toEqual([key, key, 0]);
    const made = map.getOrInsert(100, () => {
      map.clear();
      return [map.size];
    });
    expect([[...made], map.size]).toEqual([[0, 0, 0, 0], 1]);
    map.check();
  });

  it("through another HashMap on the same memory, too", () => {
    const heap = Heap.create();
    const map = new HashMap(heap, i32, Named).set(1, { name: "one" });
    const other = HashMap.attach(heap, i32, Named, map.ptr);
    map.set(
      2,
      sly(() => {
        for (let key = 10; key < 40; key++) other.set(key, { name: `${key}` });
        other.delete(1);
      }),
    );
    expect([map.size, map.get(2)?.name, map.get(39)?.name]).toEqual([31, "outer", "39"]);
    map.check();
  });
});

describe("a HashMap", () => {
  it("has keys of slot maps for keys", () => {
    const heap = Heap.create();
    const PlayerKey = keyType("Player");
    const players = new SlotMap(heap, Point, { key: PlayerKey });
    const [ann, bob] = [players.insert({ x: 1 }), players.insert({ x: 2 })];
    const names = new HashMap(heap, PlayerKey, text).set(ann, "Ann").set(bob, "Bob");
    expect([names.get(ann), names.get(bob), [...names.keys()]]).toEqual(["Ann", "Bob", [ann, bob]]);
    const pairs = new HashMap(heap, struct({ one: PlayerKey, other: PlayerKey }), i32);
    expect(pairs.set({ one: ann, other: bob }, 1).get({ one: ann, other: bob })).toBe(1);
    expect(pairs.has({ one: bob, other: ann })).toBe(false);
    names.check();
    pairs.check();
  });

  it("gives what a key had when its value is replaced, as a copy", () => {
    const heap = Heap.create({ checking: true });
    const map = new HashMap(heap, text, Named);
    expect(map.replace("a", { name: "first", at: { x: 1 } })).toBe(undefined);
    expect(map.replace("a", { name: "second" })).toEqual({ name: "first", at: { x: 1, y: 0 } });
    expect(map.toJSON()).toEqual([["a", { name: "second", at: { x: 0, y: 0 } }]]);
    expect(new HashMap(heap, i32, i32).set(1, 5).replace(1, 6)).toBe(5);
    expect(() => map.replace("a", { name: 1 as never })).toThrow(TypeError);
    expect(map.get("a")?.name).toBe("second");
    map.check();
  });

  it("takes a row of columns as a key and as a value", () => {
    const columns = new Columns(Heap.create({ checking: true }), Point);
    columns.push({ x: 1, y: 2 });
    const map = new HashMap(Heap.create({ checking: true }), Point, Point);
    map.set(columns.at(0), columns.at(0));
    expect(map.has({ x: 1, y: 2 })).toBe(true);
    expect(map.get(columns.at(0))?.y).toBe(2);
  });

  it("that is spread into another value is refused, not half copied", () => {
    const map = new HashMap(Heap.create(), i32, Point).set(1, { x: 5, y: 6 });
    const value = map.get(1);
    if (value === undefined) expect.fail("it is there");
    expect(() => map.set(2, { ...value, x: 1 })).toThrow(/spread fieldsOf\(reference\)/);
    expect(map.set(2, { ...fieldsOf(value), x: 1 }).get(2)?.y).toBe(6);
  });

  it("is ended once, by whichever HashMap on it, and another one in its place is left alone", () => {
    const heap = Heap.create({ checking: true });
    const map = new HashMap(heap, i32, Point).set(1, {});
    const { ptr } = map;
    const other = HashMap.attach(heap, i32, Point, ptr);
    const value = other.get(1);
    map.dispose();
    other.dispose();
    heap.check();
    const next = new HashMap(heap, i32, Point).set(1, { x: 5 });
    expect(next.ptr).toBe(ptr);
    const late = (): unknown => other.get(1);
    expect(late).toThrow(/disposed of, or overwritten/);
    expect(() => value?.x).toThrow(/used after/);
    other.dispose();
    expect(next.get(1)?.x).toBe(5);
  });

  it("lets nobody delete a value that is a part of it", () => {
    const heap = Heap.create({ checking: true });
    const value = new HashMap(heap, i32, Point).set(1, { x: 1 }).get(1);
    expect(() => heap.delete(value as { ptr: number })).toThrow(/part of something larger/);
    expect(value?.x).toBe(1);
  });

  it("is sound after a delete that could not free a text", () => {
    const heap = Heap.create({ checking: true });
    const map = new HashMap(heap, i32, Named).set(1, { name: "one" }).set(2, { name: "two" });
    heap.u32(map.get(1)?.ptr ?? 0, 1)[0] = 8;
    expect(() => map.delete(1)).toThrow(HeapMisuseError);
    expect([map.has(1), map.get(2)?.name, map.size]).toEqual([false, "two", 1]);
    map.check();
  });

  it("ends references when another window on shared memory has grown it", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true });
    const heap = Heap.create({ memory, advance: 0, checking: true });
    const map = new HashMap(heap, i32, Named).set(0, { name: "first" });
    const there = Heap.attach(memory, heap.base);
    const other = HashMap.attach(there, i32, Named, map.ptr);
    const held = map.get(0);
    for (let key = 1; key < 3000; key++) other.set(key, { name: `name ${key}` });
    expect(() => held?.name).toThrow(/its place in HashMap<i32, Named> had ended/);
    expect([map.get(0)?.name, map.get(2999)?.name, map.size]).toEqual(["first", "name 2999", 3000]);
    other.delete(0);
    expect(map.has(0)).toBe(false);
    map.check();
  });

  it("takes references of another window on its memory as keys", () => {
    const heap = Heap.create();
    const to = pointer(() => Point);
    const map = new HashMap(heap, to, i32);
    const point = heap.new(Point);
    map.set(point, 1);
    const there = Heap.attach(heap.memory, heap.base);
    expect(map.get(there.ref(Point, point.ptr))).toBe(1);
    expect(() => map.get(Heap.create().new(Point))).toThrow(/in the same memory/);
    expect(() => map.get(heap.new(Named) as never)).toThrow(/expected a reference to Point/);
  });
});
