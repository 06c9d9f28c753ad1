// Text: owned strings have memory of their own, which is given back exactly once; fixed ones are C's char[].

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { live, starved } from "../../../../test/support/typed.ts";
import { array, Heap, i32, OutOfMemoryError, struct, text, utf8 } from "../../src/index.ts";

const Named = struct({ id: i32, name: text }, { name: "Named" });

describe("an owned text", () => {
  it("gives back what was written, whatever it is", () => {
    const heap = Heap.create();
    const ref = heap.new(Named);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (value) => {
        ref.name = value;
        expect(ref.name).toBe(value);
      }),
    );
    for (const value of ["", "\u0000", "\uFEFFwith a byte order mark", "grüße, 世界 🌍"]) {
      ref.name = value;
      expect([ref.name, JSON.parse(JSON.stringify(ref)).name]).toEqual([value, value]);
    }
    // A lone surrogate has no UTF-8.
    ref.name = "\ud800";
    expect(ref.name).toBe("\ufffd");
    heap.delete(ref);
    expect(live(heap)).toBe(0);
  });

  it.each([false, true])(
    "has the bytes of its UTF-8, however long it is, and is read by them; shared: %s",
    (shared) => {
      const heap = Heap.create({ shared, maximum: 1 << 20 });
      const Both = struct({ name: text, fixed: utf8(80) });
      const ref = heap.new(Both);
      const write = (value: string): void => {
        const bytes = Array.from(new TextEncoder().encode(value));
        ref.name = value;
        ref.fixed = value;
        expect([ref.name, ref.fixed]).toEqual([value, value]);
        const [ptr = 0, length] = heap.u32(ref.ptr, 2);
        expect([length, Array.from(heap.u8(ptr, bytes.length))]).toEqual([bytes.length, bytes]);
        expect(Array.from(heap.u8(ref.ptr + 8, 80))).toEqual([...bytes, ...Array(80 - bytes.length).fill(0)]);
      };
      // In ASCII, and with a character of two, three and four bytes at the beginning, in the middle and at the end.
      for (let length = 1; length <= 70; length++) {
        const ascii = Array.from({ length }, (_, index) =>
          String.fromCharCode(1 + ((index * 37 + length) % 127)),
        );
        write(ascii.join(""));
        for (const wide of ["\u0080", "ü", "\uffff", "🌍"])
          for (const at of new Set([0, length >> 1, length - 1]))
            write(ascii.map((each, index) => (index === at ? wide : each)).join(""));
      }
      heap.delete(ref);
      expect(live(heap)).toBe(0);
    },
  );

  it("is freed when another is written, when it is emptied, and with the struct, nested or in an array", () => {
    const heap = Heap.create();
    const Outer = struct({ inner: Named, all: array(text, 3) });
    const ref = heap.new(Outer, { inner: { name: "inner" }, all: ["one", "two"] });
    expect(live(heap)).toBe(4);
    ref.all.set(0, "uno");
    ref.all.fill("x");
    expect(live(heap)).toBe(5);
    ref.all.set(1, "");
    expect([live(heap), [...ref.all]]).toEqual([4, ["x", "", "x"]]);
    heap.delete(ref);
    expect(live(heap)).toBe(0);
    const list = heap.newArray(Named, 3, [{ name: "a" }, { name: "b" }]);
    expect(live(heap)).toBe(3);
    heap.delete(list);
    expect(live(heap)).toBe(0);
    heap.check();
  });

  it("is copied, not shared, when a struct is assigned from another", () => {
    const heap = Heap.create();
    const Outer = struct({ a: Named, b: Named });
    const ref = heap.new(Outer, { a: { name: "first" } });
    ref.b = ref.a;
    ref.a.name = "second";
    expect([ref.a.name, ref.b.name]).toEqual(["second", "first"]);
    ref.b = ref.b as never;
    expect(ref.b.name).toBe("first");
    const other = Heap.create().new(Named, { name: "from elsewhere" });
    ref.b = other;
    expect(ref.b.name).toBe("from elsewhere");
    heap.delete(ref);
    expect(live(heap)).toBe(0);
    heap.check();
  });

  it("lives where its struct does: in an arena it goes with the arena", () => {
    const heap = Heap.create();
    const arena = heap.bump();
    const ref = arena.new(Named, { name: "in the arena" });
    ref.name = "still in the arena, and longer";
    expect([live(heap), ref.name]).toEqual([1, "still in the arena, and longer"]);
    arena.dispose();
    expect(live(heap)).toBe(0);
  });

  it("without memory throws, and all is as it was", () => {
    const heap = Heap.create();
    const ref = heap.new(Named, { id: 1, name: "kept" });
    const before = live(heap);
    starved(heap, () => {
      expect(() => {
        ref.name = "x".repeat(100_000);
      }).toThrow(OutOfMemoryError);
      expect(() => heap.new(Named, { id: 2, name: "x".repeat(100_000) })).toThrow(
        "no memory for a text: 100000 bytes",
      );
      expect(() => heap.newArray(text, 3, ["a", "b", "x".repeat(100_000)])).toThrow(OutOfMemoryError);
      expect(() =>
        heap.alloc(Named).init((made) => {
          made.name = "first";
          made.name = "x".repeat(100_000);
        }),
      ).toThrow(OutOfMemoryError);
    });
    expect([live(heap), ref.name, ref.id]).toEqual([before, "kept", 1]);
    heap.check();
  });

  it("refuses what is no string, and stays", () => {
    const heap = Heap.create();
    const ref = heap.new(Named, { name: "kept" });
    expect(() => Reflect.set(ref, "name", 7)).toThrow("text: expected a string, got 7");
    expect(() => heap.newArray(text, 2, ["given back", 7 as never])).toThrow(
      "text: expected a string, got 7",
    );
    expect([ref.name, live(heap)]).toEqual(["kept", 2]);
  });
});

describe("a text of a fixed number of bytes", () => {
  const heap = Heap.create();
  const T = struct({ a: utf8(5), b: utf8(3) });

  it("is filled up with zeros, and may fill its bytes to the last", () => {
    const ref = heap.new(T, { a: "12345", b: "abc" });
    expect([ref.a, ref.b]).toEqual(["12345", "abc"]);
    ref.a = "é";
    expect([...heap.u8(ref.ptr, 8)]).toEqual([0xc3, 0xa9, 0, 0, 0, 97, 98, 99]);
    expect([ref.a, ref.b]).toEqual(["é", "abc"]);
  });

  it("refuses one that is too long, or has a zero inside, and cuts nothing off", () => {
    const ref = heap.new(T, { a: "kept" });
    for (const [value, rule] of [
      ["123456", "at most 5 bytes, got 6"],
      ["ééé", "at most 5 bytes, got 6"],
      ["a\u0000b", "without U+0000"],
    ] as const)
      expect(() => {
        ref.a = value;
      }).toThrow(rule);
    expect(() => Reflect.set(ref, "a", 1)).toThrow("utf8(5): expected a string, got 1");
    expect(ref.a).toBe("kept");
  });

  it("refuses a length that is none", () => {
    for (const bytes of [-1, 1.5, 2 ** 31])
      expect(() => utf8(bytes)).toThrow(`from 0 to 1073741824, got ${bytes}`);
  });
});
