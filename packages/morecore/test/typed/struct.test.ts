// Struct: its layout, by hand (layout-clang.test.ts has the rest), and what it refuses, by name.

import { describe, expect, it } from "vitest";
import {
  array,
  assign,
  f64,
  Heap,
  i32,
  pointer,
  rawPointer,
  struct,
  text,
  u8,
  u32,
  union,
  utf8,
} from "../../src/index.ts";

const heap = Heap.create();

describe("struct", () => {
  it("lays out the fields as C does, and without padding where it is packed", () => {
    const T = struct({ a: u8, b: f64, c: u8 });
    expect([T.size, T.align, T.offsets]).toEqual([24, 8, { a: 0, b: 8, c: 16 }]);
    const P = struct({ a: u8, b: f64, c: u8 }, { packed: true });
    expect([P.size, P.align, P.offsets]).toEqual([10, 1, { a: 0, b: 1, c: 9 }]);
  });

  it("refuses options by name", () => {
    expect(() => struct({ a: u8 }, { pack: true } as never)).toThrow(
      'unknown option "pack"; known are name, packed',
    );
    expect(() => struct({ a: u8 }, { packed: "yes" } as never)).toThrow(
      'packed: expected a boolean, got "yes"',
    );
    expect(() => struct({ a: u8 }, { name: 1 } as never)).toThrow("name: expected a string, got 1");
    expect(() => struct({ a: u8 }, null as never)).toThrow("struct: expected options in an object, got null");
    expect(() => struct({ a: u8 }, { toString: 1 } as never)).toThrow('unknown option "toString"');
  });

  it("refuses what is no type, by the field's name", () => {
    expect(() => struct({ a: u8, b: 4 } as never)).toThrow('struct: field "b": expected a type, got 4');
    expect(() => struct({ a: { size: 4 } } as never)).toThrow('field "a": expected a type');
    expect(() => struct(null as never)).toThrow("struct: expected fields in an object, got null");
  });

  it("refuses names that references have themselves, and numbers, whose order JavaScript changes", () => {
    for (const name of ["ptr", "constructor", "toJSON"])
      expect(() => struct({ [name]: u8 })).toThrow(`a field cannot be named "${name}"`);
    expect(() => struct({ ["__proto__"]: u8 })).toThrow('a field cannot be named "__proto__"');
    expect(() => struct({ "1": u8 })).toThrow('a field\'s name cannot be a number, got "1"');
  });

  it("refuses owned texts and unions in a packed one", () => {
    expect(() => struct({ t: text }, { packed: true })).toThrow(
      "a packed one cannot have a field of type text",
    );
    expect(() => struct({ s: struct({ t: text }) }, { packed: true })).toThrow("of type text");
    expect(() => struct({ u: union({ a: u8 }) }, { packed: true })).toThrow("of type union { a }");
  });

  it("refuses more than 2^30 bytes", () => {
    const half = array(u8, 2 ** 29);
    expect(() => struct({ a: half, b: half, c: u8 })).toThrow("struct: expected at most 1073741824 bytes");
  });

  it("reaches every field of a struct inside a packed one, which is not aligned there", () => {
    const Inner = struct({
      a: u8,
      f: f64,
      list: array(u32, 2),
      p: pointer(() => Inner),
      r: rawPointer(() => u8),
      s: utf8(3),
    });
    const T = struct({ head: u8, inner: Inner, all: array(Inner, 2) }, { packed: true });
    expect([T.align, T.size]).toEqual([1, 1 + 3 * Inner.size]);
    const ref = heap.new(T);
    const target = heap.new(Inner, { a: 9 });
    for (const it of [ref.inner, ref.all.get(1)]) {
      it.f = 0.5;
      it.list.set(1, 77);
      it.p = target;
      it.r = 1234 as never;
      it.s = "xyz";
      expect([it.f, it.list.get(1), it.p?.a, it.r, it.s]).toEqual([0.5, 77, 9, 1234, "xyz"]);
      expect(() => it.list.view()).toThrow("view: expected an aligned address");
    }
    expect(ref.head).toBe(0);
    // From the one that is aligned, and back.
    ref.inner = target;
    expect(ref.inner.a).toBe(9);
    ref.inner.a = 3;
    assign(target, ref.inner as never);
    expect(target.a).toBe(3);
  });
});

describe("a struct's value", () => {
  const Point = struct({ x: f64, y: f64 }, { name: "Point" });
  const Line = struct({ from: Point, to: Point }, { name: "Line" });

  it("is made from a part of the fields; the others are zero, or stay", () => {
    const line = heap.new(Line, { to: { y: 2 } });
    expect(line).toMatchObject({ from: { x: 0, y: 0 }, to: { x: 0, y: 2 } });
    line.to = { x: 1 } as never;
    expect(line.to).toMatchObject({ x: 1, y: 2 });
    assign(line, { from: { x: 7 } });
    expect(heap.read(Line, line.ptr)).toEqual({ from: { x: 7, y: 0 }, to: { x: 1, y: 2 } });
  });

  it("is copied from another of its type, from overlapping bytes, and from another memory", () => {
    const line = heap.new(Line, { from: { x: 1, y: 2 } });
    line.to = line.from;
    line.from.x = 9;
    expect(line.to).toMatchObject({ x: 1, y: 2 });
    line.to = Heap.create().new(Point, { x: 5 });
    expect(line.to).toMatchObject({ x: 5, y: 0 });
  });

  it("refuses fields that are not there, other types, and what is no object", () => {
    expect(() => heap.new(Point, { z: 1 } as never)).toThrow('Point: no field "z"; it has x, y');
    const line = heap.new(Line);
    expect(() => Reflect.set(line, "to", 7)).toThrow(
      "Point: expected its fields in an object, or a reference, got 7",
    );
    expect(() => Reflect.set(line, "to", line)).toThrow("Point: expected a reference to it, got");
  });

  it("is not taken from a struct of the same fields with another layout", () => {
    const fields = { a: u8, b: u32 };
    const [Loose, Packed] = [struct(fields), struct(fields, { packed: true })];
    const Both = struct({ loose: Loose, packed: Packed });
    const both = heap.new(Both, { packed: { a: 1, b: 2 } });
    expect(() => {
      both.loose = both.packed as never;
    }).toThrow("expected a reference to it");
    heap.check();
  });

  it("may have any other name for a field", () => {
    const Odd = struct({ catch: i32, valueOf: i32, hasOwnProperty: i32, "": i32, "ü x": i32 });
    const odd = heap.new(Odd, { catch: 1, valueOf: 2, hasOwnProperty: 3, "": 4, "ü x": 5 });
    expect([odd.catch, odd.valueOf, odd.hasOwnProperty, odd[""], odd["ü x"]]).toEqual([1, 2, 3, 4, 5]);
  });

  it("reads fields of no bytes", () => {
    const T = struct({ s: utf8(0), none: array(u8, 0), empty: struct({}) });
    const ref = heap.new(T);
    expect([T.size, ref.s, ref.none.length, heap.read(T, ref.ptr)]).toEqual([
      0,
      "",
      0,
      { s: "", none: [], empty: {} },
    ]);
    heap.delete(ref);
    heap.check();
  });
});
