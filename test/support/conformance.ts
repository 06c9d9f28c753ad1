// Conformance: what every heap does, whatever memory it lives in and whatever kernel serves it. One suite; each memory is put
// through all of it. It knows no more than any-heap.ts; what one design promises beyond is in packages/morecore/test/kernel.

import { Heap, type HeapSettings } from "morecore";
import { describe, expect, test } from "vitest";
import type { AnyHeap } from "./any-heap.ts";
import { FIXED_BYTES, type HeapMaker } from "./memories.ts";
import { expectEmpty, Shadow } from "./shadow.ts";

const MAX_REQUEST = 2 ** 31 - 1;
const WORD_MAX = 2 ** 32 - 1;
const EINVAL = 22;
const ENOMEM = 12;

/** A fresh, empty heap each time. */
type Make = (settings?: Partial<HeapSettings>) => AnyHeap;

/** The classes of memories that come in stretches. By their names: what is built does not export the first. */
const IN_STRETCHES: ReadonlySet<string> = new Set(["ModuleMemory", "SbrkMemory"]);
const isInStretches = (heap: AnyHeap): boolean => IN_STRETCHES.has(heap.memory.constructor.name);

/**
 * expectEmpty; all is one free piece, but where memory comes in stretches, which never merge: a module's loans, and what others of the
 * process move the break between.
 */
export function expectWhole(heap: AnyHeap): void {
  expectEmpty(heap, isInStretches(heap) ? undefined : 1);
}

/**
 * Declares the suite for one kind of memory. `make` gives a fresh, empty heap each time; `keepsBuffer`: its memory's buffer is
 * the same after a growth.
 */
export function conformance(
  name: string,
  make: HeapMaker["make"],
  grows: boolean,
  keepsBuffer: boolean = !grows,
): void {
  describe(name, () => {
    allocating(make, grows);
    windows(make, grows, keepsBuffer);
  });
}

/** Declares the tests that any allocator must pass. */
export function allocating(make: Make, grows: boolean): void {
  single(make);
  resizing(make);
  refusals(make);
  aligned(make);
  bulk(make);
  information(make, grows);
}

/** A heap that has used what it has and may not get more: nothing larger than a few granules can be had. */
export function exhausted<H extends AnyHeap>(
  make: (settings?: Partial<HeapSettings>) => H,
  settings: Partial<HeapSettings> = {},
): { heap: H; ptrs: number[] } {
  const heap = make({ growthStep: 65_536, ...settings });
  heap.footprintLimit = 0;
  const ptrs: number[] = [];
  for (const bytes of [10_000, 100, 12]) {
    for (let ptr = heap.malloc(bytes); ptr !== 0; ptr = heap.malloc(bytes)) ptrs.push(ptr);
  }
  return { heap, ptrs };
}

