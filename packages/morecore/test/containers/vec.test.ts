// Vec: beside arrays, at random, in a heap that grows and in an arena; and what is refused.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import {
  type Allocator,
  array,
  bool,
  f64,
  Heap,
  i32,
  NULL,
  OutOfMemoryError,
  PointerError,
  pointer,
  struct,
  text,
  UseAfterFreeError,
  u16,
  Vec,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Named = struct({ name: text, at: Point }, { name: "Named" });

/** A heap that begins small, so that it grows in the middle; sound and empty again afterwards. */
function inHeap(body: (allocator: Allocator, heap: Heap) => void): void {
  const heap = Heap.create({ reserve: 0, advance: 0 });
  body(heap, heap);
  heap.check();
  expect(liveBlocks(heap)).toBe(0);
}

function inArena(body: (allocator: Allocator, heap: Heap) => void): void {
  inHeap((_, heap) => {
    const arena = heap.bump({ chunkBytes: 64 });
    body(arena, heap);
    arena.dispose();
  });
}

const PLACES = [
  ["a heap", inHeap],
  ["an arena", inArena],
] as const;

type Step = [call: string, index: number, value: number];

/** One step on both; what both gave. */
function step(vec: Vec<typeof i32>, list: number[], [call, at, value]: Step): [unknown, unknown] {
  const index = list.length === 0 ? 0 : at % list.length;
  switch (call) {
    case "push":
      return [vec.push(value), list.push(value)];
    case "pop":
      return [vec.pop(), list.pop()];
    case "insert":
      return [vec.insert(index, value), void list.splice(index, 0, value)];
    case "extend": {
      const more = Array.from({ length: at % 40 }, (_, each) => value ^ each);
      list.push(...more);
      return [vec.extend(at % 2 === 0 ? more : Int32Array.from(more)), undefined];
    }
    case "truncate":
      list.length = Math.min(list.length, index);
      return [vec.truncate(index), undefined];
    case "shrink":
      return [vec.shrinkToFit(), undefined];
    case "sort":
      list.sort((a, b) => a - b);
      return [vec.sort(), undefined];
    default:
      return other(vec, list, [call, index, value]);
  }
}

function other(vec: Vec<typeof i32>, list: number[], [call, index, value]: Step): [unknown, unknown] {
  if (list.length === 0) return [vec.at(0), undefined];
  if (call === "set") {
    list[index] = value;
    return [vec.set(index, value), undefined];
  }
  if (call === "remove") return [vec.remove(index), list.splice(index, 1)[0]];
  const taken = list[index];
  const last = list.pop() as number;
  if (index < list.length) list[index] = last;
  return [vec.swapRemove(index), taken];
}

