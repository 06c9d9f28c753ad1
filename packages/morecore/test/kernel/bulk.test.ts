import { describe, expect, it } from "vitest";
import { asPtr, type Ptr } from "../../src/kernel/address.ts";
import { bulkFree, independentCalloc, independentComalloc } from "../../src/kernel/bulk.ts";
import { DOUBLE_FREE, LISTED_TWICE, MISALIGNED, NOT_A_BLOCK } from "../../src/kernel/codes.ts";
import { Bench } from "./broken.ts";

const NONE: Ptr = asPtr(0);

/** A list of addresses in memory, as C hands one over. */
function listOf(b: Bench, ptrs: readonly number[]): Ptr {
  const list = b.heap.malloc(ptrs.length * 4);
  b.heap.u32(list, ptrs.length).set(ptrs);
  return asPtr(list);
}

describe("bulk_free, with its list in memory as in C", () => {
  it("frees all, skips zeros and clears the list", () => {
    const b = new Bench();
    const list = listOf(b, [b.heap.malloc(10), 0, b.heap.malloc(2000), b.heap.malloc(100)]);
    bulkFree(b.machine, b.base, list, 4);
    expect([...b.heap.u32(list, 4)]).toEqual([0, 0, 0, 0]);
    b.heap.check();
    b.heap.free(list);
    b.heap.trim();
    expect(b.heap.mallinfo().ordblks).toBe(1);
  });

  it("gives back the slabs that it leaves without a live block, also the current ones", () => {
    const b = new Bench();
    const ptrs = Array.from({ length: 100 }, (_, index) => b.heap.malloc((index % 8) * 32));
    const list = listOf(b, ptrs);
    bulkFree(b.machine, b.base, list, 100);
    expect(b.heap.mallinfo().smblks).toBe(0);
    b.heap.inspectAll(({ state }) => expect(state).not.toBe("overhead"));
    b.heap.check();
  });

  const BAD: readonly [string, number, (ptr: number) => number][] = [
    ["a block that stands there twice", LISTED_TWICE, (ptr) => ptr],
    ["an address inside a block", NOT_A_BLOCK, (ptr) => ptr + 16],
    ["an address that is no multiple of 16", MISALIGNED, (ptr) => ptr + 4],
  ];

  it.each(BAD.flatMap(([what, code, bad]) => [100, 1000].map((bytes) => [what, bytes, code, bad] as const)))(
    "refuses %s, of %i bytes, with nothing changed",
    (_, bytes, code, bad) => {
      const b = new Bench();
      const ptr = b.heap.calloc(1, bytes);
      const list = listOf(b, [ptr, b.heap.malloc(10), bad(ptr)]);
      const before = Buffer.from(new Uint8Array(b.heap.buffer));
      expect(() => bulkFree(b.machine, b.base, list, 3)).toThrow(expect.objectContaining({ code }));
      expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
      b.heap.check();
    },
  );

  it("refuses a slab's block that was freed before, and frees none of those listed with it", () => {
    const b = new Bench();
    const [one, two, three] = [b.heap.malloc(100), b.heap.malloc(100), b.heap.malloc(100)];
    const list = listOf(b, [one, three, two]);
    b.heap.free(two);
    const before = Buffer.from(new Uint8Array(b.heap.buffer));
    expect(() => bulkFree(b.machine, b.base, list, 3)).toThrow(
      expect.objectContaining({ code: DOUBLE_FREE, address: two }),
    );
    expect(before.equals(new Uint8Array(b.heap.buffer))).toBe(true);
    b.heap.free(one);
    b.heap.free(three);
    b.heap.check();
  });
});

describe("independent blocks, with the array given by the caller", () => {
  it("stores their addresses there and returns it", () => {
    const b = new Bench();
    const array = asPtr(b.heap.malloc(12));
    expect(independentCalloc(b.machine, b.base, 3, 20, array)).toBe(array);
    const [first = 0, second = 0, third = 0] = b.heap.u32(array, 3);
    expect([second - first, third - second]).toEqual([32, 32]);
    for (const ptr of [first, second, third, array]) b.heap.free(ptr);
    b.heap.check();
  });

  it("returns the array for no blocks at all, and 0 with nothing stored when the sum is too large", () => {
    const b = new Bench();
    const array = listOf(b, [7, 8]);
    expect(independentCalloc(b.machine, b.base, 0, 20, array)).toBe(array);
    expect(independentCalloc(b.machine, b.base, 0x1000_0000, 100, array)).toBe(NONE);
    expect(independentCalloc(b.machine, b.base, 2, 0x8000_0000, array)).toBe(NONE);
    const sizes = listOf(b, [0x7fff_ffff, 0x7fff_ffff]);
    expect(independentComalloc(b.machine, b.base, 2, sizes, array)).toBe(NONE);
    const tooLarge = listOf(b, [10, 0x8000_0000]);
    expect(independentComalloc(b.machine, b.base, 2, tooLarge, array)).toBe(NONE);
    expect([...b.heap.u32(array, 2)]).toEqual([7, 8]);
    b.heap.check();
  });

  it("cuts blocks of different sizes side by side into the caller's array", () => {
    const b = new Bench();
    const array = asPtr(b.heap.malloc(8));
    const sizes = listOf(b, [100, 10]);
    expect(independentComalloc(b.machine, b.base, 2, sizes, array)).toBe(array);
    const [first = 0, second = 0] = b.heap.u32(array, 2);
    expect([second - first, b.heap.usableSize(first), b.heap.usableSize(second)]).toEqual([112, 108, 12]);
    b.heap.bulkFree([first, second, array, sizes]);
    b.heap.check();
  });
});
