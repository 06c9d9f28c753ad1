// Array: elements by index, in order, within bounds; a typed array over them where they are scalars.

import { describe, expect, it } from "vitest";
import {
  array,
  assign,
  f32,
  Heap,
  i64,
  pointer,
  same,
  struct,
  UseAfterFreeError,
  u8,
  u16,
} from "../../src/index.ts";

const heap = Heap.create();
const Item = struct({ n: u16, next: pointer(() => Item) }, { name: "Item" });

describe("an array", () => {
  it("has its elements side by side, zero, or from what is iterable", () => {
    const list = heap.newArray(u16, 4, new Set([1, 2, 3]));
    expect([list.length, [...list], list.ptr % 2]).toEqual([4, [1, 2, 3, 0], 0]);
    expect([...heap.u16(list.ptr, 4)]).toEqual([1, 2, 3, 0]);
    list.set(3, 9);
    list.assign([7]);
    expect([...list]).toEqual([7, 2, 3, 9]);
    list.fill(5);
    expect(JSON.stringify(list)).toBe("[5,5,5,5]");
  });

  it("of structs gives references into itself", () => {
    const items = heap.newArray(Item, 3, [{ n: 1 }]);
    items.get(2).next = items.get(0);
    expect([items.get(2).next?.n, items.get(1).n]).toEqual([1, 0]);
    items.set(1, items.get(0));
    expect(items.get(1).n).toBe(1);
    expect(same(items.get(1), heap.ref(Item, (items.ptr + Item.size) as typeof items.ptr))).toBe(true);
  });

  it("in a struct is a part of it, arrays of arrays too", () => {
    const T = struct({ grid: array(array(u8, 3), 2) });
    const ref = heap.new(T, {
      grid: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    });
    expect([T.size, ref.grid.get(1).get(0)]).toEqual([6, 4]);
    assign(ref, { grid: [[9]] });
    expect(heap.read(T, ref.ptr)).toEqual({
      grid: [
        [9, 2, 3],
        [4, 5, 6],
      ],
    });
  });

  it("refuses an index that it has not", () => {
    const list = heap.newArray(u8, 2);
    for (const index of [-1, 2, 0.5, Number.NaN, 2 ** 32]) {
      expect(() => list.get(index)).toThrow(`index: expected an integer from 0 to 1, got ${index}`);
      expect(() => list.set(index, 0)).toThrow(RangeError);
    }
    expect(() => list.assign([1, 2, 3])).toThrow("array: expected at most 2 elements, got more");
    expect(() => list.assign(7 as never)).toThrow("array: expected something iterable, got 7");
  });

  it("refuses elements and counts that are none", () => {
    expect(() => array(null as never, 2)).toThrow("array: expected a type of elements, got null");
    for (const count of [-1, 0.5, 2 ** 30])
      expect(() => array(u16, count)).toThrow(`from 0 to 536870912, got ${count}`);
    expect(() => heap.newArray(u8, -1)).toThrow("count: expected an integer from 0 to 4294967295, got -1");
  });

  it("of scalars has a typed array over it; of others not", () => {
    const floats = heap.newArray(f32, 3, [1, 2, 3]);
    const view: Float32Array = floats.view();
    view[1] = 0.5;
    expect([...floats]).toEqual([1, 0.5, 3]);
    const longs: BigInt64Array = heap.newArray(i64, 1).view();
    expect(longs.length).toBe(1);
    expect(() => heap.newArray(Item, 1).view()).toThrow("view: expected elements of a scalar type, got Item");
  });

  it("has an end: deleted, it throws at each use", () => {
    const list = heap.newArray(u8, 2);
    heap.delete(list);
    for (const use of [
      () => list.get(0),
      () => list.set(0, 1),
      () => list.ptr,
      () => list.view(),
      () => heap.delete(list),
    ])
      expect(use).toThrow(UseAfterFreeError);
    expect(() => [...list]).toThrow(/^u8\[\] at 0x[0-9a-f]+: used after it was deleted$/);
    expect(() => JSON.stringify(list)).toThrow(UseAfterFreeError);
  });
});
