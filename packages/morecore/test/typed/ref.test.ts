// Ref: what a reference shows of itself, and that it goes on working when the memory grows under it.

import { describe, expect, it } from "vitest";
import { MAKERS, usedWasm } from "../../../../test/support/memories.ts";
import { array, f64, Heap, i32, i64, pointer, struct, text, u8, union, utf8 } from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Everything = struct(
  {
    n: i32,
    big: i64,
    at: Point,
    bytes: array(u8, 2),
    next: pointer(() => Point),
    kind: union({ a: i32, b: text }),
    name: text,
    tag: utf8(4),
  },
  { name: "Everything" },
);

describe("a reference", () => {
  const heap = Heap.create();
  const next = heap.new(Point);
  const ref = heap.new(Everything, {
    n: 1,
    at: { x: 2 },
    bytes: [3, 4],
    next,
    kind: { tag: "b", value: "five" },
    name: "six",
    tag: "7",
  });
  const plain = {
    n: 1,
    big: 0n,
    at: { x: 2, y: 0 },
    bytes: [3, 4],
    next: next.ptr,
    kind: { tag: "b", value: "five" },
    name: "six",
    tag: "7",
  };

  it("has its fields as keys in for … in, after its own two, and shows a plain copy, pointers as addresses", () => {
    const keys = [];
    for (const key in ref) keys.push(key);
    expect(keys).toEqual(["$at", "$life", ...Object.keys(Everything.fields)]);
    expect(heap.read(Everything, ref.ptr)).toEqual(plain);
    expect(JSON.parse(JSON.stringify(ref, (_, value) => (typeof value === "bigint" ? 0 : value)))).toEqual({
      ...plain,
      big: 0,
    });
  });

  it("has a class that is named after its type", () => {
    expect(ref.constructor.name).toBe("Ref<Everything>");
  });
});

describe.each(MAKERS.filter(({ grows }) => grows))(
  "in $name, which grows between the accesses",
  ({ make }) => {
    it.each([{ checking: true }, { checking: false }])(
      "all fields read and write on, checking $checking",
      ({ checking }) => {
        const heap = make();
        heap.checking = checking;
        const grow = () => {
          const before = heap.buffer.byteLength;
          while (heap.buffer.byteLength === before) expect(heap.malloc(50_000)).not.toBe(0);
        };
        const ref = heap.new(Everything, {
          n: 1,
          at: { x: 2 },
          kind: { tag: "b", value: "five" },
          name: "six",
          tag: "7",
        });
        const list = heap.newArray(i32, 3, [1, 2, 3]);
        grow();
        expect([ref.n, ref.at.x, ref.kind, ref.name, ref.tag]).toEqual([
          1,
          2,
          { tag: "b", value: "five" },
          "six",
          "7",
        ]);
        grow();
        expect([...list]).toEqual([1, 2, 3]);
        grow();
        ref.n = 7;
        grow();
        ref.at.x = 8;
        grow();
        ref.name = "x".repeat(1000);
        grow();
        list.set(2, 9);
        grow();
        expect([ref.n, ref.at.x, ref.name.length, list.get(2)]).toEqual([7, 8, 1000, 9]);
        grow();
        expect(heap.read(Everything, ref.ptr).n).toBe(7);
        grow();
        // The text itself makes the memory grow, within a struct that is being made.
        const bytes = 4 << 20;
        const large = heap.new(struct({ a: i32, t: text, b: i32 }), { a: 1, t: "y".repeat(bytes), b: 2 });
        expect([large.a, large.t.length, large.b]).toEqual([1, bytes, 2]);
      },
    );
  },
);

describe("two windows on one heap in shared memory", () => {
  it("see each other's texts where the other has grown the memory, in copies, unions and arrays", () => {
    const memory = usedWasm(true);
    const one = Heap.create({ memory, alone: true });
    const T = struct({ name: text, kind: union({ a: i32, b: text }), all: array(text, 1) });
    const ref = one.new(T);
    const other = Heap.attach(memory, one.base);
    const theirs = other.ref(T, ref.ptr);
    other.malloc(1 << 20);
    theirs.name = "grown";
    theirs.kind = { tag: "b", value: "grown" };
    theirs.all.set(0, "grown");
    const wanted = { name: "grown", kind: { tag: "b", value: "grown" }, all: ["grown"] };
    expect(JSON.parse(JSON.stringify(ref))).toEqual(wanted);
    expect([ref.kind, ref.all.get(0)]).toEqual([wanted.kind, "grown"]);
  });
});
