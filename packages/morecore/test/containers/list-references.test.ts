// List references: what refers to elements of a Vec or of Columns ends when elements move, are taken away, or the container ends; and a
// value of its own can be given to it.

import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import {
  array,
  Columns,
  f64,
  Heap,
  i32,
  isAlive,
  struct,
  text,
  UseAfterFreeError,
  union,
  Vec,
} from "../../src/index.ts";

const Point = struct({ x: i32, y: f64 }, { name: "Point" });
const Named = struct({ name: text, at: Point, list: array(i32, 2) }, { name: "Named" });
type Points = Vec<typeof Point>;

function filled(count = 3, room = 4): { heap: Heap; vec: Points } {
  const heap = Heap.create({ checking: true });
  const vec = new Vec(heap, Point, room);
  for (let index = 0; index < count; index++) vec.push({ x: index, y: -index });
  return { heap, vec };
}

const ENDING: readonly [name: string, act: (vec: Points) => unknown][] = [
  ["a push that grows", (vec) => [vec.push({}), vec.push({})]],
  ["reserve that grows", (vec) => vec.reserve(5)],
  ["shrinkToFit", (vec) => vec.shrinkToFit()],
  ["insert before others", (vec) => vec.insert(0, {})],
  ["remove", (vec) => vec.remove(2)],
  ["swapRemove", (vec) => vec.swapRemove(2)],
  ["pop", (vec) => vec.pop()],
  ["truncate", (vec) => vec.truncate(2)],
  ["clear", (vec) => vec.clear()],
  ["sort", (vec) => vec.sort((a, b) => b.x - a.x)],
  ["extend that grows", (vec) => vec.extend([{}, {}])],
  ["dispose", (vec) => vec.dispose()],
];
const KEEPING: readonly [name: string, act: (vec: Points) => unknown][] = [
  ["a push where there is room", (vec) => vec.push({})],
  ["insert at the end", (vec) => vec.insert(3, {})],
  ["set", (vec) => vec.set(0, { x: 9 })],
  ["replace", (vec) => vec.replace(0, { x: 9 })],
  ["reserve of what is there", (vec) => vec.reserve(4)],
  ["truncate to more", (vec) => vec.truncate(3)],
  ["extend where there is room", (vec) => vec.extend([{}])],
  ["a sort that is refused", (vec) => expect(() => vec.sort()).toThrow(TypeError)],
  ["an index that is refused", (vec) => expect(() => vec.remove(3)).toThrow(RangeError)],
];

