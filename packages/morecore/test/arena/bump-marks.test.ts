// Marks: what is older than a mark and needs memory after it gets it beside the arena, so that a release takes nothing of it.

import { describe, expect, it } from "vitest";
import { live } from "../../../../test/support/typed.ts";
import {
  Bump,
  Columns,
  HashMap,
  Heap,
  HeapString,
  i32,
  OutOfMemoryError,
  Pool,
  SlotMap,
  struct,
  text,
  u8,
  union,
  Vec,
} from "../../src/index.ts";

const Named = struct({ name: text, n: i32 }, { name: "Named" });
const MODES = [true, false];

describe.each(MODES)("with checking: %s, what is older than a mark", (checking) => {
  const setUp = () => {
    const heap = Heap.create({ checking });
    const before = live(heap);
    return { heap, before, arena: heap.bump({ name: "frame" }) };
  };

  it("keeps a text that it was given after the mark", () => {
    const { arena } = setUp();
    const old = arena.new(Named, { name: "a" });
    const mark = arena.mark();
    old.name = "0123456789abcdef";
    arena.newArray(u8, 100);
    arena.release(mark);
    const bytes = arena.newArray(u8, 200, new Array(200).fill(65));
    expect(old.name).toBe("0123456789abcdef");
    old.name = "";
    const more = arena.newArray(u8, 16, new Array(16).fill(66));
    expect(more.ptr).toBeGreaterThanOrEqual(bytes.ptr + 200);
    expect([...bytes].every((byte) => byte === 65)).toBe(true);
  });

  it("gives texts beside the arena back: when they are replaced, with a release of its own part, at the end", () => {
    const { heap, arena, before } = setUp();
    arena.newArray(u8, 10);
    const chunk = live(heap);
    const outer = arena.mark();
    const old = arena.new(Named);
    const inner = arena.mark();
    old.name = "x".repeat(300);
    expect(live(heap)).toBe(chunk + 1);
    old.name = "y".repeat(400);
    expect(live(heap)).toBe(chunk + 1);
    arena.release(inner);
    expect([live(heap), old.name.length]).toEqual([chunk + 1, 400]);
    arena.release(outer);
    expect(live(heap)).toBe(chunk);
    const again = arena.new(Named);
    arena.mark();
    again.name = "z".repeat(300);
    arena.reset();
    expect(live(heap)).toBe(chunk);
    arena.new(Named);
    arena.dispose();
    expect(live(heap)).toBe(before);
    heap.check();
  });

  it("keeps a union's text, and one that a pointer leads to", () => {
    const { arena } = setUp();
    const Holder = struct({ it: union({ n: i32, name: text }) });
    const old = arena.new(Holder);
    const mark = arena.mark();
    old.it = { tag: "name", value: "made after the mark" };
    arena.release(mark);
    arena.newArray(u8, 500, new Array(500).fill(1));
    expect(old.it.value).toBe("made after the mark");
  });

  it("keeps the memory of an arena in it that has grown", () => {
    const { arena } = setUp();
    const inner = new Bump(arena, { chunkBytes: 64 });
    const first = inner.new(Named, { n: 1 });
    const mark = arena.mark();
    const second = inner.newArray(u8, 300, new Array(300).fill(7));
    arena.release(mark);
    arena.newArray(u8, 900, new Array(900).fill(9));
    expect([first.n, [...second].every((byte) => byte === 7)]).toEqual([1, true]);
    const pool = new Pool(arena, Named);
    const one = pool.new(Named, { n: 3 });
    const later = arena.mark();
    const many = Array.from({ length: 200 }, (_, n) => pool.new(Named, { n }));
    arena.release(later);
    arena.newArray(u8, 900, new Array(900).fill(9));
    expect([one.n, many.every(({ n }, index) => n === index)]).toEqual([3, true]);
  });

  it("keeps a container that grows after the mark", () => {
    const { heap, arena, before } = setUp();
    const vec = new Vec(arena, i32);
    const map = new HashMap(arena, text, i32);
    const slots = new SlotMap(arena, Named);
    const columns = new Columns(arena, Named);
    const string = new HeapString(arena, "s");
    const key = slots.insert({ n: 0 });
    const mark = arena.mark();
    for (let n = 0; n < 50; n++) {
      vec.push(n);
      map.set(`key ${n}`, n);
      slots.insert({ n, name: "a text" });
      columns.push({ n, name: `column ${n}` });
      string.append("more");
    }
    const attached = Vec.attach(arena, i32, vec.ptr);
    attached.push(50);
    arena.release(mark);
    arena.newArray(u8, 3000, new Array(3000).fill(255));
    map.check();
    slots.check();
    expect([...vec]).toEqual(Array.from({ length: 51 }, (_, n) => n));
    expect([map.get("key 49"), slots.size, slots.get(key)?.n, columns.at(49).name, string.length]).toEqual([
      49,
      51,
      0,
      "column 49",
      201,
    ]);
    arena.dispose();
    expect(live(heap)).toBe(before);
  });

  it("counts against the arena's limit, and out of memory is an answer", () => {
    const heap = Heap.create({ checking });
    const arena = heap.bump({ chunkBytes: 64, limit: 512 });
    const old = arena.new(Named, { name: "kept" });
    arena.mark();
    expect(() => {
      old.name = "x".repeat(1000);
    }).toThrow(OutOfMemoryError);
    expect(old.name).toBe("kept");
    old.name = "x".repeat(300);
    expect(() => arena.newArray(u8, 400)).toThrow(OutOfMemoryError);
  });
});

describe("what is made where values come from", () => {
  it("a getter that marks and releases moves nothing under what is being made", () => {
    const heap = Heap.create({ checking: true });
    const arena = heap.bump();
    const made = arena.new(Named, {
      get n() {
        const mark = arena.mark();
        arena.newArray(u8, 64, new Array(64).fill(255));
        arena.release(mark);
        return 5;
      },
      name: "kept",
    });
    expect([made.n, made.name]).toEqual([5, "kept"]);
  });

  it("a generator that ends the arena is told so, once", () => {
    const heap = Heap.create({ checking: true });
    const arena = heap.bump({ name: "frame" });
    const values = function* (): Generator<number> {
      yield 1;
      arena.dispose();
      yield 2;
    };
    expect(() => arena.newArray(u8, 4, values())).toThrow(
      /u8\[\] at 0x[0-9a-f]+: used after frame had ended/,
    );
    expect(live(heap)).toBe(0);
  });
});
