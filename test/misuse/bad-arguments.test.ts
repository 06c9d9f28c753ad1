import type { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { expectOneTop, filled, smallHeap, thrownBy } from "./refusal.ts";

type Call = (heap: Heap, value: number, ptr: number) => unknown;

/** Every parameter of every method that takes a number: method, parameter, a call with only that one bad. */
const PARAMETERS: readonly [string, string, Call][] = [
  ["malloc", "bytes", (h, v) => h.malloc(v)],
  ["free", "ptr", (h, v) => h.free(v)],
  ["calloc", "count", (h, v) => h.calloc(v, 8)],
  ["calloc", "bytes", (h, v) => h.calloc(8, v)],
  ["realloc", "ptr", (h, v) => h.realloc(v, 8)],
  ["realloc", "bytes", (h, v, p) => h.realloc(p, v)],
  ["reallocInPlace", "ptr", (h, v) => h.reallocInPlace(v, 8)],
  ["reallocInPlace", "bytes", (h, v, p) => h.reallocInPlace(p, v)],
  ["reallocarray", "ptr", (h, v) => h.reallocarray(v, 2, 8)],
  ["reallocarray", "count", (h, v, p) => h.reallocarray(p, v, 8)],
  ["reallocarray", "bytes", (h, v, p) => h.reallocarray(p, 2, v)],
  ["memalign", "alignment", (h, v) => h.memalign(v, 8)],
  ["memalign", "bytes", (h, v) => h.memalign(64, v)],
  ["alignedAlloc", "alignment", (h, v) => h.alignedAlloc(v, 8)],
  ["alignedAlloc", "bytes", (h, v) => h.alignedAlloc(64, v)],
  ["posixMemalign", "result", (h, v) => h.posixMemalign(v, 64, 8)],
  ["posixMemalign", "alignment", (h, v, p) => h.posixMemalign(p, v, 8)],
  ["posixMemalign", "bytes", (h, v, p) => h.posixMemalign(p, 64, v)],
  ["freeSized", "ptr", (h, v) => h.freeSized(v, 8)],
  ["freeSized", "bytes", (h, v, p) => h.freeSized(p, v)],
  ["freeAlignedSized", "ptr", (h, v) => h.freeAlignedSized(v, 16, 8)],
  ["freeAlignedSized", "alignment", (h, v, p) => h.freeAlignedSized(p, v, 8)],
  ["freeAlignedSized", "bytes", (h, v, p) => h.freeAlignedSized(p, 16, v)],
  ["usableSize", "ptr", (h, v) => h.usableSize(v)],
  ["goodSize", "bytes", (h, v) => h.goodSize(v)],
  ["independentCalloc", "count", (h, v) => h.independentCalloc(v, 8)],
  ["independentCalloc", "bytes", (h, v) => h.independentCalloc(8, v)],
  ["independentComalloc", "sizes", (h, v) => h.independentComalloc([8, v, 8])],
  ["bulkFree", "ptrs", (h, v, p) => h.bulkFree([p, v])],
  ["trim", "pad", (h, v) => h.trim(v)],
  ["u8", "ptr", (h, v) => h.u8(v, 1)],
  ["u8", "count", (h, v, p) => h.u8(p, v)],
  ["i16", "ptr", (h, v) => h.i16(v, 1)],
  ["u32", "count", (h, v, p) => h.u32(p, v)],
  ["f32", "ptr", (h, v) => h.f32(v)],
  ["f64", "count", (h, v, p) => h.f64(p, v)],
  ["i64", "ptr", (h, v) => h.i64(v, 1)],
];

/** Parameters that may be left out: undefined is their default. */
const OPTIONAL = ["calloc bytes", "trim pad", "u8 count", "u32 count", "f64 count"];

const NUMBERS: readonly [number, string][] = [
  [-1, "-1"],
  [-(2 ** 31), "-2147483648"],
  [0.5, "0.5"],
  [100.25, "100.25"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [Number.NEGATIVE_INFINITY, "-Infinity"],
  [2 ** 32, "4294967296"],
  [2 ** 32 + 16, "4294967312"],
  [Number.MAX_SAFE_INTEGER, "9007199254740991"],
];

const OTHERS: readonly [unknown, string][] = [
  ["16", '"16"'],
  ["", '""'],
  [undefined, "undefined"],
  [null, "null"],
  [16n, "16n"],
  [true, "true"],
  [Symbol("sixteen"), "Symbol(sixteen)"],
  [{}, "an object of class Object"],
  [[16], "an object of class Array"],
  [Object.create(null), "an object of class null"],
  [{ valueOf: () => 16 }, "an object of class Object"],
  [() => 16, "a function"],
];

describe.each(PARAMETERS)("%s, argument %s", (method, name, call) => {
  it.each(NUMBERS)("refuses %d with a RangeError", (value, shown) => {
    const heap = smallHeap();
    const ptr = filled(heap, 100);
    const error = thrownBy(heap, () => call(heap, value, ptr));
    expect(error).toBeInstanceOf(RangeError);
    expect((error as RangeError).message).toBe(
      `${name}: expected an integer from 0 to 4294967295, got ${shown}`,
    );
    expectOneTop(heap, ptr);
  });

  it("refuses what is no number with a TypeError", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 100);
    for (const [value, shown] of OTHERS) {
      if (value === undefined && OPTIONAL.includes(`${method} ${name}`)) continue;
      // What JavaScript without types would pass.
      const error = thrownBy(heap, () => call(heap, value as number, ptr));
      expect(error).toBeInstanceOf(TypeError);
      expect((error as TypeError).message).toBe(`${name}: expected a number, got ${shown}`);
    }
    expectOneTop(heap, ptr);
  });
});

describe("an alignment", () => {
  it.each([0, 3, 5, 6, 7, 24, 100, 0xffff_ffff])("of %i is refused by alignedAlloc", (alignment) => {
    const heap = smallHeap();
    const error = thrownBy(heap, () => heap.alignedAlloc(alignment, 8));
    expect(error).toBeInstanceOf(RangeError);
    expect((error as RangeError).message).toBe(`alignment: expected a power of two, got ${alignment}`);
    expectOneTop(heap);
  });

  it.each([0, 1, 2, 3, 6, 24, 0xffff_ffff])("of %i is answered by posixMemalign with EINVAL", (alignment) => {
    const heap = smallHeap();
    const result = filled(heap, 16, 0x51);
    expect(heap.posixMemalign(result, alignment, 8)).toBe(22);
    expect(heap.u32(result, 1)[0]).toBe(0x5151_5151);
    expectOneTop(heap, result);
  });
});

describe("posixMemalign's result", () => {
  it.each([0, 1, 2, 3, 2049, 2050])("of %i is refused: no place for an address", (result) => {
    const heap = smallHeap();
    const error = thrownBy(heap, () => heap.posixMemalign(result, 64, 8));
    expect(error).toBeInstanceOf(RangeError);
    expect((error as RangeError).message).toBe(
      `result: expected a multiple of 4 that is not 0, got ${result}`,
    );
  });

  it.each([1 << 20, 0xffff_fffc])("of %i is refused: outside the memory", (result) => {
    const heap = smallHeap();
    const error = thrownBy(heap, () => heap.posixMemalign(result, 64, 8));
    expect(error).toBeInstanceOf(RangeError);
    expect((error as RangeError).message).toBe(
      `result: expected an address inside the memory, got ${result}`,
    );
  });
});
