// Bump: chunks, marks, destructors, scopes, and the end.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { liveBlocks } from "../../../../test/support/allocator-conformance.ts";
import { unhandledRejections } from "../../../../test/support/rejections.ts";
import {
  Bump,
  f64,
  Heap,
  i32,
  OutOfMemoryError,
  pointer,
  type Ref,
  struct,
  text,
  UseAfterFreeError,
  u8,
  u32,
} from "../../src/index.ts";

const Node = struct({ value: i32, next: pointer(() => Node) }, { name: "Node" });
const Named = struct({ name: text, next: pointer(() => Named) }, { name: "Named" });

let heap: Heap;
beforeEach(() => {
  heap = Heap.create({ checking: true });
});
afterEach(() => {
  expect(liveBlocks(heap)).toEqual([]);
  heap.check();
});

/** The sizes that a heap's live blocks were asked for, about. */
function chunkBytes(): number[] {
  return liveBlocks(heap)
    .map((ptr) => heap.usableSize(ptr))
    .sort((a, b) => a - b);
}

describe("chunks", () => {
  test("nothing is taken before something is allocated", () => {
    using arena = heap.bump();
    expect(liveBlocks(heap)).toEqual([]);
    expect(arena.capacityBytes).toBe(0);
    expect(arena.usedBytes).toBe(0);
  });

  test("each is twice as large as the one before", () => {
    using arena = heap.bump({ chunkBytes: 512 });
    const sizes = [];
    for (let before = 0; sizes.length < 5; ) {
      arena.allocate(100, 4);
      if (arena.capacityBytes !== before) sizes.push(arena.capacityBytes - before);
      before = arena.capacityBytes;
    }
    expect(sizes).toEqual([512, 1024, 2048, 4096, 8192]);
  });

  test("one is as large as what does not fit otherwise", () => {
    using arena = heap.bump();
    arena.allocate(1, 1);
    arena.allocate(100_000, 1);
    expect(arena.capacityBytes).toBe(1024 + 100_000);
    expect(chunkBytes()[1]).toBeGreaterThanOrEqual(100_000);
  });

  test("when memory is short, one is halved down to what is asked for", () => {
    const ballast = heap.malloc(200_000);
    using arena = heap.bump({ chunkBytes: 65_536 });
    arena.allocate(65_536, 1);
    heap.free(ballast);
    heap.footprintLimit = heap.footprint;
    const room = heap.malloc(150_000);
    // 131 072 would be next: there is room for less than half of it.
    expect(arena.allocate(20_000, 1)).not.toBe(0);
    expect(arena.capacityBytes - 65_536).toBe(32_768);
    heap.free(room);
  });

  test("the limit is for all of them together, and what does not fit is no memory", () => {
    using arena = heap.bump({ limit: 4000 });
    expect(arena.allocate(1000, 1)).not.toBe(0);
    expect(arena.allocate(3001, 1)).toBe(0);
    expect(arena.allocate(2976, 1)).not.toBe(0);
    expect(arena.capacityBytes).toBeLessThanOrEqual(4000);
    expect(() => arena.newArray(u8, 1000)).toThrow(OutOfMemoryError);
  });

  test("a reset keeps them, and they are used again", () => {
    using arena = heap.bump();
    const addresses = (): number[] => Array.from({ length: 50 }, () => arena.allocate(100, 4));
    const first = addresses();
    const blocks = liveBlocks(heap);
    arena.reset();
    expect(arena.usedBytes).toBe(0);
    expect(addresses()).toEqual(first);
    expect(liveBlocks(heap)).toEqual(blocks);
  });

  test("they go on doubling when smaller ones are kept from before a reset", () => {
    using arena = heap.bump({ chunkBytes: 64 });
    for (let index = 0; index < 4; index++) arena.allocate(64, 1);
    arena.reset();
    const before = liveBlocks(heap).length;
    for (let index = 0; index < 200; index++) arena.allocate(3000, 1);
    expect(liveBlocks(heap).length - before).toBeLessThan(12);
  });

  test("a size near 2^32 is no memory, for every alignment", () => {
    using arena = heap.bump();
    for (const alignment of [1, 16, 64, 4096, 2 ** 31])
      for (const bytes of [2 ** 31, 2 ** 32 - 4096, 2 ** 32 - 1])
        expect(arena.allocate(bytes, alignment)).toBe(0);
    expect(arena.capacityBytes).toBe(0);
  });
});

