// Pool: blocks of one size, free lists, and what is noticed.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { liveBlocks } from "../../../../test/support/allocator-conformance.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import {
  array,
  Bump,
  f64,
  Heap,
  i32,
  PointerError,
  Pool,
  type Ptr,
  pointer,
  struct,
  text,
  UseAfterFreeError,
  u8,
} from "../../src/index.ts";

const Node = struct({ value: i32, next: pointer(() => Node) }, { name: "Node" });
const Named = struct({ name: text, age: u8 }, { name: "Named" });
const Other = struct({ value: i32, next: pointer(() => Node) }, { name: "Other" });

const seed = seedOf("pools");
let heap: Heap;

afterEach(() => {
  expect(liveBlocks(heap)).toEqual([]);
  heap.check();
});

describe.each([true, false])("with checking: %s", (checking) => {
  beforeEach(() => {
    heap = Heap.create({ checking });
  });

  test("blocks lie side by side without headers, and the one that was freed last is next", () => {
    using pool = new Pool(heap, Node, { capacity: 4 });
    const [a, b, c] = [pool.allocate(8, 4), pool.allocate(8, 4), pool.allocate(8, 4)];
    expect([b - a, c - b]).toEqual([8, 8]);
    pool.deallocate(a, 8, 4);
    pool.deallocate(c, 8, 4);
    expect(pool.length).toBe(1);
    expect([pool.allocate(8, 4), pool.allocate(1, 1), pool.allocate(8, 4)]).toEqual([c, a, c + 8]);
    expect(pool.length).toBe(4);
    expect(pool.capacity).toBe(4);
  });

  test("what is larger than a block, or aligned more, is no memory", () => {
    using pool = new Pool(heap, array(u8, 10));
    expect([pool.blockBytes, pool.blockAlignment]).toEqual([12, 4]);
    expect(pool.allocate(13, 1)).toBe(0);
    expect(pool.allocate(8, 8)).toBe(0);
    const at = pool.allocate(12, 4);
    expect(pool.reallocate(at, 12, 1, 4)).toBe(at);
    expect(pool.reallocate(at, 1, 13, 4)).toBe(0);
    expect(pool.length).toBe(1);
  });

  test("live blocks are gone through in order, while they are deleted", () => {
    using pool = new Pool(heap, Node, { capacity: 3 });
    const nodes = Array.from({ length: 100 }, (_, value) => pool.new(Node, { value }));
    for (const index of [0, 31, 32, 33, 99]) pool.delete(nodes[index] as (typeof nodes)[number]);
    const left = Array.from({ length: 100 }, (_, index) => index).filter(
      (index) => ![0, 31, 32, 33, 99].includes(index),
    );
    expect([...pool].map(({ value }) => value)).toEqual(left);
    for (const node of pool) if (node.value % 2 === 0) pool.delete(node);
    expect([...pool].map(({ value }) => value)).toEqual(left.filter((value) => value % 2 === 1));
    expect(pool.length).toBe(left.filter((value) => value % 2 === 1).length);
  });

  test("what live blocks own is given back by delete and at the end", () => {
    const pool = new Pool(heap, Named);
    const names = Array.from({ length: 40 }, (_, age) => pool.new(Named, { name: `number ${age}`, age }));
    for (const named of names.slice(0, 20)) pool.delete(named);
    expect([...pool].map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, index) => `number ${index + 20}`),
    );
    pool.dispose();
    expect(liveBlocks(heap)).toEqual([]);
    pool.dispose();
  });

  test("the limit is for blocks that are live at once", () => {
    using pool = new Pool(heap, Node, { limit: 2 });
    const a = pool.allocate(8, 4);
    expect(pool.allocate(8, 4)).not.toBe(0);
    expect(pool.allocate(8, 4)).toBe(0);
    pool.deallocate(a, 8, 4);
    expect(pool.allocate(8, 4)).toBe(a);
  });

  test("after its end nothing can be made or given back", () => {
    const pool = new Pool(heap, Node);
    const at = pool.allocate(8, 4);
    const node = pool.new(Node);
    pool.dispose();
    expect(() => pool.deallocate(at, 8, 4)).toThrow(PointerError);
    expect(() => pool.allocate(8, 4)).toThrow(UseAfterFreeError);
    expect(() => pool.delete(node)).toThrow(UseAfterFreeError);
  });

  test("any program does what a set does", () => {
    const op = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 2, arbitrary: fc.nat(1000) });
    const property = fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(op, { maxLength: 200 }),
      (capacity, ops) => {
        using pool = new Pool(heap, Node, { capacity });
        const model = new Map<number, number>();
        for (const [step, which] of ops.entries()) {
          if (which < 0) {
            const at = pool.allocate(8, 4);
            expect(model.has(at)).toBe(false);
            heap.i32(at, 1)[0] = step;
            model.set(at, step);
            continue;
          }
          const at = [...model.keys()][which % Math.max(1, model.size)];
          if (at === undefined) continue;
          expect(heap.i32(at, 1)[0]).toBe(model.get(at));
          pool.deallocate(at, 8, 4);
          model.delete(at);
        }
        expect(new Set(pool.ptrs())).toEqual(new Set(model.keys()));
        expect(pool.length).toBe(model.size);
        for (const [at, step] of model) expect(heap.i32(at, 1)[0]).toBe(step);
      },
    );
    fc.assert(property, { seed, numRuns: 150 });
  });
});

