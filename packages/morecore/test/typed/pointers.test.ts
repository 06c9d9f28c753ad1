// Pointers: raw ones are numbers that know a type at compile time; fields read as references, or null.

import { describe, expect, it } from "vitest";
import {
  add,
  cast,
  distance,
  f64,
  fieldPtr,
  Heap,
  i32,
  isNull,
  NULL,
  PointerError,
  type Ptr,
  pointer,
  rawPointer,
  same,
  struct,
  sub,
  UseAfterFreeError,
  u8,
  u16,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Node = struct({ value: i32, next: pointer(() => Node), raw: rawPointer(() => Node) }, { name: "Node" });
const heap = Heap.create();

describe("arithmetic", () => {
  const p = 4096 as Ptr<typeof Point>;

  it("counts elements, as in C", () => {
    expect([add(Point, p, 3), add(Point, p, -1), sub(Point, p, 2), sub(Point, p, -2)]).toEqual([
      4144, 4080, 4064, 4128,
    ]);
    expect(distance(Point, p, add(Point, p, 7))).toBe(7);
    expect(distance(Point, add(Point, p, 7), p)).toBe(-7);
  });

  it("wraps at 2^32", () => {
    expect(add(Point, 0xffff_fff0 as typeof p, 2)).toBe(16);
    expect(sub(Point, p, 257)).toBe(0xffff_fff0);
  });

  it("refuses a distance that is no whole number of elements", () => {
    const odd = (p + 24) as typeof p;
    expect(() => distance(Point, p, odd)).toThrow(PointerError);
    expect(() => distance(Point, p, odd)).toThrow("pointer to Point: 24 bytes are no whole number of 16");
  });

  it("has one null for all types", () => {
    expect([isNull(NULL), isNull(p), Number(NULL)]).toEqual([true, false, 0]);
    const none: Ptr<typeof Node> = NULL;
    expect(isNull(none)).toBe(true);
  });

  it("casts without a check, and finds fields by name", () => {
    expect(cast(u16, p)).toBe(4096);
    expect(fieldPtr(Point, p, "y")).toBe(4104);
    expect(() => fieldPtr(Point, p, "z" as "y")).toThrow('field: Point has no field "z"');
    expect(() => fieldPtr(Point, p, "toString" as "y")).toThrow('field: Point has no field "toString"');
  });
});

describe("a pointer field", () => {
  it("reads as null, or as a reference to what was put in", () => {
    const [a, b] = [heap.new(Node, { value: 1 }), heap.new(Node, { value: 2 })];
    expect(a.next).toBeNull();
    a.next = b;
    expect(a.next?.value).toBe(2);
    expect(same(a.next, b)).toBe(true);
    b.next = a;
    expect(a.next?.next?.value).toBe(1);
    a.next = null;
    expect(a.next).toBeNull();
  });

  it("takes no reference to another type, no number and nothing undefined, and stays", () => {
    const [a, b] = [heap.new(Node, { value: 1 }), heap.new(Node, { value: 2 })];
    a.next = b;
    for (const wrong of [heap.new(Point), 16, undefined, {}, "x"])
      expect(() => Reflect.set(a, "next", wrong)).toThrow("expected a reference to Node, or null");
    expect(a.next?.value).toBe(2);
  });

  it("takes no reference that has ended", () => {
    const [a, b] = [heap.new(Node), heap.new(Node)];
    heap.delete(b);
    expect(() => {
      a.next = b;
    }).toThrow(UseAfterFreeError);
  });

  it("takes no reference to another memory, whose addresses mean nothing here", () => {
    const other = Heap.create().new(Node);
    const a = heap.new(Node);
    expect(() => {
      a.next = other;
    }).toThrow("expected a reference to Node in the same memory, got one in another");
    const Pair = struct({ node: Node });
    const pair = heap.new(Pair);
    const theirs = other.next;
    expect(theirs).toBeNull();
    // A struct without references in it may come from anywhere; one with them is refused.
    pair.node = other;
    other.next = other;
    expect(() => {
      pair.node = other;
    }).toThrow("in the same memory");
  });

  it("leads to a struct: another type is refused when it is used", () => {
    const T = struct({ p: pointer(() => u8) });
    const ref = heap.new(T);
    expect(() => Reflect.set(ref, "p", heap.new(Point))).toThrow("rawPointer takes any type");
    expect(() => pointer(Node as never)).toThrow("pointer: expected a function that gives a struct type");
  });
});

describe("a raw pointer field", () => {
  it("is the address, and 0 for none", () => {
    const a = heap.new(Node);
    expect(a.raw).toBe(0);
    a.raw = a.ptr;
    expect(heap.ref(Node, a.raw).raw).toBe(a.ptr);
  });
});