describe("the last block", () => {
  test("grows and shrinks where it is, and can be freed", () => {
    using arena = heap.bump();
    const a = arena.allocate(8, 8);
    const b = arena.allocate(8, 8);
    heap.u8(b, 8).fill(7);
    expect(arena.reallocate(b, 8, 200, 8)).toBe(b);
    expect(arena.usedBytes).toBe(208);
    expect([...heap.u8(b, 8)]).toEqual(Array(8).fill(7));
    expect(arena.reallocate(b, 200, 16, 8)).toBe(b);
    expect(arena.usedBytes).toBe(24);
    arena.deallocate(b, 16, 8);
    expect(arena.usedBytes).toBe(8);
    arena.deallocate(a, 8, 8);
    expect(arena.usedBytes).toBe(0);
  });

  test("of others, none moves: one that grows is copied, one that shrinks or is freed stays", () => {
    using arena = heap.bump();
    const a = arena.allocate(8, 8);
    const b = arena.allocate(8, 8);
    arena.deallocate(a, 8, 8);
    expect(arena.usedBytes).toBe(16);
    expect(arena.reallocate(a, 8, 4, 8)).toBe(a);
    expect(arena.reallocate(a, 8, 9, 8)).toBeGreaterThan(b);
  });

  test("from before a mark it is not grown, shrunk or freed in place", () => {
    using arena = heap.bump();
    const a = arena.allocate(100, 4);
    const mark = arena.mark();
    arena.deallocate(a, 100, 4);
    const b = arena.allocate(4, 4);
    expect(b).toBe(a + 100);
    arena.deallocate(b, 4, 4);
    expect(arena.reallocate(a, 100, 10, 4)).toBe(a);
    expect(arena.allocate(4, 4)).toBe(a + 100);
    arena.deallocate(a + 100, 4, 4);
    expect(arena.reallocate(a, 100, 200, 4)).toBe(a + 100);
    arena.release(mark);
    expect(arena.usedBytes).toBe(100);
    // Nor after the release of a mark that came later; after that of its own it is the last one again.
    const outer = arena.mark();
    arena.release(arena.mark());
    arena.deallocate(a, 100, 4);
    expect(arena.usedBytes).toBe(100);
    arena.release(outer);
    expect(arena.reallocate(a, 100, 200, 4)).toBe(a);
  });
});

describe("marks", () => {
  test("a release lets go of what was made since, and of nothing else", () => {
    using arena = heap.bump();
    const kept = arena.new(Node, { value: 1 });
    const mark = arena.mark();
    const gone = arena.new(Node, { value: 2 });
    arena.allocate(5000, 1);
    arena.release(mark);
    expect(kept.value).toBe(1);
    expect(() => gone.value).toThrow(UseAfterFreeError);
    expect(arena.usedBytes).toBe(Node.size);
  });

  test("they nest; a release of an outer one takes the inner ones along", () => {
    using arena = heap.bump();
    const marks = [arena.mark(), arena.mark(), arena.mark()] as const;
    const inner = arena.new(Node);
    arena.release(marks[1]);
    expect(() => inner.value).toThrow(UseAfterFreeError);
    expect(() => arena.release(marks[2])).toThrow(/a mark of this arena that has not been released/);
    arena.release(marks[0]);
    expect(() => arena.release(marks[0])).toThrow(RangeError);
  });

  test("one of another arena, or from before a reset, is refused", () => {
    using arena = heap.bump();
    using other = heap.bump();
    const foreign = other.mark();
    expect(() => arena.release(foreign)).toThrow(RangeError);
    const old = arena.mark();
    arena.reset();
    expect(() => arena.release(old)).toThrow(RangeError);
  });

  test("a pointer from before a mark to what was released leads to nothing that may be used", () => {
    using arena = heap.bump();
    const outer = arena.new(Node);
    const mark = arena.mark();
    outer.next = arena.new(Node, { value: 7 });
    expect(outer.next?.value).toBe(7);
    arena.release(mark);
    expect(() => outer.next?.value).toThrow(/used after its part of arena \d+ had ended/);
  });

  test("without checking they cost no lives, and release all the same", () => {
    const fast = Heap.create({ checking: false });
    using arena = fast.bump();
    const kept = arena.new(Node, { value: 1 });
    const mark = arena.mark();
    arena.new(Node, { value: 2 });
    arena.release(mark);
    expect(arena.usedBytes).toBe(Node.size);
    expect(kept.value).toBe(1);
  });
});

