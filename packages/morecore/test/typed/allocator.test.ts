// Allocator: making structs in place, freeing them, and turning raw pointers into references, checked.

import { describe, expect, it } from "vitest";
import { live, starved } from "../../../../test/support/typed.ts";
import {
  add,
  assign,
  f64,
  Heap,
  i32,
  isAlive,
  moveTo,
  NULL,
  OutOfMemoryError,
  PointerError,
  type Ptr,
  same,
  struct,
  text,
  UseAfterFreeError,
  u8,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Named = struct({ id: i32, name: text }, { name: "Named" });

/** The code of the PointerError that a function throws. */
function fault(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof PointerError) return error.code;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("new", () => {
  it("gives zeros where nothing is given, also in memory that was used before", () => {
    const heap = Heap.create();
    const old = heap.malloc(16);
    heap.u8(old, 16).fill(0xff);
    heap.free(old);
    const ref = heap.new(Point, { y: 2 });
    expect([ref.ptr, ref.x, ref.y]).toEqual([old, 0, 2]);
    expect([heap.read(Point, heap.newPtr(Point)), heap.read(f64, heap.newPtr(f64))]).toEqual([
      { x: 0, y: 0 },
      0,
    ]);
  });

  it("keeps nothing when a field is refused, or there is no memory", () => {
    const heap = Heap.create();
    expect(() => heap.new(Named, { name: "given back", z: 1 } as never)).toThrow('Named: no field "z"');
    starved(heap, () => {
      while (heap.malloc(16) !== 0);
      expect(() => heap.new(Point)).toThrow(OutOfMemoryError);
      expect(() => heap.newArray(Point, 2 ** 31)).toThrow("no memory for Point: 34359738368 bytes");
    });
  });

  it("refuses what is no struct type", () => {
    const heap = Heap.create();
    expect(() => heap.new(u8 as never)).toThrow("new: expected a struct type, got an object");
    expect(() => heap.alloc(u8 as never)).toThrow("alloc: expected a struct type, got an object");
    expect(() => heap.cursor(u8 as never)).toThrow("cursor: expected a struct type, got an object");
    expect(() => heap.newPtr({} as never)).toThrow("newPtr: expected a type, got an object of class Object");
  });
});

describe("alloc().init()", () => {
  it("fills in place, by a function or from fields, and gives the reference", () => {
    const heap = Heap.create();
    const a = heap.alloc(Named).init((made) => {
      expect([made.id, made.name]).toEqual([0, ""]);
      made.name = "a";
    });
    const b = heap.alloc(Named).init({ id: 2 });
    expect([a.name, b.id]).toEqual(["a", 2]);
  });

  it("gives the memory back when the function throws, and its reference has ended", () => {
    const heap = Heap.create();
    let kept: { name: string } | undefined;
    expect(() =>
      heap.alloc(Named).init((made) => {
        kept = made;
        made.name = "freed as well";
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(live(heap)).toBe(0);
    expect(() => kept?.name).toThrow(UseAfterFreeError);
    heap.check();
  });

  it("throws the function's own error, even if that has deleted the struct itself", () => {
    const heap = Heap.create();
    const body = () =>
      heap.alloc(Point).init((made) => {
        heap.delete(made);
        throw new Error("mine");
      });
    expect(body).toThrow("mine");
    expect(live(heap)).toBe(0);
  });

  it("refuses a promise, and gives the memory back", () => {
    const heap = Heap.create();
    expect(() => heap.alloc(Point).init(async () => {})).toThrow("init: expected a function that is done");
    expect(live(heap)).toBe(0);
  });

  it("goes once: a second init or discard is refused, and what was made stays", () => {
    const heap = Heap.create();
    const made = heap.alloc(Point);
    const ref = made.init({ x: 1 });
    expect(() => made.init({ x: 2 })).toThrow("init: expected memory that is not initialised yet");
    expect(() => made.discard()).toThrow("discard: expected memory that is not initialised yet");
    expect(ref.x).toBe(1);
    const other = heap.alloc(Point);
    other.discard();
    expect(() => other.init({})).toThrow("or was discarded");
    expect(live(heap)).toBe(1);
  });

  it("has nothing to read before: no field, no address", () => {
    const made = Heap.create().alloc(Point);
    expect(["x", "ptr"].filter((name) => name in made)).toEqual([]);
  });
});

describe("delete", () => {
  it("frees once: later uses throw, naming type and address", () => {
    const heap = Heap.create();
    const ref = heap.new(Point);
    const { ptr } = ref;
    heap.delete(ref);
    expect(live(heap)).toBe(0);
    const uses = [
      () => ref.x,
      () => Reflect.set(ref, "x", 1),
      () => ref.ptr,
      () => heap.delete(ref),
      () => same(ref, ref),
    ];
    for (const use of [...uses, () => assign(ref, {}), () => JSON.stringify(ref)])
      expect(use).toThrow(`Point at 0x${ptr.toString(16)}: used after it was deleted`);
    expect(isAlive(ref)).toBe(false);
  });

  it("refuses what is no reference, what lies elsewhere, and what another allocator has made", () => {
    const heap = Heap.create();
    const [mine, theirs] = [heap.new(Point), Heap.create().new(Point)];
    expect(() => heap.delete({ ptr: mine.ptr })).toThrow("delete: expected a reference, got an object");
    expect(() => heap.delete(theirs)).toThrow(
      "delete: expected a reference in this memory, got one in another",
    );
    using arena = heap.bump({ name: "arena 'frame'" });
    expect(() => arena.delete(mine)).toThrow("that was made here, got one that lives in the heap");
    expect(() => heap.delete(arena.new(Point))).toThrow("got one that lives in arena 'frame'");
    expect(() => heap.delete(arena.newArray(u8, 3))).toThrow("an array that was made here");
    expect(isAlive(mine)).toBe(true);
  });

  it("of a part of something larger is refused, also where the two begin at one address, and nothing has changed", () => {
    const heap = Heap.create();
    const Line = struct({ from: Point, to: Point });
    const line = heap.new(Line, { from: { x: 2 }, to: { x: 3 } });
    const points = heap.newArray(Point, 3, [{ x: 4 }]);
    for (const part of [line.from, line.to, points.get(0), points.get(1)])
      expect(() => heap.delete(part)).toThrow(/delete: expected .* a part of something larger/);
    points.forEach((part) => {
      expect(() => heap.delete(part)).toThrow(TypeError);
    });
    expect([line.from.x, line.to.x, points.get(0).x]).toEqual([2, 3, 4]);
    expect(live(heap)).toBe(2);
  });

  it("takes references from before a change of checking", () => {
    const heap = Heap.create({ checking: true });
    const ref = heap.new(Point);
    heap.checking = false;
    heap.delete(ref);
    expect(live(heap)).toBe(0);
  });
});

describe("a raw pointer becomes a reference", () => {
  const heap = Heap.create({ checking: true });
  const ref = heap.new(Point, { x: 1 });

  it("that reads the same bytes, at a block's beginning or inside", () => {
    const list = heap.newArray(Point, 100);
    list.get(70).y = 7;
    expect(heap.ref(Point, ref.ptr).x).toBe(1);
    expect(heap.ref(Point, add(Point, list.ptr, 70)).y).toBe(7);
    expect(heap.refArray(Point, add(Point, list.ptr, 60), 40).get(10).y).toBe(7);
  });

  it.each([
    { title: "ref", use: (p: Ptr<typeof Point>) => heap.ref(Point, p) },
    { title: "refArray", use: (p: Ptr<typeof Point>) => heap.refArray(Point, p, 1) },
    { title: "read", use: (p: Ptr<typeof Point>) => heap.read(Point, p) },
    { title: "write", use: (p: Ptr<typeof Point>) => heap.write(Point, p, { x: 1 }) },
    { title: "copy to", use: (p: Ptr<typeof Point>) => heap.copy(Point, p, ref.ptr) },
    { title: "copy from", use: (p: Ptr<typeof Point>) => heap.copy(Point, ref.ptr, p) },
  ])("unless it is null, misaligned, outside or in no live block: $title", ({ use }) => {
    const dead = heap.newPtr(Point);
    heap.free(dead);
    expect(fault(() => use(NULL))).toBe("null");
    expect(fault(() => use((ref.ptr + 4) as typeof ref.ptr))).toBe("misaligned");
    expect(fault(() => use(0x8000_0000 as typeof ref.ptr))).toBe("outside");
    expect(fault(() => use((heap.buffer.byteLength - 8) as typeof ref.ptr))).toBe("outside");
    expect(fault(() => use(dead))).toBe("not-live");
    expect(fault(() => use(add(Point, ref.ptr, 1)))).toBe("not-live");
    for (const wrong of [-16, 0.5, Number.NaN, 2 ** 32])
      expect(() => use(wrong as typeof ref.ptr)).toThrow(RangeError);
  });

  it("and with checking off only live blocks are not looked for", () => {
    const bare = Heap.create({ checking: false });
    const dead = bare.newPtr(Point);
    bare.free(dead);
    expect(bare.ref(Point, dead).ptr).toBe(dead);
    expect(fault(() => bare.ref(Point, NULL))).toBe("null");
    expect(fault(() => bare.ref(Point, (dead + 4) as typeof dead))).toBe("misaligned");
    expect(fault(() => bare.ref(Point, 0x8000_0000 as typeof dead))).toBe("outside");
  });

  it("reads plain copies, writes, and moves elements that overlap", () => {
    const list = heap.newArray(i32, 4, [1, 2, 3, 4]);
    heap.copy(i32, add(i32, list.ptr, 1), list.ptr, 3);
    expect([...list]).toEqual([1, 1, 2, 3]);
    heap.copy(i32, list.ptr, list.ptr, 0);
    heap.write(i32, list.ptr, 9);
    expect(heap.read(i32, list.ptr)).toBe(9);
  });
});

describe("a cursor", () => {
  it("moves along elements without making objects", () => {
    const heap = Heap.create();
    const list = heap.newArray(Point, 3, [{ x: 1 }, { x: 2 }, { x: 3 }]);
    const at = heap.cursor(Point);
    let sum = 0;
    for (let p = list.ptr, i = 0; i < list.length; p = add(Point, p, 1), i++) {
      moveTo(at, p);
      sum += at.x;
      at.y = sum;
    }
    expect([sum, list.get(2).y, same(at, list.get(2))]).toEqual([6, 6, true]);
  });

  it("beyond the memory throws, and reads nothing else", () => {
    const heap = Heap.create();
    const at = heap.cursor(Point);
    moveTo(at, 0xffff_fff0 as Ptr<typeof Point>);
    expect(fault(() => at.x)).toBe("outside");
    expect(fault(() => Reflect.set(at, "x", 1))).toBe("outside");
  });
});

describe("same", () => {
  it("compares what is referred to, in which memory, and null", () => {
    const [heap, other] = [Heap.create(), Heap.create()];
    const a = heap.new(Point);
    const twin = other.new(Point);
    expect([
      same(a, heap.ref(Point, a.ptr)),
      same(a, heap.new(Point)),
      same(a, null),
      same(null, null),
    ]).toEqual([true, false, false, true]);
    expect([twin.ptr === (a.ptr as number), same(a, twin)]).toEqual([true, false]);
    expect(() => same(a, { ptr: 1 })).toThrow("same: expected a reference, got an object");
  });
});
