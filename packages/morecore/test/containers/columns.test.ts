// Columns: beside arrays of objects, at random; and what is refused.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import {
  bits,
  Columns,
  f64,
  Heap,
  i32,
  OutOfMemoryError,
  struct,
  text,
  UseAfterFreeError,
  u8,
  u32,
} from "../../src/index.ts";

const Inner = struct({ a: u8, b: f64 }, { name: "Inner" });
const Body = struct({ x: f64, mass: i32, kind: u8, name: text, inner: Inner }, { name: "Body" });
const given = fc.record({
  x: fc.double({ noNaN: true }),
  mass: fc.integer({ min: -1000, max: 1000 }),
  name: fc.string(),
});
const steps = fc.array(
  fc.tuple(fc.constantFrom("push", "push", "push", "pop", "swapRemove", "set"), fc.nat(100), given),
  {
    maxLength: 80,
    size: "max",
  },
);

interface Plain {
  x: number;
  mass: number;
  kind: number;
  name: string;
  inner: { a: number; b: number };
}

function remove(list: Plain[], index: number): Plain | undefined {
  const taken = list[index];
  const last = list.pop();
  if (last !== undefined && index < list.length) list[index] = last;
  return taken;
}

describe("Columns", () => {
  it("hold what an array of objects holds, whatever is called", () => {
    const property = fc.property(steps, (program) => {
      const heap = Heap.create({ reserve: 0, advance: 0 });
      const columns = new Columns(heap, Body);
      const list: Plain[] = [];
      for (const [call, at, value] of program) {
        const index = list.length === 0 ? 0 : at % list.length;
        if (call === "push") {
          list.push({ ...value, kind: 0, inner: { a: at, b: 0 } });
          expect(columns.push({ ...value, inner: { a: at } })).toBe(list.length);
        } else if (list.length === 0) expect(columns.pop()).toBeUndefined();
        else if (call === "set") {
          const one = list[index] as Plain;
          one.x = value.x;
          one.name = value.name;
          const row = columns.at(index);
          row.x = value.x;
          row.name = value.name;
          row.inner.b = one.inner.b = value.mass;
        } else {
          const from = call === "pop" ? list.length - 1 : index;
          expect(call === "pop" ? columns.pop() : columns.swapRemove(index)).toEqual(remove(list, from));
        }
        expect(columns.toJSON()).toEqual(list);
      }
      expect(Array.from(columns.column("mass"))).toEqual(list.map(({ mass }) => mass));
      columns.dispose();
      heap.check();
      expect(liveBlocks(heap)).toBe(0);
    });
    fc.assert(property, { seed: seedOf("columns"), numRuns: 60 });
  });

  it("a cursor and a typed array see the same", () => {
    const columns = new Columns(Heap.create(), Body, 10);
    for (let index = 0; index < 100; index++) columns.push({ x: index, mass: 1 });
    columns.forEach((row, index) => {
      row.x += index;
    });
    expect(columns.column("x")[7]).toBe(14);
    columns.column("x").fill(2);
    expect([...columns].every((row) => row.x === 2)).toBe(true);
    const row = columns.cursor();
    row.index = 99;
    expect(row.x).toBe(2);
    expect(() => {
      row.index = 100;
    }).toThrow("index: expected an integer from 0 to 99, got 100");
    expect(() => columns.column("name")).toThrow(/scalar type/);
    expect(() => columns.column("no" as never)).toThrow('Body has no field "no"');
  });

  it("are found again by their address, in a copy of the memory", () => {
    const memory = new ArrayBuffer(1 << 20);
    const heap = Heap.create({ memory });
    const columns = new Columns(heap, Body);
    columns.push({ x: 5, name: "five" });
    const copy = Heap.attach(memory.slice(0), heap.base);
    const again = Columns.attach(copy, Body, columns.ptr);
    again.push({ name: "more" });
    expect(again.at(0).name).toBe("five");
    expect([again.length, columns.length]).toEqual([2, 1]);
    copy.check();
    const Other = struct({ x: f64 });
    expect(() => Columns.attach(copy, Other, columns.ptr as never)).toThrow(/bytes, expected 8/);
  });

  it("are as they were when there is no memory, and nothing of a failed push is kept", () => {
    const heap = Heap.create({ footprintLimit: 1 << 18 });
    const columns = new Columns(heap, Body);
    columns.push({ x: 1, name: "one" });
    const live = liveBlocks(heap);
    expect(() => columns.reserve(100_000)).toThrow(OutOfMemoryError);
    expect(() => columns.push({ name: 5 as never })).toThrow(TypeError);
    expect(() => columns.push({ other: 5 } as never)).toThrow('Body: no field "other"');
    expect(columns.toJSON()).toHaveLength(1);
    expect(liveBlocks(heap)).toBe(live);
    columns.dispose();
    expect(() => columns.push({})).toThrow(UseAfterFreeError);
  });

  it("take what lies in themselves, also when they grow for it", () => {
    const heap = Heap.create();
    const columns = new Columns(heap, Body);
    columns.push({ inner: { a: 7, b: 0.5 } });
    // The first one: of a block that is freed, the first words are written to.
    for (let index = 1; index < 300; index++) columns.push({ inner: columns.at(0).inner });
    expect([...columns].every(({ inner }) => inner.a === 7 && inner.b === 0.5)).toBe(true);
    columns.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("refuse bit fields and a field named index", () => {
    const heap = Heap.create();
    expect(() => new Columns(heap, struct({ a: bits(u32, 3) }))).toThrow(/cannot have the field "a"/);
    expect(() => new Columns(heap, struct({ index: u32 }))).toThrow(/cannot have the field "index"/);
    expect(() => new Columns(heap, struct({ $index: u32 }))).toThrow(/cannot have the field "\$index"/);
    expect(() => new Columns(heap, u32 as never)).toThrow("expected a struct type");
  });
});