describe("destructors", () => {
  test("run in reverse order, at a release down to its mark, once", () => {
    using arena = heap.bump();
    const ran: number[] = [];
    for (const index of [1, 2]) arena.defer(() => ran.push(index));
    const mark = arena.mark();
    for (const index of [3, 4]) arena.defer(() => ran.push(index));
    arena.release(mark);
    expect(ran).toEqual([4, 3]);
    arena.reset();
    expect(ran).toEqual([4, 3, 2, 1]);
    arena.reset();
    arena.dispose();
    expect(ran).toEqual([4, 3, 2, 1]);
  });

  test("all run even if some throw; what they threw is thrown together, after the memory is given back", () => {
    const arena = heap.bump();
    const ran: string[] = [];
    const failing = (name: string) => () => {
      ran.push(name);
      throw new Error(name);
    };
    arena.allocate(8, 8);
    arena.defer(failing("a"));
    arena.defer(() => ran.push("b"));
    arena.defer(failing("c"));
    let thrown: unknown;
    try {
      arena.dispose();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AggregateError);
    expect((thrown as AggregateError).errors.map(String)).toEqual(["Error: c", "Error: a"]);
    expect(ran).toEqual(["c", "b", "a"]);
    arena.dispose();
    expect(ran).toEqual(["c", "b", "a"]);
  });

  test("one error alone is thrown as it is", () => {
    const arena = heap.bump();
    const error = new Error("alone");
    arena.defer(() => {
      throw error;
    });
    expect(() => arena.reset()).toThrow(error);
    arena.dispose();
  });

  test("see what they are to end, and cannot begin or end a part of the arena", () => {
    using arena = heap.bump();
    const node = arena.new(Node, { value: 3 });
    const seen: unknown[] = [];
    for (const call of ["mark", "reset", "dispose"] as const)
      arena.defer(() => {
        seen.push(node.value);
        arena[call]();
      });
    let thrown: unknown;
    try {
      arena.reset();
    } catch (error) {
      thrown = error;
    }
    expect((thrown as AggregateError).errors.map(String)).toEqual(
      ["dispose", "reset", "mark"].map(
        (call) => `TypeError: ${call}: the destructors of ${arena.name} are running`,
      ),
    );
    expect(seen).toEqual([3, 3, 3]);
    expect(arena.new(Node).value).toBe(0);
  });

  test("one that is added by another one runs, too", () => {
    const arena = heap.bump();
    const ran: number[] = [];
    arena.defer(() => {
      ran.push(1);
      arena.defer(() => ran.push(2));
    });
    arena.reset();
    expect(ran).toEqual([1, 2]);
    arena.dispose();
  });
});