describe("what refers to elements of a Vec", () => {
  it.each(ENDING)("ends with %s, also when another Vec on the same does it", (_, act) => {
    for (const through of ["itself", "another"]) {
      const { heap, vec } = filled();
      const window =
        through === "itself" ? vec : Vec.attach(Heap.attach(heap.memory, heap.base), Point, vec.ptr);
      const [ref, elements] = [vec.get(0), vec.asArray()];
      const iterated = [...vec][1];
      act(window);
      for (const one of [() => ref.x, () => (ref.y = 1), () => elements.get(0), () => elements.set(0, {})])
        expect(one).toThrow(UseAfterFreeError);
      expect(() => iterated?.x).toThrow("used after the place that the elements of Vec<Point> had had ended");
      expect(isAlive(ref)).toBe(false);
      heap.check();
    }
  });

  it.each(KEEPING)("stays with %s", (_, act) => {
    const { vec } = filled();
    const [ref, elements] = [vec.get(0), vec.asArray()];
    act(vec);
    expect([ref.y, elements.get(2).x, elements.length]).toEqual([-0, 2, 3]);
  });

  it("is good again after it was got anew, and forEach gets it for each element", () => {
    const { vec } = filled();
    vec.reserve(100);
    const ref = vec.get(1);
    vec.pop();
    expect(() => ref.x).toThrow(UseAfterFreeError);
    expect(vec.get(1).x).toBe(1);
    const seen: number[] = [];
    vec.forEach((point, index) => {
      seen.push(point.x);
      if (index === 0) vec.reserve(1000);
      else expect(point.x).toBe(index);
    });
    expect(seen).toEqual([0, 1]);
  });

  it("never writes into another's block", () => {
    const { heap, vec } = filled(1, 1);
    const first = vec.get(0);
    for (let index = 0; index < 4; index++) vec.push({ x: index });
    const other = heap.newArray(i32, 8, Array(8).fill(7));
    expect(() => {
      first.x = 666;
    }).toThrow(UseAfterFreeError);
    expect([...other]).toEqual(Array(8).fill(7));
  });

  it("is no longer written to after it was popped, where it would own what nobody frees", () => {
    const heap = Heap.create({ checking: true });
    const vec = new Vec(heap, Named);
    vec.push({ name: "a" });
    const ref = vec.get(0);
    vec.pop();
    expect(() => {
      ref.name = "leak".repeat(100);
    }).toThrow(UseAfterFreeError);
    vec.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("is its payload, too, if it is a union", () => {
    const heap = Heap.create({ checking: true });
    const vec = new Vec(heap, union({ point: Point, word: text }), 2);
    vec.push({ tag: "point", value: { x: 1 } });
    const { value } = vec.get(0) as { value: { x: number } };
    expect(value.x).toBe(1);
    vec.clear();
    expect(() => value.x).toThrow(UseAfterFreeError);
  });

  it("cannot be deleted by itself", () => {
    const { heap, vec } = filled();
    expect(() => heap.delete(vec.get(0))).toThrow(/a part of something larger/);
    expect(() => heap.delete(vec.asArray())).toThrow(TypeError);
    vec.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });
});

describe("a row of Columns", () => {
  const made = (count = 3) => {
    const heap = Heap.create({ checking: true });
    const columns = new Columns(heap, Named);
    for (let index = 0; index < count; index++) columns.push({ name: `n${index}`, at: { x: index } });
    return { heap, columns };
  };

  it.each([
    ["a push that grows", (columns) => Array.from({ length: 9 }, () => columns.push({}))],
    ["reserve", (columns) => columns.reserve(100)],
    ["swapRemove", (columns) => columns.swapRemove(2)],
    ["pop", (columns) => columns.pop()],
    ["clear", (columns) => columns.clear()],
    ["dispose", (columns) => columns.dispose()],
  ] as readonly [string, (columns: Columns<typeof Named.fields>) => unknown][])(
    "and what it gave end with %s, through this window or another",
    (_, act) => {
      for (const through of ["itself", "another"]) {
        const { heap, columns } = made();
        const other = Columns.attach(Heap.attach(heap.memory, heap.base), Named, columns.ptr);
        const row = columns.at(0);
        const [inner, list] = [row.at, row.list];
        act(through === "itself" ? columns : other);
        for (const use of [() => row.name, () => inner.x, () => list.get(0), () => JSON.stringify(row)])
          expect(use).toThrow(UseAfterFreeError);
        expect(() => {
          row.name = "leak";
        }).toThrow(UseAfterFreeError);
        heap.check();
        columns.dispose();
        expect(liveBlocks(heap)).toBe(0);
      }
    },
  );

  it("stays where there is room, and a cursor goes on wherever it is put", () => {
    const { columns } = made();
    const [row, inner] = [columns.at(1), columns.at(1).at];
    columns.push({ name: "more" });
    columns.assign(0, { name: "other" });
    expect([row.name, inner.x]).toEqual(["n1", 1]);
    const cursor = columns.cursor();
    columns.reserve(100);
    expect(() => cursor.name).toThrow(UseAfterFreeError);
    cursor.index = 3;
    expect(cursor.name).toBe("more");
  });

  it("of empty ones refers to nothing until there is something", () => {
    const heap = Heap.create({ checking: true });
    const columns = new Columns(heap, Named, 4);
    const cursor = columns.cursor();
    expect(() => cursor.name).toThrow("index: there is none: the length is 0");
    expect(() => {
      cursor.name = "nobody's";
    }).toThrow(RangeError);
    columns.push({ name: "first" });
    expect(cursor.name).toBe("first");
    columns.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("is found by its index where nobody checks, and never beyond the end", () => {
    const columns = new Columns(Heap.create({ checking: false }), Point);
    columns.push({ x: 1 });
    const row = columns.at(0);
    for (let index = 0; index < 50; index++) columns.push({ x: index });
    row.x = 5;
    expect([row.x, columns.at(0).x]).toEqual([5, 5]);
    columns.clear();
    expect(() => row.x).toThrow("index: there is none: the length is 0");
  });
});

describe("a value of its own", () => {
  it("is given to a Vec at each growth, as an element, a part of one, all of them", () => {
    const heap = Heap.create({ reserve: 0, advance: 0, checking: true });
    const vec = new Vec(heap, Named);
    vec.push({ name: "own", at: { x: 7 }, list: [1, 2] });
    for (let index = 1; index < 100; index++) vec.push(vec.get(0));
    vec.insert(0, vec.get(99));
    vec.set(50, vec.get(1));
    expect(vec.replace(50, vec.get(1)).name).toBe("own");
    vec.extend(vec);
    vec.extend(Vec.attach(heap, Named, vec.ptr));
    vec.extend(vec.asArray());
    const own = { name: "own", at: { x: 7, y: 0 }, list: [1, 2] };
    expect(JSON.parse(JSON.stringify(vec))).toEqual(Array(808).fill(own));
    vec.push({ at: vec.get(0).at, list: vec.get(0).list });
    expect(JSON.parse(JSON.stringify(vec.at(-1)))).toEqual({ ...own, name: "" });
    vec.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("is given to Columns at each growth, as a row or a part of one", () => {
    const heap = Heap.create({ reserve: 0, advance: 0, checking: true });
    const columns = new Columns(heap, Named);
    columns.push({ name: "own", at: { x: 7 }, list: [1, 2] });
    for (let index = 1; index < 50; index++) columns.push(columns.at(0));
    columns.push({});
    columns.assign(50, columns.at(0));
    columns.push({ name: "own", at: columns.at(0).at, list: columns.at(0).list });
    expect(columns.toJSON()).toEqual(Array(52).fill({ name: "own", at: { x: 7, y: 0 }, list: [1, 2] }));
    columns.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("is a row wherever a struct of its type is taken, and a reference where a row is", () => {
    const heap = Heap.create({ checking: true });
    const columns = new Columns(heap, Named);
    columns.push({ name: "row", at: { x: 1 } });
    const vec = new Vec(heap, Named);
    vec.push(columns.at(0));
    vec.push({});
    vec.set(1, columns.at(0));
    columns.push(vec.get(0));
    const ref = heap.new(Named, columns.at(1));
    const row = { name: "row", at: { x: 1, y: 0 }, list: [0, 0] };
    expect(JSON.parse(JSON.stringify([...vec, ...columns, ref]))).toEqual(Array(5).fill(row));
    const points = new Columns(heap, Point);
    points.push(heap.new(Point, { x: 3 }));
    points.assign(0, heap.new(Point, { y: 4 }));
    expect(points.toJSON()).toEqual([{ x: 0, y: 4 }]);
    expect(() => columns.push(points.at(0) as never)).toThrow("Named: expected a reference to it");
  });

  it("is refused if it was spread, and nothing is changed", () => {
    const { heap, vec } = filled();
    const columns = new Columns(heap, Point);
    columns.push({ x: 5, y: 6 });
    const spread = /not copied by spreading it/;
    expect(() => vec.push({ ...vec.get(0), x: 1 })).toThrow(spread);
    expect(() => vec.set(0, { ...vec.get(1), x: 1 })).toThrow(spread);
    expect(() => columns.push({ ...columns.at(0), x: 1 })).toThrow(spread);
    expect(() => columns.assign(0, { ...columns.at(0), x: 1 })).toThrow(spread);
    expect(() => columns.push({ ...vec.get(0), x: 1 })).toThrow(spread);
    expect([vec.length, vec.get(0).x, columns.length, columns.at(0).x]).toEqual([3, 0, 1, 5]);
  });
});

describe("replace", () => {
  it("gives a plain copy of what was there, and writes the fields that are given", () => {
    const heap = Heap.create();
    const vec = new Vec(heap, Named);
    vec.push({ name: "old", at: { x: 1 } });
    expect(vec.replace(0, { name: "new" })).toEqual({ name: "old", at: { x: 1, y: 0 }, list: [0, 0] });
    expect(JSON.parse(JSON.stringify(vec.get(0)))).toEqual({ name: "new", at: { x: 1, y: 0 }, list: [0, 0] });
    const columns = new Columns(heap, Named);
    columns.push({ name: "old" });
    expect(columns.replace(0, { name: "new" }).name).toBe("old");
    expect(columns.at(0).name).toBe("new");
    const numbers = new Vec(heap, f64);
    numbers.push(1);
    expect([numbers.replace(0, 2), numbers.get(0)]).toEqual([1, 2]);
    expect(() => numbers.replace(1, 2)).toThrow("index: expected an integer from 0 to 0, got 1");
    expect(() => columns.replace(0, { name: 5 as never })).toThrow(TypeError);
  });
});
