// Design claims: what this design promises beyond what any allocator does: sizes, places, slabs, when it trims. Like the
// conformance suite, it is declared for each kind of memory.

import { describe, expect, test } from "vitest";
import { exhausted, expectWhole, freeOne } from "../../../../test/support/conformance.ts";
import type { HeapMaker } from "../../../../test/support/memories.ts";
import { SlabShadow as Shadow } from "./slab-shadow.ts";

const MAX_REQUEST = 2 ** 31 - 1;

export function designClaims(name: string, make: HeapMaker["make"]): void {
  describe(name, () => {
    sizes(make);
    places(make);
    slabs(make);
    trimming(make);
  });
}

function sizes(make: HeapMaker["make"]): void {
  test("usableSize is what goodSize promised, with slabs of all sizes, of some and of none", () => {
    for (const smallLimit of [496, 256, 16, 0]) {
      const each = make({ smallLimit });
      for (const bytes of [
        0, 1, 12, 13, 16, 17, 28, 29, 112, 240, 241, 256, 257, 272, 496, 497, 1020, 1021, 50_000,
      ])
        expect(each.usableSize(each.malloc(bytes))).toBe(each.goodSize(bytes));
    }
    const heap = make();
    expect(heap.usableSize(0)).toBe(0);
    expect(heap.goodSize(MAX_REQUEST + 1)).toBe(0);
  });

  test("a request up to smallLimit gets the next multiple of 16 bytes, a larger one 4 bytes less", () => {
    const heap = make({ smallLimit: 48 });
    const sizes = [0, 1, 16, 17, 32, 33, 40, 41, 44, 45, 60, 61].map((bytes) => heap.goodSize(bytes));
    expect(sizes).toEqual([16, 16, 16, 32, 32, 48, 48, 48, 48, 48, 60, 76]);
  });

  test("a small block stays while its size class does, and moves when that changes", () => {
    const heap = make();
    const shadow = new Shadow(heap);
    let block = shadow.add(heap.malloc(100), 100);
    for (const bytes of [97, 112, 100]) {
      const ptr = heap.realloc(block.ptr, bytes);
      expect(ptr).toBe(block.ptr);
      shadow.move(block, ptr, bytes);
      block = shadow.blocks.get(ptr) ?? block;
    }
    for (const bytes of [113, 96, 0, 256, 257]) {
      const ptr = heap.realloc(block.ptr, bytes);
      expect(ptr).not.toBe(block.ptr);
      shadow.move(block, ptr, bytes);
      block = shadow.blocks.get(ptr) ?? block;
      expect(block.usable).toBe(heap.goodSize(bytes));
      heap.check();
    }
    shadow.finish();
  });

  test("a small block that has nowhere to shrink to stays where it is, and is freed with its new size", () => {
    const heap = make();
    const small = heap.malloc(240);
    heap.footprintLimit = 0;
    const ptrs: number[] = [];
    for (const bytes of [10_000, 100, 20, 12])
      for (let ptr = heap.malloc(bytes); ptr !== 0; ptr = heap.malloc(bytes)) ptrs.push(ptr);
    heap.u8(small).fill(0x6b);
    expect(heap.realloc(small, 20)).toBe(small);
    expect(heap.usableSize(small)).toBe(240);
    expect(heap.u8(small).every((byte) => byte === 0x6b)).toBe(true);
    heap.check();
    heap.freeSized(small, 20);
    heap.bulkFree(ptrs);
    expectWhole(heap);
  });

  test("a block whose size was changed where it lies is freed with that size", () => {
    for (const bytes of [0, 20, 112, 240]) {
      for (const before of [112, 200, 256, 1000]) {
        const heap = make();
        const ptr = heap.malloc(before);
        const changed = heap.reallocInPlace(ptr, bytes) === ptr;
        expect(changed).toBe(bytes <= before);
        heap.freeSized(ptr, changed ? bytes : before);
        expectWhole(heap);
      }
    }
  });

  test("realloc(p, 0) gives a smallest block", () => {
    const heap = make();
    const ptr = heap.realloc(heap.malloc(100), 0);
    expect(heap.usableSize(ptr)).toBe(heap.goodSize(0));
  });
}

