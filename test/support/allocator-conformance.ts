// Allocator conformance: what the heap and every arena must do alike, in any memory.
//
// Owns:  the tests that each allocator runs through; how to tell whether a heap has got everything back.
// Needs: a way to make the allocator in a heap, and to end it.

import {
  type Allocator,
  array,
  f64,
  type Heap,
  i32,
  isAlive,
  pointer,
  struct,
  text,
  UseAfterFreeError,
  u8,
  u32,
} from "morecore";
import { afterEach, describe, expect, test } from "vitest";
import type { HeapMaker } from "./memories.ts";
import { randomFrom } from "./random.ts";

/** An allocator that is tested. */
export interface Subject<L> {
  readonly allocator: Allocator<L>;
}

/** How to make one in a heap, and what it is good for. */
export interface SubjectMaker {
  readonly name: string;
  /** The largest size and alignment that it serves. Default: any. */
  readonly mostBytes?: number;
  readonly mostAlignment?: number;
  /** Whether it ends: a heap does not. */
  readonly ends: boolean;
  /** Makes it, hands it to the body, and ends it. */
  run(heap: Heap, body: <L>(allocator: Allocator<L>) => void): void;
}

const Node = struct({ value: i32, next: pointer(() => Node), at: f64 }, { name: "Node" });
const Words = struct({ a: u32, b: u32, c: u32 }, { name: "Words" });
const Named = struct({ name: text, age: u8 }, { name: "Named" });

/** The addresses of the blocks that a heap has given and not got back. */
export function liveBlocks(heap: Heap): number[] {
  const live: number[] = [];
  heap.inspectAll((piece) => {
    if (piece.state === "live") live.push(piece.ptr);
  });
  return live;
}

/** A block, and the byte that it was filled with. */
interface Stamped {
  at: number;
  bytes: number;
  stamp: number;
}

function stamp(heap: Heap, at: number, bytes: number, value: number): Stamped {
  heap.u8(at, bytes).fill(value);
  return { at, bytes, stamp: value };
}

function expectStamped(heap: Heap, { at, bytes, stamp: value }: Stamped): void {
  expect(heap.u8(at, bytes).every((byte) => byte === value)).toBe(true);
}