function single(make: Make): void {
  test("malloc(0) gives addresses of its own, each to be freed", () => {
    const heap = make();
    const ptrs = Array.from({ length: 10 }, () => heap.malloc(0));
    expect(new Set(ptrs).size).toBe(10);
    expect(ptrs).not.toContain(0);
    for (const ptr of ptrs) heap.free(ptr);
    expectWhole(heap);
  });

  test("free(0) changes no byte of the heap", () => {
    const heap = make();
    heap.malloc(100);
    const image = (): Uint8Array => new Uint8Array(heap.buffer, heap.base, heap.footprint);
    const before = image().slice();
    heap.free(0);
    heap.freeSized(0, 17);
    heap.freeAlignedSized(0, 64, 17);
    heap.bulkFree([0, 0]);
    expect(Buffer.compare(before, image())).toBe(0);
  });

  test("usableSize is what goodSize promised, and 0 for 0", () => {
    const heap = make();
    const sizes = [
      ...[0, 1, 12, 13, 16, 17, 28, 29, 112, 240, 241, 256, 257, 272, 273, 480, 481, 496, 497],
      ...[512, 513, 576, 577, 1024, 1025],
      ...[1020, 1021, 50_000],
    ];
    // A heap of morecore's that can grow so far serves some of them in another way then.
    for (const large of [0, 1 << 20]) {
      heap.free(heap.malloc(large));
      for (const bytes of sizes) {
        const promised = heap.goodSize(bytes);
        expect(promised).toBeGreaterThanOrEqual(bytes);
        const ptr = heap.malloc(bytes);
        expect(heap.usableSize(ptr)).toBe(promised);
        expect(heap.goodSize(bytes)).toBe(promised);
      }
    }
    expect(heap.usableSize(0)).toBe(0);
    expect(heap.goodSize(MAX_REQUEST + 1)).toBe(0);
  });

  test("thousands of small blocks of all sizes fill slabs, leave them, come back and vanish without a trace", () => {
    const heap = make();
    // A heap of morecore's that can grow so far has the larger of these blocks in slabs, too.
    heap.free(heap.malloc(1 << 20));
    const shadow = new Shadow(heap);
    for (let index = 0; index < 1500; index++) {
      const bytes = (index * 37) % 497;
      shadow.add(heap.malloc(bytes), bytes);
    }
    heap.check();
    // Most slabs are left with room, some are emptied: what is over of them is listed, or given back.
    for (const block of shadow.list.filter((_, index) => index % 4 !== 0 || index < 700))
      freeOne(shadow, block);
    heap.check();
    shadow.expectAgreement();
    for (let index = 0; index < 1000; index++) {
      const bytes = (index * 53) % 497;
      shadow.add(heap.malloc(bytes), bytes);
    }
    heap.check();
    shadow.expectAgreement();
    shadow.finish();
    expectWhole(heap);
  });

  test("calloc is zero in memory that was used before", () => {
    const heap = make();
    for (const bytes of [20, 500, 3000, 40_000]) {
      const dirty = Array.from({ length: 3 }, () => heap.malloc(bytes));
      for (const ptr of dirty) heap.u8(ptr).fill(0xff);
      for (const ptr of dirty) heap.free(ptr);
      const clean = heap.calloc(1, bytes);
      expect(heap.u8(clean).every((byte) => byte === 0)).toBe(true);
    }
  });

  test("calloc is zero after a trim gave back what was written", () => {
    const heap = make({ growthStep: 4096 });
    const dirty = heap.malloc(100_000);
    heap.u8(dirty).fill(0xff);
    heap.free(dirty);
    heap.trim();
    heap.check();
    expect(heap.u8(heap.calloc(100_000)).every((byte) => byte === 0)).toBe(true);
  });

  test("calloc is zero in the bytes that realloc has shrunk a block by", () => {
    const heap = make();
    const ptr = heap.malloc(5000);
    heap.u8(ptr).fill(0xff);
    heap.realloc(ptr, 100);
    const clean = heap.calloc(4000);
    expect(heap.u8(clean).every((byte) => byte === 0)).toBe(true);
  });
}

