// OffsetAllocator: what is promised of each call, one claim at a time. Random programs are in offset-model.test.ts.

import { describe, expect, it } from "vitest";
import { binOf, sureBinOf } from "../../src/offset/bins.ts";
import { type Allocation, OffsetAllocator } from "../../src/offset/index.ts";

/** An allocation that is there. */
function got(allocation: Allocation | undefined): Allocation {
  if (allocation === undefined) throw new Error("nothing was allocated");
  return allocation;
}

/** Holes of these sizes, in this order, an allocation of one byte behind each, and nothing else free. */
function withHoles(sizes: readonly number[]): OffsetAllocator {
  const allocator = new OffsetAllocator(sizes.reduce((sum, bytes) => sum + bytes + 1, 0));
  const blocks = sizes.map((bytes) => {
    const block = got(allocator.allocate(bytes));
    allocator.allocate(1);
    return block;
  });
  for (const block of blocks) allocator.free(block);
  expect([...allocator.freeRegions()].map(({ bytes }) => bytes)).toEqual(sizes);
  return allocator;
}

describe("allocate", () => {
  it("gives exactly what was asked for, from the range's beginning on", () => {
    const allocator = new OffsetAllocator(1000);
    const blocks = [100, 1, 899].map((bytes) => got(allocator.allocate(bytes)));
    expect(blocks.map((block) => [allocator.offsetOf(block), allocator.sizeOf(block)])).toEqual([
      [0, 100],
      [100, 1],
      [101, 899],
    ]);
    expect(allocator.allocate(1)).toBeUndefined();
    expect(allocator.report()).toMatchObject({ freeBytes: 0, holeCount: 0, largestHole: 0 });
    allocator.check();
  });

  it("serves a range beyond 4 GiB to the byte, up to 2^53 - 1", () => {
    const allocator = new OffsetAllocator(Number.MAX_SAFE_INTEGER);
    const low = got(allocator.allocate(2 ** 40 + 1));
    const high = got(allocator.allocate(Number.MAX_SAFE_INTEGER - 2 ** 40 - 1));
    expect(allocator.offsetOf(high)).toBe(2 ** 40 + 1);
    allocator.free(low);
    allocator.free(high);
    expect(allocator.sizeOf(got(allocator.allocate(Number.MAX_SAFE_INTEGER)))).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("a hole serves a request of its own size, at once and before larger ones", () => {
    // 1000 is inside a bin's range: rounded up, it would be looked for one bin above.
    expect(sureBinOf(1000)).toBe(binOf(1000) + 1);
    const allocator = withHoles([5000, 1000, 3000]);
    expect(allocator.offsetOf(got(allocator.allocate(1000)))).toBe(5001);
  });

  it("no request is refused while a hole has room, wherever it lies in its bin's list", () => {
    const sizes = Array.from({ length: 30 }, (_, index) => (index === 0 ? 1015 : 1000 + (index % 5)));
    expect(new Set(sizes.map(binOf)).size, "all in one bin").toBe(1);
    const allocator = withHoles(sizes);
    expect(allocator.allocate(1016)).toBeUndefined();
    // The first that was freed is the last in the list.
    expect(allocator.offsetOf(got(allocator.allocate(1015)))).toBe(0);
    expect(allocator.allocate(1015)).toBeUndefined();
    allocator.check();
  });

  it("aligns to any whole number, and leaves what lies before free", () => {
    const allocator = new OffsetAllocator(10_000);
    allocator.allocate(1);
    const alignments = [256, 12, 1000, 3, 1];
    const blocks = alignments.map((alignment) => got(allocator.allocate(10, alignment)));
    alignments.forEach((alignment, index) => {
      expect(allocator.offsetOf(got(blocks[index])) % alignment).toBe(0);
    });
    expect(allocator.offsetOf(got(blocks[0]))).toBe(256);
    expect(allocator.report().usedBytes, "nothing but what was asked for is in use").toBe(51);
    allocator.check();
  });

  it("an aligned request is served by the one hole whose aligned part just fits", () => {
    // Of all the holes only the last has a multiple of 64 with 40 bytes behind it, and it is smaller than the others.
    const allocator = new OffsetAllocator(64 * 40);
    const keep: Allocation[] = [];
    const drop: Allocation[] = [];
    for (let row = 0; row < 40; row++) {
      const last = row === 39;
      const sizes = last ? [40, 24] : [1, 63];
      const [first, second] = sizes.map((bytes) => got(allocator.allocate(bytes)));
      if (first === undefined || second === undefined) throw new Error("unreachable: two sizes");
      keep.push(last ? second : first);
      drop.push(last ? first : second);
    }
    for (const block of drop.reverse()) allocator.free(block);
    expect(allocator.allocate(41, 64)).toBeUndefined();
    expect(allocator.offsetOf(got(allocator.allocate(40, 64)))).toBe(64 * 39);
    expect(allocator.allocate(1, 64)).toBeUndefined();
    expect(keep.every((block) => allocator.has(block))).toBe(true);
    allocator.check();
  });

  it("an alignment beyond the range is met by offset 0 only", () => {
    const allocator = new OffsetAllocator(100);
    const first = got(allocator.allocate(10, Number.MAX_SAFE_INTEGER));
    expect(allocator.offsetOf(first)).toBe(0);
    expect(allocator.allocate(10, Number.MAX_SAFE_INTEGER)).toBeUndefined();
    allocator.free(first);
    expect(allocator.allocate(100, Number.MAX_SAFE_INTEGER)).toBeDefined();
  });
});

describe("free", () => {
  const ORDERS = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  it.each(ORDERS)("merges with free neighbours on both sides, in the order %d, %d, %d", (...order) => {
    const allocator = new OffsetAllocator(300);
    const blocks = [100, 100, 100].map((bytes) => got(allocator.allocate(bytes)));
    for (const index of order) {
      allocator.free(got(blocks[index]));
      allocator.check();
    }
    expect([...allocator.freeRegions()]).toEqual([{ offset: 0, bytes: 300 }]);
  });

  it("of what allocations() lists, all may be freed in the course of it", () => {
    const allocator = new OffsetAllocator(100);
    for (let block = 0; block < 10; block++) allocator.allocate(10);
    for (const { allocation } of allocator.allocations()) allocator.free(allocation);
    expect(allocator.report()).toMatchObject({ allocationCount: 0, holeCount: 1, largestHole: 100 });
  });
});

describe("grow", () => {
  it("makes a free end longer, and adds a hole behind a used one", () => {
    const allocator = new OffsetAllocator(100);
    allocator.allocate(60);
    allocator.grow(60);
    expect([...allocator.freeRegions()]).toEqual([{ offset: 60, bytes: 100 }]);
    allocator.allocate(100);
    allocator.grow(1);
    expect([...allocator.freeRegions()]).toEqual([{ offset: 160, bytes: 1 }]);
    expect(allocator.bytes).toBe(161);
    allocator.check();
  });

  it("begins with nothing just as well, and moves nothing", () => {
    const allocator = new OffsetAllocator(0);
    expect(allocator.allocate(1)).toBeUndefined();
    allocator.check();
    allocator.grow(10);
    const block = got(allocator.allocate(10));
    allocator.grow(10);
    expect(allocator.offsetOf(block)).toBe(0);
    expect(allocator.offsetOf(got(allocator.allocate(10)))).toBe(10);
  });
});

describe("reset", () => {
  it("frees all, keeps what the range grew to, and goes on as a new allocator would", () => {
    const used = new OffsetAllocator(100);
    for (let block = 0; block < 10; block++) used.allocate(7, 4);
    used.grow(50);
    used.reset();
    used.check();
    const fresh = new OffsetAllocator(150);
    const offsets = (allocator: OffsetAllocator) =>
      [3, 50, 20, 9].map((bytes) => allocator.offsetOf(got(allocator.allocate(bytes, 8))));
    expect(offsets(used)).toEqual(offsets(fresh));
  });
});

describe("the state", () => {
  it("do not grow while there are no more regions than was said", () => {
    const allocator = new OffsetAllocator(2 ** 20, { regions: 101 });
    const { bookBytes } = allocator.report();
    const blocks = Array.from({ length: 100 }, () => got(allocator.allocate(10)));
    for (let round = 0; round < 1000; round++) {
      const index = (round * 7) % 100;
      allocator.free(got(blocks[index]));
      blocks[index] = got(allocator.allocate(10));
    }
    expect(allocator.report().bookBytes).toBe(bookBytes);
    for (let block = 0; block < 4; block++) allocator.allocate(1);
    expect(allocator.report().bookBytes).toBeGreaterThan(bookBytes);
    allocator.check();
  });

  it("cost 36 bytes a region", () => {
    const bytes = (regions: number) => new OffsetAllocator(0, { regions }).report().bookBytes;
    expect(bytes(1064) - bytes(64)).toBe(36_000);
  });
});

describe("report", () => {
  it("counts free bytes by size, smallest first", () => {
    const allocator = withHoles([1000, 5, 1001, 4096]);
    expect([...allocator.freeBins()]).toEqual([
      { least: 5, most: 5, count: 1, bytes: 5 },
      { least: 992, most: 1023, count: 2, bytes: 2001 },
      { least: 4096, most: 4351, count: 1, bytes: 4096 },
    ]);
    expect(allocator.report()).toMatchObject({
      usedBytes: 4,
      freeBytes: 6102,
      largestHole: 4096,
      holeCount: 4,
    });
  });
});