function places(make: HeapMaker["make"]): void {
  test("small blocks of one size lie side by side, without headers, in the order of their addresses", () => {
    for (const bytes of [0, 16, 17, 112, 240, 256]) {
      const heap = make();
      const ptrs = Array.from({ length: 4 }, () => heap.malloc(bytes));
      const size = heap.goodSize(bytes);
      const [first = 0] = ptrs;
      expect(ptrs).toEqual([0, 1, 2, 3].map((index) => first + index * size));
      // Freed in any order, they come back in that order.
      for (const index of [2, 0, 3, 1]) heap.free(ptrs[index] ?? 0);
      heap.check();
      expect(Array.from({ length: 4 }, () => heap.malloc(bytes))).toEqual(ptrs);
      heap.bulkFree(ptrs);
      expectWhole(heap);
    }
  });

  test("calloc gets the memory that was freed last, and zeroes it", () => {
    for (const smallLimit of [0, 256, 496]) {
      const heap = make({ smallLimit });
      for (const bytes of [20, 400, 500, 3000, 40_000]) {
        const dirty = heap.malloc(bytes);
        heap.u8(dirty).fill(0xff);
        heap.free(dirty);
        const clean = heap.calloc(1, bytes);
        expect(clean).toBe(dirty);
        expect(heap.u8(clean).every((byte) => byte === 0)).toBe(true);
      }
    }
  });

  test("realloc grows into free memory behind the block, and moves where there is none", () => {
    const heap = make({ smallLimit: 0 });
    const shadow = new Shadow(heap);
    const first = heap.malloc(200);
    const behind = heap.malloc(200);
    const wall = heap.malloc(200);
    const block = shadow.add(first, 200);
    shadow.add(wall, 200);
    shadow.move(block, heap.realloc(first, 20), 20);
    heap.free(behind);
    const grown = heap.realloc(first, 350);
    expect(grown).toBe(first);
    shadow.move({ ...block, bytes: 20, stamp: shadow.blocks.get(first)?.stamp ?? 0 }, grown, 350);
    const moved = heap.realloc(first, 5000);
    expect(moved).not.toBe(first);
    shadow.move({ ...block, bytes: 350, stamp: shadow.blocks.get(first)?.stamp ?? 0 }, moved, 5000);
    heap.check();
    shadow.finish();
  });

  test("independent blocks lie side by side", () => {
    const heap = make();
    const same = heap.independentCalloc(20, 100) ?? [];
    expect(same.slice(1).map((ptr, index) => ptr - (same[index] ?? 0))).toEqual(Array(19).fill(112));
    heap.bulkFree(same);
    expectWhole(heap);
  });
}

function slabs(make: HeapMaker["make"]): void {
  test("a small request is served by a chunk where there is no room for a slab", () => {
    const { heap, ptrs } = exhausted(make, { smallLimit: 0 });
    heap.options.smallLimit = 496;
    const [large = 0] = ptrs;
    // What is freed has room for the block, but not for a slab of such.
    const kept = heap.realloc(large, heap.usableSize(large) - 200);
    expect(kept).toBe(large);
    const shadow = new Shadow(heap);
    const block = shadow.add(heap.malloc(100), 100);
    expect(block.usable).toBe(108);
    heap.check();
    expect(heap.malloc(100)).toBe(0);
    heap.freeSized(block.ptr, 100);
    heap.bulkFree(ptrs);
    expectWhole(heap);
  });

  test("bulkFree frees all, and gives back the slabs", () => {
    const heap = make();
    const ptrs = Array.from({ length: 100 }, (_, index) => heap.malloc(index * 13));
    heap.bulkFree(ptrs);
    expect(heap.mallinfo().smblks).toBe(0);
    expectWhole(heap);
  });

  test("mallinfo tells free blocks of slabs from free chunks", () => {
    const heap = make();
    const shadow = new Shadow(heap);
    for (let index = 0; index < 60; index++) shadow.add(heap.malloc(index * 41), index * 41);
    for (const block of shadow.list.filter((_, index) => index % 2 === 0)) freeOne(shadow, block);
    shadow.expectAgreement();
    const info = heap.mallinfo();
    expect(info.smblks, "the scenario has free blocks in slabs").toBeGreaterThan(0);
    expect(info.ordblks, "the scenario has free chunks").toBeGreaterThan(1);
    shadow.finish();
    shadow.expectAgreement();
  });
}

function trimming(make: HeapMaker["make"]): void {
  test("trim gives back whole growth steps, but for the pad", () => {
    const heap = make({ growthStep: 4096 });
    const ptr = heap.malloc(200_000);
    heap.free(ptr);
    const full = heap.footprint;
    expect(heap.trim(100_000)).toBe(true);
    const padded = heap.footprint;
    expect(padded).toBeLessThan(full);
    expect(heap.mallinfo().keepcost).toBeGreaterThanOrEqual(100_000);
    expect(heap.trim()).toBe(true);
    expect(heap.footprint).toBeLessThan(padded);
    expect(heap.mallinfo().keepcost).toBeLessThan(4096);
    expect(heap.trim()).toBe(false);
    expect(heap.maxFootprint).toBe(full);
    expect(heap.malloc(200_000)).toBe(ptr);
    heap.check();
  });

  test("a free that leaves top above the threshold trims it", () => {
    const heap = make({ growthStep: 4096, trimThreshold: 10_000 });
    heap.free(heap.malloc(200_000));
    expect(heap.mallinfo().keepcost).toBeLessThan(4096);
    expect(heap.statistics().trimCount).toBe(1);
    heap.check();
  });

  test("a heap uses its limit up to the last chunk", () => {
    const heap = make({ growthStep: 65_536 });
    heap.footprintLimit = 150_000;
    while (heap.malloc(1000) !== 0);
    expect(heap.footprint).toBeGreaterThan(149_000);
  });

  test("in a heap that cannot grow, a block does not grow by a single byte where it is followed", () => {
    const { heap, ptrs } = exhausted(make);
    const [ptr = 0] = ptrs;
    const more = heap.usableSize(ptr) + 1;
    expect(heap.realloc(ptr, more)).toBe(0);
    expect(heap.reallocInPlace(ptr, more)).toBe(0);
    heap.bulkFree(ptrs);
    expectWhole(heap);
  });
}
