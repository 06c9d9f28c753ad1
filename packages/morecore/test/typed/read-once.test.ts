// What is given for a value is read once, whole, before anything is written: it may run any code, and that may change anything.

import { describe, expect, it } from "vitest";
import { live } from "../../../../test/support/typed.ts";
import {
  array,
  assign,
  Columns,
  f64,
  fieldsOf,
  HashMap,
  Heap,
  i32,
  pointer,
  struct,
  text,
  u8,
  union,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });

/** An iterable that runs a function between its first value and the others. */
function* interrupted(values: readonly number[], meanwhile: () => void): Generator<number> {
  yield values[0] as number;
  meanwhile();
  yield* values.slice(1);
}

describe("what a value is made from is read once", () => {
  it("a getter is called once for each time that it is written", () => {
    const heap = Heap.create();
    let calls = 0;
    const ref = heap.new(Point, {
      get x() {
        calls++;
        return 5;
      },
    });
    expect([ref.x, calls]).toEqual([5, 1]);
  });

  it("what cannot be read takes no memory", () => {
    const heap = Heap.create();
    const Bad = struct({ name: text, list: array(u8, 2) });
    expect(() => heap.new(Bad, { name: "taken", list: [1, 2, 3] })).toThrow(/expected at most 2 elements/);
    expect(live(heap)).toBe(0);
  });

  it("endless values are refused when one too many has come", () => {
    const heap = Heap.create();
    const endless = function* (): Generator<number> {
      for (;;) yield 1;
    };
    expect(() => heap.new(struct({ a: array(u8, 4) }), { a: endless() })).toThrow(RangeError);
  });

  it("a field whose struct is deleted meanwhile is not written", () => {
    const heap = Heap.create({ checking: true });
    const Holder = struct({ a: array(i32, 4) }, { name: "Holder" });
    const ref = heap.new(Holder);
    const values = interrupted([1, 2, 3, 4], () => {
      heap.delete(ref);
      heap.newArray(i32, 4, [7, 7, 7, 7]);
    });
    expect(() => assign(ref, { a: values })).toThrow(/used after it was deleted/);
    const next = heap.new(Holder);
    let other = heap.newArray(i32, 4);
    const more = interrupted([1, 2, 3, 4], () => {
      heap.delete(next);
      other = heap.newArray(i32, 4, [7, 7, 7, 7]);
    });
    expect(() => Object.assign(next, { a: more })).toThrow(/used after it was deleted/);
    expect([...other]).toEqual([7, 7, 7, 7]);
  });

  it("a number that is an object becomes one before the field is looked for", () => {
    const heap = Heap.create({ checking: true });
    const ref = heap.new(Point);
    const given = {
      valueOf: () => {
        heap.delete(ref);
        return 1;
      },
    };
    expect(() => {
      ref.x = given as unknown as number;
    }).toThrow(/used after it was deleted/);
  });

  it("a union's value that comes from the union itself is whole", () => {
    const heap = Heap.create();
    const Shape = union({ point: Point, other: Point, name: text });
    const ref = heap.new(struct({ shape: Shape }), { shape: { tag: "point", value: { x: 1, y: 2 } } });
    const { shape } = ref;
    if (shape.tag === "point") ref.shape = { tag: "other", value: shape.value };
    expect(JSON.stringify(ref.shape)).toBe('{"tag":"other","value":{"x":1,"y":2}}');
  });
});

describe("an object of a class", () => {
  class Inherited {
    get x() {
      return 1;
    }
    get y() {
      return 2;
    }
  }

  it("is read by its getters, as a struct and as a key", () => {
    const heap = Heap.create();
    const ref = heap.new(Point, new Inherited());
    expect([ref.x, ref.y]).toEqual([1, 2]);
    const map = new HashMap(heap, Point, i32).set(new Inherited(), 7);
    map.check();
    expect([map.get({ x: 1, y: 2 }), JSON.stringify([...map.keys()])]).toEqual([7, '[{"x":1,"y":2}]']);
  });

  it("that has none of the fields is refused: a promise that nobody waited for, a map", () => {
    const heap = Heap.create();
    const rule =
      /Point: expected its fields in an object, or a reference, got an object of class \w+ that has none/;
    for (const wrong of [Promise.resolve({ x: 1 }), new Map([["x", 1]]), new Date(0), []])
      expect(() => heap.new(Point, wrong as object)).toThrow(rule);
  });
});

describe("a reference that was spread", () => {
  const Node = struct({ x: i32, y: f64, next: pointer(() => Point) }, { name: "Node" });

  it("is refused: its fields are in the memory", () => {
    const heap = Heap.create();
    const ref = heap.new(Node, { x: 5, y: 6 });
    const rule = /Node: a reference's fields are not copied by spreading it or by Object.assign/;
    expect(() => heap.new(Node, { ...ref, x: 1 } as { x: number })).toThrow(rule);
    expect(() => assign(ref, Object.assign({}, ref))).toThrow(rule);
    expect(() => heap.newArray(Node, 1, [{ ...ref }])).toThrow(rule);
  });

  it("can be had as its fields", () => {
    const heap = Heap.create();
    const at = heap.new(Point, { x: 3 });
    const ref = heap.new(Node, { x: 5, y: 6, next: at });
    const made = heap.new(Node, { ...fieldsOf(ref), x: 1 });
    expect([made.x, made.y, made.next?.x]).toEqual([1, 6, 3]);
    const columns = new Columns(heap, Point);
    columns.push({ x: 7, y: 8 });
    columns.push({ ...fieldsOf(columns.at(0)), y: 9 });
    expect(JSON.stringify(columns)).toBe('[{"x":7,"y":8},{"x":7,"y":9}]');
  });
});
