// What is stale is seen: a union's value after another has taken its place, a view that would leave its scope, a part that is deleted.

import { describe, expect, it } from "vitest";
import { live } from "../../../../test/support/typed.ts";
import {
  array,
  assign,
  bits,
  cast,
  f64,
  Heap,
  HeapMisuseError,
  i32,
  pointer,
  struct,
  text,
  u8,
  u32,
  union,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });

describe("a reference to a union's value", () => {
  const Shape = union({ point: Point, label: text, list: array(i32, 2) });
  const Item = struct({ shape: Shape }, { name: "Item" });

  it("ends when another variant takes the value's place, and the new one is as it was given", () => {
    const heap = Heap.create({ checking: true });
    const item = heap.new(Item, { shape: { tag: "point", value: { x: 1 } } });
    const { shape } = item;
    if (shape.tag !== "point") throw new Error(shape.tag);
    const point = shape.value;
    assign(item, { shape: { tag: "label", value: "hello" } });
    expect(() => {
      point.x = 1e300;
    }).toThrow(
      /Point at 0x[0-9a-f]+: used after the variant point of union { point, label, list } had ended/,
    );
    expect(item.shape.value).toBe("hello");
    assign(item, { shape: { tag: "point", value: { x: 4 } } });
    expect(() => point.x).toThrow(/used after/);
    heap.delete(item);
    expect(live(heap)).toBe(0);
  });

  it("of an array ends, too; with another value of the same variant it goes on", () => {
    const heap = Heap.create({ checking: true });
    const item = heap.new(Item, { shape: { tag: "list", value: [1, 2] } });
    const { shape } = item;
    if (shape.tag !== "list") throw new Error(shape.tag);
    assign(item, { shape: { tag: "list", value: [3, 4] } });
    expect([...shape.value]).toEqual([3, 4]);
    assign(item, { shape: { tag: "label", value: "hello" } });
    expect(() => shape.value.set(0, 9)).toThrow(/used after the variant list/);
    expect(item.shape.value).toBe("hello");
  });

  it("within a value of a union within a union ends with either", () => {
    const heap = Heap.create({ checking: true });
    const Outer = struct({ it: union({ inner: Item, n: i32 }) });
    const outer = heap.new(Outer, {
      it: { tag: "inner", value: { shape: { tag: "point", value: { x: 1 } } } },
    });
    if (outer.it.tag !== "inner") throw new Error(outer.it.tag);
    const { shape } = outer.it.value;
    if (shape.tag !== "point") throw new Error(shape.tag);
    expect(shape.value.x).toBe(1);
    assign(outer, { it: { tag: "n", value: 0 } });
    expect(() => shape.value.x).toThrow(/used after/);
  });
});

describe("a view", () => {
  it("cannot leave its scope, by itself or in what is given back", () => {
    const heap = Heap.create({ checking: true });
    const rule = /scope: a view cannot leave it: .* got a Float64Array of 32 bytes; return view.slice\(\)/;
    const leave = (wrap: (view: unknown) => unknown) => () =>
      heap.scope((s) => wrap(s.newArray(f64, 4).view()));
    for (const wrap of [(v: unknown) => v, (v: unknown) => [v], (v: unknown) => ({ v })])
      expect(leave(wrap)).toThrow(rule);
    expect(live(heap)).toBe(0);
  });

  it("may leave a scope whose memory it is not over", () => {
    const heap = Heap.create({ checking: true });
    const kept = heap.newArray(f64, 2, [1, 2]);
    const copy = heap.scope((s) => s.newArray(f64, 2, [3, 4]).view().slice());
    const whole = heap.scope(() => kept.view());
    const outer = heap.scope((s) => {
      const mine = s.newArray(f64, 1, [5]);
      return s.scope(() => mine.view())[0];
    });
    expect([[...copy], [...whole], outer]).toEqual([[3, 4], [1, 2], 5]);
  });
});