const CALLS = [
  "push",
  "push",
  "pop",
  "insert",
  "extend",
  "truncate",
  "shrink",
  "sort",
  "set",
  "remove",
  "swapRemove",
];
const steps = fc.array(
  fc.tuple(fc.constantFrom(...CALLS), fc.nat(1000), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  {
    maxLength: 120,
    size: "max",
  },
);

describe.each(PLACES)("a Vec in %s", (_, inPlace) => {
  it("does what an array does, whatever is called", () => {
    const property = fc.property(steps, (program) =>
      inPlace((allocator, heap) => {
        const vec = new Vec(allocator, i32);
        const list: number[] = [];
        for (const one of program) {
          const [ours, theirs] = step(vec, list, one);
          expect(ours).toBe(theirs);
          expect([...vec]).toEqual(list);
          expect(vec.capacity).toBeGreaterThanOrEqual(vec.length);
        }
        expect(Array.from(vec.view())).toEqual(list);
        heap.check();
        vec.dispose();
      }),
    );
    fc.assert(property, { seed: seedOf("vec"), numRuns: 60 });
  });

  it("keeps owned texts with their elements, and frees them", () => {
    inPlace((allocator) => {
      const vec = new Vec(allocator, Named);
      for (let index = 0; index < 50; index++) vec.push({ name: `number ${index}`, at: { x: index } });
      expect(vec.remove(3)).toEqual({ name: "number 3", at: { x: 3, y: 0 } });
      expect(vec.swapRemove(0).name).toBe("number 0");
      vec.insert(1, { name: "inserted" });
      vec.sort((a, b) => (a.name < b.name ? -1 : 1));
      expect(vec.get(0).name).toBe("inserted");
      expect(vec.toJSON()).toHaveLength(49);
      vec.set(0, { name: "again" });
      expect(vec.at(-1)?.name).toBe("number 9");
      let sum = 0;
      vec.forEach((named) => {
        sum += named.at.x;
      });
      expect(sum).toBe((49 * 50) / 2 - 3);
      vec.dispose();
    });
  });
});

describe("a Vec", () => {
  it("takes its own elements, also when it grows for them", () => {
    inHeap((allocator) => {
      const named = new Vec(allocator, Named);
      const points = new Vec(allocator, Point);
      for (let index = 0; index < 40; index++) {
        points.push(index === 0 ? { x: 1, y: 2 } : points.get(index - 1));
        named.push(index === 0 ? { name: "one", at: { x: 5 } } : { name: "two", at: named.get(0).at });
      }
      expect(points.toJSON()).toEqual(Array(40).fill({ x: 1, y: 2 }));
      expect(named.get(39).at.x).toBe(5);
      points.extend(points);
      expect(points.length).toBe(80);
      expect(points.get(79).y).toBe(2);
      const numbers = new Vec(allocator, f64);
      numbers.extend([1, 2, 3]);
      for (let times = 0; times < 12; times++) numbers.extend(numbers.view());
      expect(numbers.length).toBe(3 * 2 ** 12);
      expect(numbers.get(numbers.length - 1)).toBe(3);
      for (const one of [named, points, numbers]) one.dispose();
    });
  });

  it("gives no old bytes to a struct of which only some fields are given", () => {
    const vec = new Vec(Heap.create(), Point);
    vec.push({ x: 1, y: 2 });
    vec.pop();
    vec.push({ x: 3 });
    expect(vec.get(0).y).toBe(0);
  });

  it("is found again in a copy of the memory, and refuses what is none", () => {
    const memory = new ArrayBuffer(1 << 20);
    const heap = Heap.create({ memory });
    const vec = new Vec(heap, u16);
    vec.extend([1, 2, 3]);
    const copy = Heap.attach(memory.slice(0), heap.base);
    const again = Vec.attach(copy, u16, vec.ptr);
    again.push(4);
    expect([...again]).toEqual([1, 2, 3, 4]);
    expect([...vec]).toEqual([1, 2, 3]);
    copy.check();
    expect(() => Vec.attach(copy, i32, vec.ptr as never)).toThrow("its elements have 2 bytes, expected 4");
    expect(() => Vec.attach(copy, u16, NULL)).toThrow(PointerError);
    expect(() => Vec.attach(copy, u16, (vec.ptr + 4) as never)).toThrow(/magic number is missing/);
    vec.dispose();
    expect(() => Vec.attach(heap, u16, again.ptr as never)).toThrow(/magic number is missing/);
  });

  it("is as it was when there is no memory", () => {
    const heap = Heap.create({ footprintLimit: 1 << 20 });
    const vec = new Vec(heap, f64);
    vec.push(1);
    expect(() => vec.reserve(1 << 20)).toThrow(OutOfMemoryError);
    expect(() => vec.reserve(2 ** 31)).toThrow(OutOfMemoryError);
    for (let count = 1; ; count++) {
      try {
        vec.push(count);
      } catch (error) {
        expect(error).toBeInstanceOf(OutOfMemoryError);
        expect(vec.length).toBe(count);
        break;
      }
    }
    expect(vec.get(0)).toBe(1);
    heap.check();
  });

  it("refuses indices that are none, by name", () => {
    const vec = new Vec(Heap.create(), i32);
    expect(() => vec.get(0)).toThrow("index: there is none: the length is 0, got 0");
    vec.push(1);
    for (const bad of [1, -1, 0.5, Number.NaN]) expect(() => vec.get(bad)).toThrow(RangeError);
    expect(() => vec.set(2, 1)).toThrow("index: expected an integer from 0 to 0, got 2");
    expect(() => vec.insert(2, 1)).toThrow(RangeError);
    expect(() => vec.sort(1 as never)).toThrow(TypeError);
    expect(vec.at(5)).toBeUndefined();
    expect(() => new Vec(Heap.create(), array(i32, 2)).view()).toThrow(/scalar type/);
  });

  it("throws after its end, and its arena's", () => {
    const heap = Heap.create();
    const vec = new Vec(heap, i32);
    vec.dispose();
    vec.dispose();
    expect(() => vec.push(1)).toThrow(/Vec<i32> at 0x[0-9a-f]+: used after it was deleted/);
    const arena = heap.bump({ name: "frame" });
    const inner = new Vec(arena, i32);
    arena.dispose();
    expect(() => inner.length).toThrow(UseAfterFreeError);
  });

  it("cannot hold references that live shorter", () => {
    const Node = struct({ next: pointer(() => Node) });
    Heap.create().scope((outer) => {
      const vec = new Vec(
        outer,
        pointer(() => Node),
      );
      vec.push(outer.new(Node));
      outer.scope((inner) => {
        // @ts-expect-error: what lives in the inner scope does not live long enough
        vec.push(inner.new(Node));
      });
      expect(vec.length).toBe(2);
    });
  });
});

describe("extend", () => {
  it("adds all or none", () => {
    const heap = Heap.create({ footprintLimit: 1 << 18 });
    const vec = new Vec(heap, Named);
    vec.push({ name: "first" });
    const live = liveBlocks(heap);
    const more = Array.from({ length: 40 }, () => ({ name: "x".repeat(8000) }));
    expect(() => vec.extend(more)).toThrow(OutOfMemoryError);
    expect(() => vec.extend([{ name: "good" }, { name: 5 as never }])).toThrow(TypeError);
    expect([vec.length, liveBlocks(heap)]).toEqual([1, live]);
    vec.dispose();
    heap.check();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("makes bools of whatever bytes", () => {
    const vec = new Vec(Heap.create(), bool);
    vec.extend(new Uint8Array([5, 0, 1]) as never);
    expect([...vec.view()]).toEqual([1, 0, 1]);
  });

  it("takes a typed array over its own elements, whatever of them moves", () => {
    const vec = new Vec(Heap.create(), i32);
    vec.extend([1, 2, 3]);
    for (let round = 0; round < 8; round++) vec.extend(vec.view());
    expect(Array.from(vec.view())).toEqual(Array.from({ length: 768 }, (_, index) => 1 + (index % 3)));
  });
});

describe("at", () => {
  it("takes any number as Array.prototype.at does, and nothing else", () => {
    const vec = new Vec(Heap.create(), i32);
    vec.extend([1, 2, 3]);
    for (const index of [0, 2, 3, -1, -3, -4, NaN, 1.5, -0.5, -1.5, Infinity, -Infinity])
      expect(vec.at(index)).toBe([1, 2, 3].at(index));
    expect(() => vec.at("1" as never)).toThrow('index: expected a number, got "1"');
  });
});
