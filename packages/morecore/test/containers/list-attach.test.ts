// List attach: what Vec.attach and Columns.attach refuse: other types, earlier versions, headers that cannot be.

import { describe, expect, it } from "vitest";
import { Columns, f64, Heap, i32, PointerError, struct, text, Vec } from "../../src/index.ts";

const Item = struct({ name: text, count: f64 }, { name: "Item" });

describe("attach", () => {
  const Texts = struct({ a: text, b: i32 }, { name: "Texts" });

  it("refuses elements of another type, though they have the same size", () => {
    const heap = Heap.create();
    const numbers = new Vec(heap, f64);
    numbers.push(1.5);
    expect(() => Vec.attach(heap, text, numbers.ptr as never)).toThrow(
      "pointer to Vec<text>: its elements are of another type, or have other fields",
    );
    const columns = new Columns(heap, struct({ x: f64, y: i32 }));
    expect(() => Columns.attach(heap, Texts as never, columns.ptr as never)).toThrow(/of another type/);
    expect(() => Vec.attach(heap, f64, columns.ptr as never)).toThrow(/the magic number is missing/);
    expect(Vec.attach(heap, f64, numbers.ptr).get(0)).toBe(1.5);
  });

  it("refuses by name what an earlier version has made", () => {
    const heap = Heap.create();
    for (const [magic, attach] of [
      [0x4345_564d, (ptr: number) => Vec.attach(heap, i32, ptr as never)],
      [0x4c4f_434d, (ptr: number) => Columns.attach(heap, Texts, ptr as never)],
    ] as const) {
      const header = heap.newArray(i32, 5, [magic, 4, 0, 0, 0]);
      expect(() => attach(header.ptr)).toThrow("it was made by an earlier version of morecore");
    }
  });

  const word = (heap: Heap, at: number, value: number) => {
    heap.u32(at, 1)[0] = value;
  };
  it.each([
    ["a length beyond the capacity", 12, 9, /length 9 and capacity 8 cannot be/],
    ["no elements for a capacity", 8, 0, /32 bytes at 0x0 cannot be/],
    ["elements that are not aligned", 8, 0x1002, /32 bytes at 0x1002 cannot be/],
    ["elements beyond the memory", 8, 0xffff_fff0, /length 3 and capacity 8 cannot be/],
    ["more than 2^32 bytes", 16, 0x4000_0001, /capacity 1073741825 cannot be/],
    ["a gap that cannot be", 32, 5, /its gap 5 cannot be/],
  ])("refuses a Vec's header with %s", (_, offset, value, rule) => {
    const heap = Heap.create();
    const vec = new Vec(heap, i32, 8);
    vec.extend([1, 2, 3]);
    word(heap, vec.ptr + offset, value);
    expect(() => Vec.attach(heap, i32, vec["header"] as never)).toThrow(PointerError);
    expect(() => Vec.attach(heap, i32, vec["header"] as never)).toThrow(rule);
  });

  it("refuses elements that lie over the header", () => {
    const heap = Heap.create();
    const vec = new Vec(heap, i32, 8);
    word(heap, vec.ptr + 8, vec.ptr + 16);
    expect(() => vec.check()).not.toThrow();
    expect(() => Vec.attach(heap, i32, vec["header"] as never)).toThrow(/cannot be/);
  });

  it.each([
    ["null", 0, /bytes at 0x0 cannot be/],
    ["no multiple of 16", 0x1008, /at 0x1008 cannot be/],
    ["beyond the memory", 0xffff_0000, /at 0xffff0000 cannot be/],
  ])("refuses Columns with a column's address that is %s", (_, value, rule) => {
    const heap = Heap.create();
    const columns = new Columns(heap, Item, 8);
    const { ptr } = columns;
    for (const index of [0, 1]) {
      const place = ptr + 36 + 4 * index;
      const was = heap.u32(place, 1)[0] as number;
      word(heap, place, value);
      expect(() => Columns.attach(heap, Item, ptr)).toThrow(rule);
      word(heap, place, was);
    }
    const [first] = heap.u32(ptr + 36, 1);
    word(heap, ptr + 40, (first as number) + 16);
    expect(() => Columns.attach(heap, Item, ptr)).toThrow(/cannot be/);
  });
});
