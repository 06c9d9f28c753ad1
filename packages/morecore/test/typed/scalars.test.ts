// Scalars: each keeps what fits, converts the rest as C does, and is read alike where it is not aligned.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bool, f32, f64, Heap, i8, i16, i32, i64, struct, u8, u16, u32, u64 } from "../../src/index.ts";

const heap = Heap.create();
const NUMBERS = { u8, i8, u16, i16, u32, i32 };

/** What C makes of a number in a type of this many bits. */
function cut(name: string, value: number): number {
  const count = Number(name.slice(1));
  const whole = BigInt(value);
  return Number(name.startsWith("i") ? BigInt.asIntN(count, whole) : BigInt.asUintN(count, whole));
}

describe.each([
  { title: "aligned", packed: false },
  { title: "at an odd address", packed: true },
])("$title", ({ packed }) => {
  it.each(Object.entries(NUMBERS))("%s keeps the lowest bits of a whole number", (name, type) => {
    const T = struct({ before: u8, value: type }, { packed });
    const ref = heap.new(T);
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (value) => {
        ref.value = value;
        expect(ref.value).toBe(cut(name, value));
      }),
    );
    expect(ref.before).toBe(0);
  });

  it.each([
    { name: "u64", type: u64, wrap: (value: bigint) => BigInt.asUintN(64, value) },
    { name: "i64", type: i64, wrap: (value: bigint) => BigInt.asIntN(64, value) },
  ])("$name keeps the lowest 64 bits of a bigint, and refuses a number", ({ type, wrap }) => {
    const ref = heap.new(struct({ before: u8, value: type }, { packed }));
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
        ref.value = value;
        expect(ref.value).toBe(wrap(value));
      }),
    );
    const before = ref.value;
    expect(() => Reflect.set(ref, "value", 1)).toThrow(TypeError);
    expect(ref.value).toBe(before);
  });

  it("floats are rounded to their precision, and keep NaN, -0 and the infinities", () => {
    const ref = heap.new(struct({ before: u8, single: f32, double: f64 }, { packed }));
    for (const value of [0.1, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      ref.single = value;
      ref.double = value;
      expect(ref.single).toBe(Math.fround(value));
      expect(ref.double).toBe(value);
    }
  });

  it("a bool is one byte, 0 or 1, and any other byte reads as true", () => {
    const ref = heap.new(struct({ before: u8, value: bool }, { packed }));
    ref.value = true;
    expect([heap.u8(ref.ptr, 2)[1], ref.value]).toEqual([1, true]);
    heap.u8(ref.ptr, 2)[1] = 200;
    expect(ref.value).toBe(true);
    ref.value = false;
    expect([heap.u8(ref.ptr, 2)[1], ref.value]).toEqual([0, false]);
  });
});

it("all are little-endian", () => {
  const ref = heap.new(struct({ a: u32, b: u64, c: u16 }), {
    a: 0x0403_0201,
    b: 0x0807_0605_0403_0201n,
    c: 0x0201,
  });
  const bytes = heap.u8(ref.ptr, 18);
  expect([...bytes.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
  expect([...bytes.subarray(8, 16)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...bytes.subarray(16, 18)]).toEqual([1, 2]);
});