describe("filling", () => {
  test("collect takes an iterable of any length, and keeps only what it needs", () => {
    using arena = heap.bump();
    function* squares(): Generator<number> {
      for (let index = 0; index < 1000; index++) yield index * index;
    }
    const made = arena.collect(f64, squares());
    expect(made.length).toBe(1000);
    expect(made.get(999)).toBe(998_001);
    const used = arena.usedBytes;
    arena.delete(made);
    expect(used - arena.usedBytes).toBe(8000);
  });

  test("collect of nothing is an empty array at an address of its own", () => {
    using arena = heap.bump();
    const none = arena.collect(u32, []);
    const byte = arena.newArray(u8, 1, [9]);
    expect(none.length).toBe(0);
    expect(none.ptr).not.toBe(0);
    arena.delete(none);
    expect(arena.newArray(u8, 1).ptr).not.toBe(byte.ptr);
    expect(byte.get(0)).toBe(9);
  });

  test("collect keeps what its values made in the arena, also when one of them throws", () => {
    using arena = heap.bump();
    const made: Ref<typeof Node>[] = [];
    function* values(): Generator<number> {
      for (let index = 0; index < 20; index++) {
        made.push(arena.new(Node, { value: index }));
        yield index;
      }
      throw new Error("no more");
    }
    expect(() => arena.collect(i32, values())).toThrow("no more");
    arena.newArray(u8, 200).fill(0xff);
    expect(made.map((node) => node.value)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test("collect whose values end its part of the arena throws", () => {
    using arena = heap.bump();
    function* values(): Generator<number> {
      yield 1;
      arena.reset();
      yield 2;
    }
    expect(() => arena.collect(i32, values())).toThrow(UseAfterFreeError);
    expect(arena.usedBytes).toBe(0);
  });

  test("collect gives back its own when a value throws", () => {
    using arena = heap.bump();
    arena.allocate(10, 1);
    const values = (function* (): Generator<number> {
      yield* [1, 2, 3];
      throw new Error("no more");
    })();
    expect(() => arena.collect(u8, values)).toThrow("no more");
    expect(arena.usedBytes).toBe(10);
  });

  test("collect without memory throws, and nothing is kept", () => {
    using arena = heap.bump({ limit: 2000 });
    expect(() => arena.collect(f64, Array(1000).fill(1))).toThrow(OutOfMemoryError);
    expect(arena.usedBytes).toBeLessThanOrEqual(1024);
  });

  test("utf8 takes a string's bytes", () => {
    using arena = heap.bump();
    expect(new TextDecoder().decode(arena.utf8("grüße").view())).toBe("grüße");
  });
});

describe("scopes", () => {
  test("each ends when its function does, also by an error", () => {
    const out: { ref?: Ref<typeof Node> } = {};
    const leak = (ref: unknown): void => {
      out.ref = ref as Ref<typeof Node>;
    };
    expect(heap.scope((scope) => scope.new(Node, { value: 4 }).value)).toBe(4);
    expect(() =>
      heap.scope((scope) => {
        leak(scope.new(Node));
        throw new Error("out");
      }),
    ).toThrow("out");
    expect(() => out.ref?.value).toThrow(UseAfterFreeError);
  });

  test("an outer one allocates while an inner one is open, and keeps that", () => {
    heap.scope((outer) => {
      const list = outer.new(Node, { value: 1 });
      outer.scope((inner) => {
        const near = inner.new(Node, { value: 2, next: list });
        const far = outer.new(Node, { value: 3 });
        list.next = far;
        expect(near.next?.next?.value).toBe(3);
      });
      expect(list.next?.value).toBe(3);
    });
  });

  test("an error in the body and one in a destructor are thrown together", () => {
    let thrown: unknown;
    try {
      heap.scope((scope) => {
        scope.defer(() => {
          throw new Error("destructor");
        });
        throw new Error("body");
      });
    } catch (error) {
      thrown = error;
    }
    expect((thrown as AggregateError).errors.map(String)).toEqual(["Error: body", "Error: destructor"]);
  });

  test("a promise is refused, and what it does later is no unhandled rejection", async () => {
    const body = async (scope: Bump): Promise<number> => {
      await undefined;
      return scope.new(Node).value;
    };
    const unhandled = await unhandledRejections(() => {
      // The types refuse it, too.
      expect(() => heap.scope(body as never)).toThrow(
        /a function that is done when it returns, got a promise/,
      );
    });
    expect(unhandled).toEqual([]);
  });
});

describe("an arena in an arena", () => {
  test("ends before the outer one does, and its references with it", () => {
    const outer = heap.bump();
    const inner = new Bump(outer);
    const ran: string[] = [];
    outer.defer(() => ran.push("before"));
    inner.defer(() => ran.push("inner"));
    outer.new(Node);
    const node = inner.new(Node, { value: 5 });
    outer.dispose();
    expect(ran).toEqual(["before", "inner"]);
    expect(() => node.value).toThrow(UseAfterFreeError);
    expect(() => inner.allocate(8, 8)).toThrow(/has ended/);
    inner.dispose();
  });

  test("ends with the mark that it was made after", () => {
    using outer = heap.bump();
    const mark = outer.mark();
    const inner = new Bump(outer);
    inner.allocate(8, 8);
    outer.release(mark);
    const taken = outer.allocate(1024, 16);
    // Giving its chunk back now would free what lies there since.
    inner.dispose();
    expect(outer.allocate(8, 8)).toBeGreaterThan(taken);
    expect(() => inner.allocate(8, 8)).toThrow(/has ended/);
  });

  test("gives its memory back to the outer one, when that can use it", () => {
    using outer = heap.bump();
    outer.allocate(16, 16);
    const used = outer.usedBytes;
    const inner = new Bump(outer, { chunkBytes: 64 });
    for (let index = 0; index < 5; index++) inner.allocate(50, 1);
    inner.dispose();
    expect(outer.usedBytes).toBe(used);
  });

  test("decides about references to its addresses, not the outer one", () => {
    using outer = heap.bump();
    const holder = outer.new(Node);
    const inner = new Bump(outer);
    holder.next = inner.new(Node, { value: 6 });
    const through = holder.next;
    expect(through?.value).toBe(6);
    inner.dispose();
    expect(() => through?.value).toThrow(UseAfterFreeError);
  });
});

test("without checking, a text that is written through a pointer is the arena's memory, not the heap's", () => {
  const fast = Heap.create({ checking: false });
  const arena = fast.bump();
  const first = arena.new(Named, { name: "the first one's name" });
  const second = arena.new(Named, { next: first });
  if (second.next) second.next.name = "another, which is longer";
  expect(first.name).toBe("another, which is longer");
  arena.dispose();
  expect(liveBlocks(fast)).toEqual([]);
  fast.check();
});

test("after dispose each call throws, and dispose does nothing", () => {
  const arena = heap.bump({ name: "frame" });
  const node = arena.new(Node);
  arena.dispose();
  arena.dispose();
  expect(() => node.value).toThrow(/Node at 0x[0-9a-f]+: used after frame had ended/);
  for (const call of [
    () => arena.new(Node),
    () => arena.mark(),
    () => arena.reset(),
    () => arena.defer(() => {}),
    () => arena.scope(() => 0),
  ])
    expect(call).toThrow(/frame has ended/);
});

test("options are refused by name", () => {
  expect(() => heap.bump({ chunks: 5 } as never)).toThrow(
    /unknown option "chunks"; known are name, chunkBytes, limit/,
  );
  expect(() => heap.bump({ toString: 5 } as never)).toThrow(/unknown option "toString"/);
  expect(() => heap.bump({ chunkBytes: 63 })).toThrow(/chunkBytes: expected an integer from 64 to/);
});