function resizing(make: Make): void {
  test("realloc(0, n) allocates", () => {
    const heap = make();
    const shadow = new Shadow(heap);
    shadow.add(heap.realloc(0, 100), 100);
    shadow.add(heap.reallocarray(0, 10, 10), 100);
    expect(heap.reallocInPlace(0, 100)).toBe(0);
    shadow.finish();
  });

  test("realloc(p, 0) gives a block, and frees where the option says so", () => {
    const heap = make();
    const ptr = heap.realloc(heap.malloc(100), 0);
    expect(ptr).not.toBe(0);
    heap.options.zeroSizeRealloc = "free";
    expect(heap.realloc(ptr, 0)).toBe(0);
    expect(heap.reallocarray(heap.malloc(50), 7, 0)).toBe(0);
    expectWhole(heap);
  });

  test("realloc keeps the contents wherever the block goes", () => {
    const heap = make();
    const shadow = new Shadow(heap);
    let block = shadow.add(heap.malloc(200), 200);
    const behind = heap.malloc(200);
    shadow.add(heap.malloc(200), 200);
    block = shadow.move(block, heap.realloc(block.ptr, 20), 20);
    heap.free(behind);
    for (const bytes of [350, 5000, 300, 256, 40_000, 1]) {
      block = shadow.move(block, heap.realloc(block.ptr, bytes), bytes);
      heap.check();
    }
    shadow.finish();
  });

  test("a block can always shrink, and is freed with its new size", () => {
    const { heap, ptrs } = exhausted(make);
    const [ptr = 0] = ptrs.splice(0, 1);
    const had = heap.usableSize(ptr);
    heap.u8(ptr).fill(0x6b);
    const bytes = Math.floor(had / 2);
    const shrunk = heap.realloc(ptr, bytes);
    expect(shrunk).not.toBe(0);
    expect(heap.u8(shrunk, bytes).every((byte) => byte === 0x6b)).toBe(true);
    heap.check();
    heap.freeSized(shrunk, bytes);
    heap.bulkFree(ptrs);
    expectWhole(heap);
  });

  test("a block whose size was changed where it lies is freed with that size", () => {
    for (const bytes of [0, 20, 112, 240]) {
      for (const before of [112, 200, 256, 496, 600, 1000]) {
        const heap = make();
        const ptr = heap.malloc(before);
        const changed = heap.reallocInPlace(ptr, bytes);
        if (bytes <= before) expect(changed).toBe(ptr);
        heap.freeSized(ptr, changed === ptr ? bytes : before);
        expectWhole(heap);
      }
    }
  });

  test("reallocInPlace never moves, and fails with the block as it was", () => {
    const heap = make();
    const shadow = new Shadow(heap);
    const block = shadow.add(heap.malloc(100), 100);
    shadow.add(heap.malloc(100), 100);
    for (const bytes of [5000, MAX_REQUEST, WORD_MAX]) {
      const ptr = heap.reallocInPlace(block.ptr, bytes);
      expect(ptr === 0 || ptr === block.ptr).toBe(true);
      shadow.verify(block);
    }
    expect(heap.reallocInPlace(block.ptr, 50)).toBe(block.ptr);
    shadow.move(block, block.ptr, 50);
    shadow.finish();
  });
}

function refusals(make: Make): void {
  test("a realloc that fails leaves the block as it was", () => {
    const { heap, ptrs } = exhausted(make);
    const [ptr = 0] = ptrs;
    const bytes = heap.usableSize(ptr);
    heap.u8(ptr).fill(0x5a);
    for (const more of [bytes + 20_000, 1_000_000, MAX_REQUEST, MAX_REQUEST + 1, WORD_MAX]) {
      expect(heap.realloc(ptr, more)).toBe(0);
      expect(heap.reallocInPlace(ptr, more)).toBe(0);
      expect(heap.reallocarray(ptr, more, 1)).toBe(0);
    }
    expect(heap.usableSize(ptr)).toBe(bytes);
    expect(heap.u8(ptr).every((byte) => byte === 0x5a)).toBe(true);
    heap.check();
    heap.bulkFree(ptrs);
    expectWhole(heap);
  });

  test("products that overflow give no memory", () => {
    const heap = make();
    const ptr = heap.malloc(10);
    for (const [count, bytes] of [
      [2 ** 16, 2 ** 16],
      [2 ** 31, 2],
      [2 ** 16 + 1, 2 ** 16 - 1],
      [WORD_MAX, WORD_MAX],
      [3, 2 ** 31 - 1],
    ] as const) {
      expect(heap.calloc(count, bytes)).toBe(0);
      expect(heap.reallocarray(ptr, count, bytes)).toBe(0);
      expect(heap.reallocarray(0, count, bytes)).toBe(0);
      expect(heap.independentCalloc(count, bytes)).toBeUndefined();
      heap.check();
    }
    expect(heap.independentComalloc([MAX_REQUEST, MAX_REQUEST, 100])).toBeUndefined();
    expect(heap.independentComalloc([WORD_MAX])).toBeUndefined();
    heap.free(ptr);
    expectWhole(heap);
  });

  test("with a footprint limit of 0 the heap never grows", () => {
    const { heap, ptrs } = exhausted(make);
    const bytes = heap.footprint;
    expect(heap.malloc(1000)).toBe(0);
    expect(heap.calloc(1000)).toBe(0);
    expect(heap.memalign(64, 1000)).toBe(0);
    expect(heap.independentCalloc(10, 100)).toBeUndefined();
    expect(heap.independentComalloc([100, 1000])).toBeUndefined();
    expect(heap.footprint).toBe(bytes);
    heap.check();
    heap.bulkFree(ptrs);
    expectWhole(heap);
  });

  test("the footprint never exceeds its limit, and reaches it", () => {
    const heap = make({ growthStep: 65_536 });
    heap.footprintLimit = 150_000;
    while (heap.malloc(1000) !== 0) expect(heap.footprint).toBeLessThanOrEqual(150_000);
    expect(heap.footprint).toBeGreaterThan(135_000);
    heap.check();
  });
}

