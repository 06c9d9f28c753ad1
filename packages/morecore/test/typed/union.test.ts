// Union: reads as its tag and the value; another variant takes the place of the old one only when it can be made.

import { describe, expect, it } from "vitest";
import { live, starved } from "../../../../test/support/typed.ts";
import {
  array,
  assign,
  f64,
  Heap,
  i32,
  OutOfMemoryError,
  pointer,
  struct,
  text,
  u8,
  union,
  utf8,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Shape = union({ none: u8, circle: f64, line: Point, name: text });
const Item = struct({ kind: Shape, id: i32 }, { name: "Item" });

describe("a union", () => {
  it("of zeros is the first variant", () => {
    const heap = Heap.create();
    expect(heap.new(Item).kind).toEqual({ tag: "none", value: 0 });
  });

  it("is read and written by tag, nested structs in place", () => {
    const heap = Heap.create();
    const item = heap.new(Item, { kind: { tag: "line", value: { x: 1 } } });
    const { kind } = item;
    if (kind.tag !== "line") throw new Error(kind.tag);
    kind.value.y = 2;
    expect(heap.read(Item, item.ptr).kind).toEqual({ tag: "line", value: { x: 1, y: 2 } });
    assign(item, { kind: { tag: "line", value: { y: 3 } } });
    expect(heap.read(Item, item.ptr).kind).toEqual({ tag: "line", value: { x: 1, y: 3 } });
    assign(item, { kind: { tag: "circle", value: 4 } });
    assign(item, { kind: { tag: "line", value: {} } });
    expect(heap.read(Item, item.ptr).kind).toEqual({ tag: "line", value: { x: 0, y: 0 } });
  });

  it("frees what the old variant owned, and with the struct what it owns", () => {
    const heap = Heap.create();
    const item = heap.new(Item, { kind: { tag: "name", value: "a long name indeed" } });
    expect(live(heap)).toBe(2);
    assign(item, { kind: { tag: "circle", value: 1 } });
    expect(live(heap)).toBe(1);
    assign(item, { kind: { tag: "name", value: "another" } });
    assign(item, { kind: { tag: "name", value: "and one more" } });
    expect([live(heap), item.kind]).toEqual([2, { tag: "name", value: "and one more" }]);
    heap.delete(item);
    expect(live(heap)).toBe(0);
    heap.check();
  });

  it("frees the owned text of one struct variant when another takes its place", () => {
    const heap = Heap.create();
    const Named = struct({ name: text, n: i32 });
    const T = struct({ it: union({ a: Named, b: array(text, 2) }) });
    const ref = heap.new(T, { it: { tag: "a", value: { name: "one", n: 1 } } });
    assign(ref, { it: { tag: "b", value: ["two", "three"] } });
    expect([live(heap), JSON.stringify(ref)]).toEqual([3, '{"it":{"tag":"b","value":["two","three"]}}']);
    assign(ref, { it: { tag: "a", value: { name: "four" } } });
    expect(live(heap)).toBe(2);
    heap.delete(ref);
    expect(live(heap)).toBe(0);
    heap.check();
  });

  it("stays as it was where the new value cannot be made", () => {
    const heap = Heap.create();
    const U = union({ name: text, two: struct({ name: text, id: utf8(2) }, { name: "Two" }) });
    const ref = heap.new(struct({ it: U }), { it: { tag: "name", value: "kept" } });
    const before = live(heap);
    expect(() => {
      assign(ref, { it: { tag: "two", value: { name: "made and freed", id: "too long" } } });
    }).toThrow("utf8(2): expected at most 2 bytes, got 8");
    expect([ref.it, live(heap)]).toEqual([{ tag: "name", value: "kept" }, before]);
    starved(heap, () => {
      expect(() => {
        assign(ref, { it: { tag: "two", value: { name: "x".repeat(5000) } } });
      }).toThrow(OutOfMemoryError);
    });
    expect([ref.it, live(heap)]).toEqual([{ tag: "name", value: "kept" }, before]);
    heap.delete(ref);
    heap.check();
  });

  it("takes a reference into its own old variant", () => {
    const heap = Heap.create();
    const T = struct({ it: union({ a: Point, b: Point }) });
    const ref = heap.new(T, { it: { tag: "a", value: { x: 1, y: 2 } } });
    assign(ref, { it: { tag: "b", value: ref.it.value } });
    expect(heap.read(T, ref.ptr)).toEqual({ it: { tag: "b", value: { x: 1, y: 2 } } });
  });

  it("can hold pointers", () => {
    const heap = Heap.create();
    const Tree = struct({ it: union({ leaf: i32, node: pointer(() => Item) }) });
    const tree = heap.new(Tree);
    const item = heap.new(Item, { id: 7 });
    assign(tree, { it: { tag: "node", value: item } });
    if (tree.it.tag === "node") expect(tree.it.value?.id).toBe(7);
    expect(heap.read(Tree, tree.ptr)).toEqual({ it: { tag: "node", value: item.ptr } });
  });

  it("refuses tags that it has not, and what has no tag", () => {
    const heap = Heap.create();
    const item = heap.new(Item);
    expect(() => Reflect.set(item, "kind", { tag: "square", value: 1 })).toThrow(
      'expected a tag of none, circle, line, name, got "square"',
    );
    for (const wrong of [7, null, { tag: "circle" }, { value: 1 }])
      expect(() => Reflect.set(item, "kind", wrong)).toThrow("expected an object with tag and value");
    heap.u32(item.ptr, 1)[0] = 9;
    expect(() => item.kind).toThrow(/the tag at 0x[0-9a-f]+ is 9, no variant/);
  });

  it("refuses no variants, and what is no type", () => {
    expect(() => union({})).toThrow("union: expected at least one variant, got none");
    expect(() => union({ a: 4 } as never)).toThrow("union: expected types of variants, got 4");
  });
});