describe("while checking", () => {
  beforeEach(() => {
    heap = Heap.create({ checking: true });
  });

  test("an arena can have a pool's blocks for its chunks: it asks for less until one fits", () => {
    using pool = new Pool(heap, { ...array(u8, 256), align: 16 });
    using arena = new Bump(pool);
    for (let index = 0; index < 20; index++) expect(arena.allocate(100, 4)).not.toBe(0);
    expect(pool.length).toBe(10);
    expect(arena.allocate(257, 1)).toBe(0);
    arena.dispose();
    expect(pool.length).toBe(0);
  });

  test("a pool ends what lies in its blocks before it ends", () => {
    const pool = new Pool(heap, { ...array(u8, 256), align: 16 });
    const arena = new Bump(pool);
    const node = arena.new(Node, { value: 1 });
    pool.dispose();
    expect(() => node.value).toThrow(UseAfterFreeError);
    arena.dispose();
  });

  test("a block that is given back twice is refused, and nothing has changed", () => {
    using pool = new Pool(heap, Node);
    const at = pool.allocate(8, 4);
    pool.allocate(8, 4);
    pool.deallocate(at, 8, 4);
    expect(() => pool.deallocate(at, 8, 4)).toThrow(
      /is a block that has been given back, or was never handed out/,
    );
    expect(pool.length).toBe(1);
    expect(pool.allocate(8, 4)).toBe(at);
  });

  test("so is what is no block of it", () => {
    using pool = new Pool(heap, Node);
    const at = pool.allocate(8, 4);
    for (const ptr of [at + 4, at + 8, 0, heap.base])
      expect(() => pool.deallocate(ptr, 8, 4), String(ptr)).toThrow(PointerError);
    expect(pool.length).toBe(1);
  });

  test("an owner is deleted once: the second reference to it is refused before its text is freed again", () => {
    using pool = new Pool(heap, Named);
    const named = pool.new(Named, { name: "a name that has memory" });
    const again = heap.ref(Named, named.ptr);
    // So that the free block has the address of another one where its text's was.
    pool.delete(pool.new(Named));
    pool.delete(named);
    expect(() => pool.delete(again)).toThrow(PointerError);
    expect(pool.length).toBe(0);
  });

  test("a block that was written to after it was given back is not handed out", () => {
    using pool = new Pool(heap, Node);
    const [a, b] = [pool.allocate(8, 4), pool.allocate(8, 4)];
    pool.deallocate(b, 8, 4);
    pool.deallocate(a, 8, 4);
    heap.u32(a, 1)[0] = 12345;
    expect(() => pool.allocate(8, 4)).toThrow(
      /leads to 0x3039: it was written to after it had been given back/,
    );
    heap.u32(a, 1)[0] = b;
    expect(pool.allocate(8, 4)).toBe(a);
  });

  test("a pointer to a block that was given back leads to nothing that may be used", () => {
    using pool = new Pool(heap, Node);
    const a = pool.new(Node, { value: 1 });
    const b = pool.new(Node, { value: 2, next: a });
    expect(b.next?.value).toBe(1);
    pool.delete(a);
    expect(() => b.next?.value).toThrow(UseAfterFreeError);
    expect(() => pool.ref(Node, (b.ptr + 8) as Ptr<typeof Node>)).toThrow(PointerError);
  });

  test("another type than its own is refused, and other elements where its type owns memory", () => {
    using pool = new Pool(heap, Node);
    using names = new Pool(heap, Named);
    expect(() => pool.new(Other)).toThrow(/new: pool \d+ has blocks for Node, got "Other"/);
    expect(() => pool.newPtr(f64)).toThrow(TypeError);
    expect(() => pool.alloc(Other)).toThrow(TypeError);
    expect(pool.newArray(u8, 8).length).toBe(8);
    expect(() => names.newArray(u8, 8)).toThrow(TypeError);
    expect(() => [...new Pool(heap, f64)]).toThrow(/f64 is no struct/);
  });
});