function aligned(make: Make): void {
  test("memalign gives multiples of every power of two up to 65536", () => {
    const heap = make();
    const shadow = new Shadow(heap);
    for (let alignment = 1; alignment <= 65_536; alignment *= 2) {
      shadow.add(heap.memalign(alignment, 100), 100, alignment);
      shadow.add(heap.alignedAlloc(alignment, 3), 3, alignment);
      heap.check();
      // What lies before an aligned block is free, not lost: the memories of the suite are small.
      if (alignment > 1024) for (const block of shadow.list.slice(-2)) freeOne(shadow, block);
    }
    shadow.finish();
  });

  test("memalign rounds up an alignment that is no power of two", () => {
    const heap = make();
    expect(heap.memalign(33, 10) % 64).toBe(0);
    expect(heap.memalign(1000, 10) % 1024).toBe(0);
    expect(heap.memalign(0, 10)).not.toBe(0);
    heap.check();
  });

  test("memalign refuses what cannot be", () => {
    const heap = make();
    for (const alignment of [2 ** 30 + 1, 2 ** 31, WORD_MAX]) expect(heap.memalign(alignment, 10)).toBe(0);
    expect(heap.memalign(64, MAX_REQUEST - 10)).toBe(0);
    expect(heap.memalign(64, WORD_MAX)).toBe(0);
    expectWhole(heap);
  });

  test("posixMemalign stores the address, or leaves the result alone", () => {
    const { heap, ptrs } = exhausted(make);
    const result = ptrs.pop() ?? 0;
    heap.u32(result, 1)[0] = 4711;
    expect(heap.posixMemalign(result, 0, 100)).toBe(EINVAL);
    expect(heap.posixMemalign(result, 2, 100)).toBe(EINVAL);
    expect(heap.posixMemalign(result, 24, 100)).toBe(EINVAL);
    expect(heap.posixMemalign(result, 64, 10_000)).toBe(ENOMEM);
    expect(heap.posixMemalign(result, 64, WORD_MAX)).toBe(ENOMEM);
    expect(heap.u32(result, 1)[0]).toBe(4711);
    heap.bulkFree(ptrs);
    expect(heap.posixMemalign(result, 64, 10_000)).toBe(0);
    const ptr = heap.u32(result, 1)[0] ?? 0;
    expect(ptr % 64).toBe(0);
    heap.freeAlignedSized(ptr, 64, 10_000);
    heap.free(result);
    expectWhole(heap);
  });
}

function bulk(make: Make): void {
  test("independent blocks are freed each on its own, those of calloc are zero", () => {
    const heap = make();
    const shadow = new Shadow(heap);
    const dirty = heap.malloc(3000);
    heap.u8(dirty).fill(0xff);
    heap.free(dirty);
    const same = heap.independentCalloc(20, 100) ?? [];
    const sizes = [0, 1, 100, 2000, 12, 13];
    const different = heap.independentComalloc(sizes) ?? [];
    for (const ptr of same) {
      shadow.addZero(ptr, 100);
    }
    sizes.forEach((bytes, index) => {
      shadow.add(different[index] ?? 0, bytes);
    });
    heap.check();
    for (const block of shadow.list.filter((_, index) => index % 3 === 0)) freeOne(shadow, block);
    heap.check();
    shadow.finish();
  });

  test("of nothing, the independent calls make an empty list and keep no memory", () => {
    const heap = make();
    expect(heap.independentCalloc(0, 100)).toEqual([]);
    expect(heap.independentComalloc([])).toEqual([]);
    expectWhole(heap);
  });

  test("bulkFree frees all, and skips zeros", () => {
    const heap = make();
    const ptrs = Array.from({ length: 100 }, (_, index) => heap.malloc(index * 13));
    heap.bulkFree([0, ...ptrs, 0]);
    expectWhole(heap);
  });
}

