// Refusing memory: a Memory says no at chosen moments. A refused call changes no live block and no free byte's owner;
// only unused slabs may have been given back, which is tried before a refusal is passed on. Then the heap serves on.

import { Heap, HeapMisuseError } from "morecore";
import { describe, expect, test } from "vitest";
import { CopyingMemory } from "../support/memories.ts";
import { expectEmpty, Shadow } from "../support/shadow.ts";

const WASM_PAGE = 65_536;

/** Refuses the requests that `refuses` picks by their number, from 1. */
class RefusingMemory extends CopyingMemory {
  asked = 0;
  refused = 0;
  refuses: (request: number) => boolean;

  constructor(refuses: (request: number) => boolean) {
    super(WASM_PAGE);
    this.refuses = refuses;
  }

  override grow(bytes: number): number {
    this.asked += 1;
    if (!this.refuses(this.asked)) return super.grow(bytes);
    this.refused += 1;
    return 0;
  }
}

/** Leaves a gap before each range that it gives, as a memory does that others grow too. */
class GappedMemory extends CopyingMemory {
  readonly gaps: number[] = [];

  override grow(bytes: number): number {
    const gap = super.grow(WASM_PAGE);
    if (gap === 0) return 0;
    new Uint8Array(this.buffer, gap, WASM_PAGE).fill(0x99);
    this.gaps.push(gap);
    return super.grow(bytes);
  }
}

const bytesOf = (heap: Heap): Uint8Array => new Uint8Array(heap.buffer).slice();