describe("delete", () => {
  const Holder = struct({ list: array(i32, 4), point: Point }, { name: "Holder" });

  it("refuses an array that is a field or an element, and nothing has changed", () => {
    const heap = Heap.create();
    const holder = heap.new(Holder, { list: [1, 2, 3, 4] });
    const lists = heap.newArray(array(i32, 4), 2, [[5, 6, 7, 8]]);
    const rule =
      /delete: expected an array that was made by itself, got a i32\[\] that is a part of something larger/;
    expect(() => heap.delete(holder.list)).toThrow(rule);
    expect(() => heap.delete(lists.get(0))).toThrow(rule);
    expect([[...holder.list], [...lists.get(0)], live(heap)]).toEqual([[1, 2, 3, 4], [5, 6, 7, 8], 2]);
  });

  it("in an arena refuses a part at the end, so that nothing overlaps it", () => {
    const heap = Heap.create();
    const arena = heap.bump();
    const holder = arena.new(Holder, { point: { x: 1 } });
    expect(() => arena.delete(holder.point)).toThrow(/a Point that is a part of something larger/);
    arena.new(Point, { x: 42 });
    expect(holder.point.x).toBe(1);
  });

  it("through a pointer to a part is refused where its size shows it", () => {
    const heap = Heap.create({ checking: true });
    const Node = struct({ to: pointer(() => Point) });
    const Large = struct({ point: Point, rest: array(f64, 60) });
    const large = heap.new(Large, { point: { x: 3 } });
    const node = heap.new(Node, { to: large.point });
    const { to } = node;
    if (to === null) throw new Error("null");
    expect(() => heap.delete(to)).toThrow(HeapMisuseError);
    expect([large.point.x, live(heap)]).toEqual([3, 2]);
    const Named = struct({ name: text });
    const points = heap.newArray(Point, 4, [{ x: 5 }]);
    const names = heap.newArray(Named, 100, [{ name: "kept" }]);
    const rule = /expected all of a block/;
    expect(() => heap.delete(heap.ref(Point, cast(Point, points.ptr)))).toThrow(rule);
    expect(() => heap.delete(heap.refArray(Point, cast(Point, points.ptr), 2))).toThrow(rule);
    expect(() => heap.delete(heap.refArray(Named, cast(Named, names.ptr), 1))).toThrow(rule);
    expect([points.get(0).x, names.get(0).name]).toEqual([5, "kept"]);
  });

  it("gives back what was made by itself: arrays, and those from raw pointers", () => {
    const heap = Heap.create();
    const bytes = heap.newArray(u8, 10);
    heap.delete(heap.refArray(u8, bytes.ptr, 10));
    heap.delete(heap.newArray(Point, 3));
    expect(live(heap)).toBe(0);
  });

  it.each([false, true])("gives back arrays of any size, in a heap that is large; shared: %s", (shared) => {
    const heap = Heap.create({ shared, maximum: 1 << 24, checking: true });
    const large = heap.malloc(1 << 20);
    for (let length = 1; length <= 1100; length++) {
      const bytes = heap.newArray(u8, length);
      // A block is rounded to 16 bytes, and to 64 above 496 where threads share it: one of 65 less is another's.
      if (length > 65)
        expect(() => heap.delete(heap.refArray(u8, bytes.ptr, length - 65))).toThrow(
          /expected all of a block/,
        );
      heap.delete(heap.refArray(u8, bytes.ptr, length));
    }
    heap.free(large);
    expect(live(heap)).toBe(0);
  });
});

describe("a bit field", () => {
  it("takes what is no finite number for 0, however wide it is", () => {
    const heap = Heap.create();
    const ref = heap.new(struct({ a: bits(u32, 20), b: bits(u32, 32) }), { a: 5, b: 6 });
    ref.a = Number.NaN;
    ref.b = Number.NaN;
    expect([ref.a, ref.b]).toEqual([0, 0]);
    ref.b = Number.POSITIVE_INFINITY;
    expect(ref.b).toBe(0);
  });
});