function information(make: Make, grows: boolean): void {
  test("mallinfo adds up and agrees with inspectAll", () => {
    const heap = make();
    const shadow = new Shadow(heap);
    for (let index = 0; index < 60; index++) shadow.add(heap.malloc(index * 41), index * 41);
    for (const block of shadow.list.filter((_, index) => index % 2 === 0)) freeOne(shadow, block);
    shadow.expectAgreement();
    shadow.finish();
    shadow.expectAgreement();
  });

  test("trim gives back what is free at the end, but for the pad; the peak stays known", () => {
    const heap = make({ growthStep: 4096 });
    const fresh = heap.footprint;
    heap.free(heap.malloc(200_000));
    const full = heap.footprint;
    expect(full).toBeGreaterThan(200_000);
    expect(heap.trim(100_000)).toBe(true);
    const padded = heap.footprint;
    expect(padded).toBeLessThan(full);
    expect(heap.mallinfo().keepcost).toBeGreaterThanOrEqual(100_000);
    expect(heap.trim()).toBe(true);
    // Where the memory came in stretches, the end of the last is all that can be given back.
    expect(heap.footprint).toBeLessThan(padded);
    if (!isInStretches(heap)) expect(heap.footprint).toBeLessThanOrEqual(fresh + 4096);
    expect(heap.trim()).toBe(false);
    expect(heap.maxFootprint).toBe(full);
    expect(heap.malloc(200_000)).not.toBe(0);
    heap.check();
  });

  test(
    grows
      ? "what is asked for beyond the memory is got by growing it"
      : "the heap ends where its memory ends",
    () => {
      const heap = make();
      const ptr = heap.malloc(2 * FIXED_BYTES);
      expect(ptr === 0).toBe(!grows);
      if (ptr !== 0) heap.u8(ptr).fill(1);
      heap.check();
      heap.free(ptr);
      expectWhole(heap);
    },
  );
}

function windows(make: HeapMaker["make"], grows: boolean, keepsBuffer: boolean): void {
  test("attach sees the same heap, and each frees what the other has allocated", () => {
    const heap = make({ smallLimit: 96, zeroSizeRealloc: "free" });
    const other = Heap.attach(heap.memory, heap.base);
    expect({ ...other.options }).toEqual({ ...heap.options });
    const shadow = new Shadow(heap);
    const mine = shadow.add(heap.malloc(3000), 3000);
    expect(other.usableSize(mine.ptr)).toBe(heap.usableSize(mine.ptr));
    const theirs = shadow.add(other.malloc(3000), 3000);
    expect(other.mallinfo()).toEqual(heap.mallinfo());
    shadow.remove(mine);
    other.free(mine.ptr);
    shadow.remove(theirs);
    heap.free(theirs.ptr);
    other.check();
    expectWhole(heap);
  });

  test("two Heaps on one image take turns growing it", () => {
    const heap = make({ advance: 0 });
    const other = Heap.attach(heap.memory, heap.base);
    const shadow = new Shadow(heap);
    for (let turn = 0; turn < (grows ? 40 : 8); turn++) {
      shadow.add((turn % 2 === 0 ? heap : other).malloc(30_000), 30_000);
      heap.check();
      other.check();
    }
    shadow.finish();
  });

  test("views that are asked for after a growth see the contents from before", () => {
    const heap = make();
    const ptr = heap.malloc(16);
    heap.u32(ptr, 4).set([1, 2, 3, 4]);
    const before = heap.buffer;
    for (let index = 0; index < (grows ? 20 : 3); index++) expect(heap.malloc(100_000)).not.toBe(0);
    expect(heap.buffer === before).toBe(keepsBuffer);
    expect([...heap.u32(ptr, 4)]).toEqual([1, 2, 3, 4]);
    expect(heap.buffer).toBe(heap.memory.buffer);
  });
}

export function freeOne(shadow: Shadow, block: Shadow["list"][number]): void {
  shadow.remove(block);
  shadow.heap.free(block.ptr);
}