function liveBytesOf(heap: Heap): number {
  let bytes = 0;
  heap.inspectAll(({ state, size }) => {
    if (state === "live") bytes += size;
  });
  return bytes;
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

/** Every call that asks for memory, for more than there is; each must say no. */
const ASKING: readonly [string, (heap: Heap, block: number) => unknown][] = [
  ["malloc", (heap) => heap.malloc(100_000)],
  ["calloc", (heap) => heap.calloc(100, 1000)],
  ["realloc", (heap, block) => heap.realloc(block, 100_000)],
  ["realloc of 0", (heap) => heap.realloc(0, 100_000)],
  ["reallocInPlace", (heap, block) => heap.reallocInPlace(block, 100_000)],
  ["reallocarray", (heap, block) => heap.reallocarray(block, 100, 1000)],
  ["memalign", (heap) => heap.memalign(4096, 100_000)],
  ["alignedAlloc", (heap) => heap.alignedAlloc(4096, 100_000)],
  ["independentCalloc", (heap) => heap.independentCalloc(100, 1000)],
];

describe.each(ASKING)("a refused %s", (_, ask) => {
  test("leaves every byte of the memory as it was", () => {
    const heap = Heap.create({ memory: new RefusingMemory(() => true), smallLimit: 0 });
    const shadow = new Shadow(heap);
    for (const bytes of [100, 3000, 20]) shadow.add(heap.malloc(bytes), bytes);
    for (const block of [shadow.list[0], shadow.list[2]]) {
      const before = bytesOf(heap);
      expect(ask(heap, block?.ptr ?? 0) || undefined).toBeUndefined();
      expect(isSame(before, bytesOf(heap))).toBe(true);
    }
    heap.check();
    shadow.finish();
  });

  test("gives back unused slabs at most, and the second time changes nothing", () => {
    const memory = new RefusingMemory(() => true);
    const heap = Heap.create({ memory });
    const shadow = new Shadow(heap);
    for (let index = 0; index < 20; index++) shadow.add(heap.malloc(index * 30), index * 30);
    for (const block of shadow.list.filter((__, index) => index % 2 === 0)) {
      shadow.remove(block);
      heap.free(block.ptr);
    }
    const used = liveBytesOf(heap);
    const last = shadow.list.at(-1)?.ptr ?? 0;
    ask(heap, last);
    heap.check();
    shadow.verifyAll();
    shadow.expectAgreement();
    expect(liveBytesOf(heap)).toBe(used);
    const before = bytesOf(heap);
    ask(heap, last);
    expect(isSame(before, bytesOf(heap))).toBe(true);
    expect(memory.refused).toBeGreaterThan(0);
    shadow.finish();
  });

  test("succeeds once the memory gives again", () => {
    const memory = new RefusingMemory(() => true);
    const heap = Heap.create({ memory });
    // A block that can grow where it lies, as reallocInPlace asks: a chunk before top.
    const block = heap.malloc(1000);
    expect(ask(heap, block) || undefined).toBeUndefined();
    memory.refuses = () => false;
    expect(ask(heap, block)).toBeTruthy();
    heap.check();
  });
});

describe.each<[string, (request: number) => boolean]>([
  ["the first request", (request) => request === 1],
  ["the third request", (request) => request === 3],
  ["every other request", (request) => request % 2 === 0],
  ["two of three requests", (request) => request % 3 !== 0],
  ["every request after the fifth", (request) => request > 5],
])("a memory that refuses %s", (_, refuses) => {
  test.each([0, 1 / 2])("is served around, with advance %d, until all is freed", (advance) => {
    const memory = new RefusingMemory(refuses);
    const heap = Heap.create({ memory, advance, growthStep: 4096, footprintLimit: 4_000_000 });
    const shadow = new Shadow(heap);
    for (let index = 0; index < 120; index++) {
      const bytes = (index * 7919) % 40_000;
      const block = shadow.list[index % 7];
      const ptr = index % 4 === 3 && block ? heap.realloc(block.ptr, bytes) : heap.malloc(bytes);
      heap.check();
      if (ptr === 0) shadow.verifyAll();
      else if (index % 4 === 3 && block) shadow.move(block, ptr, bytes);
      else shadow.add(ptr, bytes);
    }
    expect(memory.refused).toBeGreaterThan(0);
    shadow.expectAgreement();
    shadow.finish();
    expectEmpty(heap, 1);
  });
});

test("an advance that is refused is asked for again without the advance", () => {
  const memory = new RefusingMemory((request) => request === 1);
  const heap = Heap.create({ memory, advance: 1, growthStep: 4096 });
  heap.malloc(60_000);
  expect(memory.asked).toBe(0);
  // More than a page has been used, so the advance is larger than what is needed.
  memory.refuses = () => false;
  heap.malloc(200_000);
  const before = memory.asked;
  memory.refuses = (request) => request === before + 1;
  for (let index = 0; memory.asked === before && index < 100; index++)
    expect(heap.malloc(10_000)).not.toBe(0);
  expect(memory.asked).toBe(before + 2);
  heap.check();
});

describe("a memory that leaves gaps", () => {
  /** A heap of several segments, with blocks in each. */
  function segmented(): { memory: GappedMemory; heap: Heap; shadow: Shadow } {
    const memory = new GappedMemory(WASM_PAGE);
    const heap = Heap.create({ memory, advance: 0, growthStep: 4096 });
    const shadow = new Shadow(heap);
    for (let index = 0; index < 30; index++) {
      const bytes = (index * 4001) % 30_000;
      shadow.add(heap.malloc(bytes), bytes);
      heap.check();
    }
    expect(memory.gaps.length).toBeGreaterThan(3);
    return { memory, heap, shadow };
  }

  test("makes segments, and all of them serve, merge and empty", () => {
    const { memory, heap, shadow } = segmented();
    shadow.expectAgreement();
    for (const block of shadow.list.filter((_, index) => index % 2 === 0)) {
      shadow.remove(block);
      heap.free(block.ptr);
      heap.check();
    }
    heap.trim();
    const before = memory.gaps.length;
    const [first] = shadow.list;
    const low = shadow.add(heap.malloc(3000), 3000);
    expect(low.ptr, "memory freed in an older segment is used again").toBeLessThan(memory.gaps.at(-1) ?? 0);
    expect(memory.gaps.length).toBe(before);
    expect(first).toBeDefined();
    shadow.finish();
    expectEmpty(heap, before + 1);
  });

  test("keeps what blocks in older segments contain when they are resized", () => {
    const { heap, shadow } = segmented();
    for (const block of shadow.list.slice(0, 12)) {
      for (const bytes of [block.bytes >>> 1, block.bytes + 5000, 10]) {
        const now = shadow.list.find(({ stamp }) => stamp === block.stamp) ?? shadow.list.at(-1);
        if (now === undefined) throw new Error("the block is gone");
        shadow.move(now, heap.realloc(now.ptr, bytes), bytes);
        heap.check();
      }
    }
    shadow.finish();
  });

  test("has its gaps left alone", () => {
    const { memory, shadow } = segmented();
    shadow.finish();
    for (const gap of memory.gaps) {
      expect(new Uint8Array(memory.buffer, gap, WASM_PAGE).every((byte) => byte === 0x99)).toBe(true);
    }
  });

  test("has addresses in its gaps refused as outside, with nothing changed", () => {
    const { memory, heap } = segmented();
    const before = bytesOf(heap);
    for (const gap of memory.gaps) {
      for (const address of [gap, gap + 16, gap + 4096, gap + WASM_PAGE - 16]) {
        for (const call of [
          () => heap.free(address),
          () => heap.realloc(address, 10),
          () => heap.usableSize(address),
          () => heap.bulkFree([address]),
          () => heap.freeSized(address, 10),
        ]) {
          expect(call).toThrow(expect.objectContaining({ code: "outside", address }));
        }
      }
    }
    expect(isSame(before, bytesOf(heap))).toBe(true);
  });

  test("has a second free in an older segment refused", () => {
    const { heap, shadow } = segmented();
    const [block] = shadow.list.filter(({ bytes }) => bytes > 2000);
    if (block === undefined) throw new Error("no such block");
    shadow.remove(block);
    heap.free(block.ptr);
    expect(() => heap.free(block.ptr)).toThrow(HeapMisuseError);
    expect(() => heap.free(block.ptr)).toThrow(expect.objectContaining({ code: "double-free" }));
    shadow.finish();
  });

  test("keeps the footprint within its limit across segments", () => {
    const memory = new GappedMemory(WASM_PAGE);
    const heap = Heap.create({ memory, advance: 0, footprintLimit: 300_000 });
    while (heap.malloc(10_000) !== 0) {
      heap.check();
      expect(heap.footprint).toBeLessThanOrEqual(300_000);
    }
    expect(heap.footprint).toBeGreaterThan(250_000);
  });
});

test("after a trim the memory is told what is not needed, and nothing of it is live", () => {
  const memory = new CopyingMemory(WASM_PAGE);
  const heap = Heap.create({ memory, growthStep: 4096 });
  const shadow = new Shadow(heap);
  shadow.add(heap.malloc(1000), 1000);
  heap.free(heap.malloc(300_000));
  heap.trim();
  expect(memory.released.length).toBe(1);
  const [from, to] = memory.released[0] ?? [0, 0];
  // The memory may zero what it was told; the heap comes back to it all the same.
  new Uint8Array(memory.buffer, from, to - from).fill(0);
  heap.check();
  shadow.add(heap.calloc(300_000), 300_000);
  shadow.finish();
});
