// Bits: what is written into a bit field is cut to its width, and its neighbours stay. (Where they lie: layout-clang.test.ts.)

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  array,
  bits,
  bool,
  f32,
  fieldPtr,
  Heap,
  i8,
  i32,
  i64,
  struct,
  u8,
  u32,
  u64,
  union,
} from "../../src/index.ts";

const heap = Heap.create();

describe("a bit field", () => {
  it("changes no other bit, at any place and width", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 31 }),
        fc.integer({ min: 1, max: 32 }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.boolean(),
        (skip, width, value, ones) => {
          const T = struct(
            { skip: bits(u32, skip), it: bits(u32, width), rest: bits(u32, 32) },
            { packed: true },
          );
          const ref = heap.new(T);
          heap.u8(ref.ptr, T.size).fill(ones ? 0xff : 0);
          const before = heap.read(T, ref.ptr);
          ref.it = value;
          const cut = Number(BigInt.asUintN(width, BigInt(value)));
          expect(heap.read(T, ref.ptr)).toEqual({ ...before, it: cut });
          heap.delete(ref);
        },
      ),
    );
  });

  it("of a signed type is signed: i32 : 3 goes from -4 to 3", () => {
    const ref = heap.new(struct({ a: bits(i32, 3), b: bits(i64, 3), c: bits(i8, 1) }));
    for (const [given, read] of [
      [3, 3],
      [4, -4],
      [-4, -4],
      [-5, 3],
      [9, 1],
    ] as const) {
      ref.a = given;
      ref.b = BigInt(given);
      expect([ref.a, ref.b]).toEqual([read, BigInt(read)]);
    }
    ref.c = 1;
    expect(ref.c).toBe(-1);
  });

  it("of a 64-bit type takes and gives bigints, of bool booleans", () => {
    const ref = heap.new(struct({ a: bits(u64, 61), b: bits(bool, 1) }), { a: 2n ** 61n - 1n, b: true });
    expect([ref.a, ref.b]).toEqual([2n ** 61n - 1n, true]);
    ref.b = false;
    expect([ref.a, ref.b]).toEqual([2n ** 61n - 1n, false]);
  });

  it("drops a fraction, as C's conversion does", () => {
    const ref = heap.new(struct({ a: bits(i32, 5), b: bits(u32, 32) }), { a: -2.9, b: 7.9 });
    expect([ref.a, ref.b]).toEqual([-2, 7]);
  });

  it("of width 0 is no field: it can be neither read nor given", () => {
    const T = struct({ a: bits(u32, 3), end: bits(u32, 0), b: bits(u32, 3) });
    expect(Object.keys(T.offsets)).toEqual(["a", "b"]);
    expect(() => heap.new(T, { end: 1 } as never)).toThrow(/no field "end"; it has a, b/);
  });
});

describe("bits", () => {
  it("refuses a type that is not one of whole numbers, and a width that the type has not", () => {
    expect(() => bits(f32, 3)).toThrow('bits: expected a type of whole numbers, got "f32"');
    expect(() => bits(null as never, 3)).toThrow("bits: expected a type of whole numbers, got undefined");
    for (const width of [-1, 9, 1.5, Number.NaN])
      expect(() => bits(u8, width)).toThrow(`bits: expected a width from 0 to 8 for u8, got ${width}`);
    expect(() => bits(bool, 2)).toThrow("from 0 to 1 for bool");
  });

  it("has a place in structs only, and no address", () => {
    const three = bits(u32, 3);
    expect(() => array(three, 4)).toThrow("array: expected elements of whole bytes, got a bit field");
    expect(() => union({ three })).toThrow("union: expected a type of whole bytes, got a bit field");
    expect(() => heap.newArray(three, 4)).toThrow(
      "newArray: expected a type of whole bytes, got a bit field",
    );
    const T = struct({ three });
    const { ptr } = heap.new(T);
    expect(() => fieldPtr(T, ptr, "three")).toThrow('"three" is a bit field, which has no address');
  });
});