/** Runs an allocator through everything, in one kind of memory. */
export function describeAllocator(subject: SubjectMaker, memory: HeapMaker, seed: number): void {
  const { mostBytes = 20_000, mostAlignment = 4096 } = subject;
  let heap: Heap;
  let before: number[];

  const run = (body: <L>(allocator: Allocator<L>) => void): void => {
    heap = memory.make();
    heap.checking = true;
    before = liveBlocks(heap);
    subject.run(heap, body);
  };

  describe(`${subject.name}, in ${memory.name}`, () => {
    afterEach(() => {
      expect(liveBlocks(heap), "everything has been given back").toEqual(before);
      heap.check();
    });

    const free = <L>(allocator: Allocator<L>, blocks: readonly Stamped[], alignment = 1): void => {
      for (const { at, bytes } of blocks) allocator.deallocate(at, bytes, alignment);
    };

    test("every power of two is an alignment, for every size", () => {
      run((allocator) => {
        for (let alignment = 1; alignment <= mostAlignment; alignment *= 2) {
          const blocks: Stamped[] = [];
          for (const bytes of [0, 1, 3, 8, 17, 100, 255, 256, 1000].filter((size) => size <= mostBytes)) {
            const at = allocator.allocate(bytes, alignment);
            expect(at).not.toBe(0);
            expect(at % alignment, `${bytes} bytes aligned to ${alignment}`).toBe(0);
            blocks.push(stamp(heap, at, bytes, 1));
          }
          free(allocator, blocks, alignment);
        }
      });
    });

    test("blocks do not overlap, and keep their bytes until they are given back", () => {
      run((allocator) => {
        const random = randomFrom(seed);
        const blocks: Stamped[] = [];
        for (let step = 0; step < 400; step++) {
          if (random(3) === 0 && blocks.length > 0) {
            const [block] = blocks.splice(random(blocks.length), 1) as [Stamped];
            expectStamped(heap, block);
            allocator.deallocate(block.at, block.bytes, 1);
            continue;
          }
          const bytes = random(Math.min(mostBytes, random(20) === 0 ? 3000 : 200) + 1);
          const at = allocator.allocate(bytes, 1);
          expect(at).not.toBe(0);
          blocks.push(stamp(heap, at, bytes, 1 + random(255)));
        }
        for (const block of blocks) expectStamped(heap, block);
        free(allocator, blocks);
      });
    });

    test("reallocate keeps the contents up to the smaller size, and the alignment", () => {
      run((allocator) => {
        const random = randomFrom(seed + 1);
        const alignment = Math.min(64, mostAlignment);
        const blocks = Array.from({ length: 8 }, () => {
          const at = allocator.allocate(10, alignment);
          return stamp(heap, at, 10, 1 + random(255));
        });
        for (let step = 0; step < 300; step++) {
          const block = blocks[random(blocks.length)] as Stamped;
          const bytes = random(Math.min(mostBytes, 600)) + 1;
          const moved = allocator.reallocate(block.at, block.bytes, bytes, alignment);
          expect(moved).not.toBe(0);
          expect(moved % alignment).toBe(0);
          expectStamped(heap, { ...block, at: moved, bytes: Math.min(bytes, block.bytes) });
          Object.assign(block, stamp(heap, moved, bytes, 1 + random(255)));
        }
        for (const block of blocks) expectStamped(heap, block);
        free(allocator, blocks, alignment);
      });
    });

    test("reallocateInPlace moves nothing, says whether it could be, and touches no other block", () => {
      run((allocator) => {
        const random = randomFrom(seed + 2);
        const blocks = Array.from({ length: 8 }, () =>
          stamp(heap, allocator.allocate(10, 4), 10, 1 + random(255)),
        );
        const last = blocks.at(-1) as Stamped;
        expect(allocator.reallocateInPlace(last.at, last.bytes, 2 ** 31, 4)).toBe(false);
        for (let step = 0; step < 300; step++) {
          const block = blocks[random(blocks.length)] as Stamped;
          const bytes = random(Math.min(mostBytes, 100)) + 1;
          if (!allocator.reallocateInPlace(block.at, block.bytes, bytes, 4)) continue;
          expectStamped(heap, { ...block, bytes: Math.min(bytes, block.bytes) });
          Object.assign(block, stamp(heap, block.at, bytes, 1 + random(255)));
        }
        for (const block of blocks) expectStamped(heap, block);
        free(allocator, blocks, 4);
      });
    });

    test("without memory it answers 0, nothing has changed, and it goes on when there is some", () => {
      run((allocator) => {
        const bytes = Math.min(mostBytes, 500);
        const blocks: Stamped[] = [];
        const take = (): number => allocator.allocate(bytes, 4);
        heap.footprintLimit = heap.footprint + 8192;
        let at = take();
        for (; at !== 0; at = take()) blocks.push(stamp(heap, at, bytes, 1 + (blocks.length % 255)));
        expect(blocks.length).toBeGreaterThan(0);
        const refused = liveBlocks(heap);
        const last = blocks.at(-1) as Stamped;
        expect(take()).toBe(0);
        expect(allocator.allocate(2 ** 32 - 1, 1)).toBe(0);
        expect(allocator.allocate(2 ** 32 - 1, 4096)).toBe(0);
        expect(allocator.reallocate(last.at, last.bytes, 2 ** 31, 4)).toBe(0);
        expect(liveBlocks(heap)).toEqual(refused);
        for (const block of blocks) expectStamped(heap, block);
        free(allocator, blocks.splice(-1), 4);
        at = take();
        expect(at, "what was given back last can be had again").not.toBe(0);
        blocks.push(stamp(heap, at, bytes, 7));
        heap.footprintLimit = Number.POSITIVE_INFINITY;
        if (memory.grows) {
          at = take();
          expect(at).not.toBe(0);
          blocks.push(stamp(heap, at, bytes, 9));
        }
        for (const block of blocks) expectStamped(heap, block);
        free(allocator, blocks, 4);
      });
    });

    test("a size of 0 is an address, and can be given back", () => {
      run((allocator) => {
        const [a, b] = [allocator.allocate(0, 8), allocator.allocate(0, 1)];
        expect(a).not.toBe(0);
        expect(b).not.toBe(0);
        expect(a % 8).toBe(0);
        const grown = allocator.reallocate(b, 0, 5, 1);
        expect(grown).not.toBe(0);
        allocator.deallocate(grown, 5, 1);
        allocator.deallocate(a, 0, 8);
      });
    });

    test("what is no size or no alignment is refused", () => {
      run((allocator) => {
        for (const bytes of [-1, 1.5, 2 ** 32, Number.NaN])
          expect(() => allocator.allocate(bytes, 1), String(bytes)).toThrow(RangeError);
        // Also where there is room, and no need for the slow way.
        const at = allocator.allocate(8, 4);
        for (const bytes of [-1, 0.5]) expect(() => allocator.allocate(bytes, 1)).toThrow(RangeError);
        for (const alignment of [0, 3, 24, -4])
          expect(() => allocator.allocate(8, alignment), String(alignment)).toThrow(RangeError);
        allocator.deallocate(at, 8, 4);
      });
    });

    test("what is made is zero, and what is deleted is gone", () => {
      run((allocator) => {
        if (subject.mostBytes !== undefined) return;
        const dirty = allocator.allocate(64, 8);
        heap.u8(dirty, 64).fill(0xff);
        allocator.deallocate(dirty, 64, 8);
        const node = allocator.new(Node, { value: 5 });
        const words = allocator.new(Words);
        expect([node.value, node.next, node.at]).toEqual([5, null, 0]);
        expect([words.a, words.b, words.c]).toEqual([0, 0, 0]);
        const named = allocator.new(Named, { name: "a name that is long", age: 3 });
        named.name = "another";
        expect(named.name).toBe("another");
        const list = allocator.newArray(u32, 5, [1, 2, 3]);
        expect([...list]).toEqual([1, 2, 3, 0, 0]);
        allocator.delete(list);
        allocator.delete(named);
        expect(() => named.age).toThrow(UseAfterFreeError);
        allocator.delete(words);
        allocator.delete(node);
        expect(isAlive(node)).toBe(false);
      });
    });

    test("what cannot be filled is given back", () => {
      run((allocator) => {
        if (subject.mostBytes !== undefined) return;
        const count = liveBlocks(heap).length;
        const used = allocator.allocate(1, 1);
        allocator.deallocate(used, 1, 1);
        expect(() => allocator.new(Named, { name: 5 as never })).toThrow(TypeError);
        expect(() =>
          allocator.alloc(Named).init((made) => {
            made.name = "kept until it throws";
            throw new Error("init");
          }),
        ).toThrow("init");
        expect(() => allocator.newArray(text, 3, ["owned by the first", 5 as never])).toThrow(TypeError);
        const again = allocator.allocate(1, 1);
        if (subject.ends) expect(again, "an arena's last block").toBe(used);
        else expect(liveBlocks(heap)).toHaveLength(count + 1);
        allocator.deallocate(again, 1, 1);
      });
    });

    test("references outlive a growth of the memory", () => {
      run((allocator) => {
        if (subject.mostBytes !== undefined || !memory.grows) return;
        const node = allocator.new(Node, { value: 5 });
        node.next = node;
        const others = heap.malloc(1_000_000);
        expect(node.next?.value).toBe(5);
        heap.free(others);
        for (let index = 0; index < 20_000; index++) {
          const more = allocator.new(Node, { value: index });
          if (index % 1000 === 0) expect(more.value + node.value).toBe(index + 5);
          allocator.delete(more);
        }
        allocator.delete(node);
      });
    });

    test("after its end each use throws", () => {
      let ended = (): unknown => undefined;
      let allocate = (): unknown => undefined;
      run((allocator) => {
        const at = allocator.allocate(12, 4);
        const type = array(u8, 12);
        const made = allocator.refArray(type, at as never, 1);
        if (!subject.ends) {
          allocator.deallocate(at, 12, 4);
          return;
        }
        made.get(0).set(3, 9);
        ended = () => made.get(0);
        allocate = () => allocator.allocate(8, 8);
      });
      if (!subject.ends) return;
      expect(ended).toThrow(UseAfterFreeError);
      expect(allocate).toThrow(/ended/);
    });
  });
}
