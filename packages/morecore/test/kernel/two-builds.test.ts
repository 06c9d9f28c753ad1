// The kernel in WebAssembly and the kernel in JavaScript leave the same bytes while slabs begin, fill, are listed and end.

import type { Heap } from "morecore";
import { describe, expect, it } from "vitest";
import { twins } from "../../../../test/support/two-kernels.ts";
import {
  AT_CLASSES,
  AT_SLAB_COUNT,
  CLASS_BYTES_LOG2,
  CLASS_COUNT,
  CLASS_HEAD,
  CLASS_SLABS,
  NARROW_MAX,
} from "../../src/kernel/layout.ts";

/**
 * Requests at the bounds of the smallest size class, of the two largest of narrow blocks, of the smallest and the two
 * largest of wide ones, and of the chunks above them.
 */
const BOUNDS = [0, 16, 17, 240, 256, 257, 272, 480, 496, 497];

const wordAt = (heap: Heap, offset: number): number => heap.u32(heap.base + offset, 1)[0] as number;

/** What a size class has: its slabs, and whether some other than the current one are listed as having room. */
function classOf(heap: Heap, sizeClass: number): { slabs: number; listed: boolean } {
  const state = AT_CLASSES + (sizeClass << CLASS_BYTES_LOG2);
  return { slabs: wordAt(heap, state + CLASS_SLABS), listed: wordAt(heap, state + CLASS_HEAD) !== 0 };
}

describe("the two kernels", () => {
  it.each(BOUNDS)("leave the same bytes while slabs for requests of %d bytes come and go", (bytes) => {
    const { wasm, both } = twins();
    const sizeClass = Math.max(Math.ceil(bytes / 16), 1);
    const inSlabs = sizeClass <= CLASS_COUNT;
    // Wide blocks are in slabs only in a large heap.
    if (bytes > NARROW_MAX) both((heap) => heap.free(heap.malloc(1 << 20)));
    const ptrs = Array.from({ length: 700 }, () => both((heap) => heap.malloc(bytes)));
    expect(ptrs).not.toContain(0);
    const { slabs } = inSlabs ? classOf(wasm, sizeClass) : { slabs: 0 };
    if (inSlabs) expect(slabs, "several slabs exist").toBeGreaterThan(2);
    // A block of each slab, so that slabs which were full are listed …
    const spread = ptrs.filter((_, index) => index % 9 === 0);
    for (const ptr of spread) both((heap) => heap.free(ptr));
    if (inSlabs) expect(classOf(wasm, sizeClass).listed, "slabs with room are listed").toBe(true);
    wasm.check();
    // … are filled again, before any new slab is made …
    const again = [both((heap) => heap.malloc(bytes))];
    while (inSlabs && classOf(wasm, sizeClass).listed) again.push(both((heap) => heap.malloc(bytes)));
    if (inSlabs) expect(again.length, "what was freed is used again").toBeGreaterThan(spread.length / 2);
    if (inSlabs) expect(classOf(wasm, sizeClass).slabs).toBe(slabs);
    wasm.check();
    // … and emptied in an order of their own: slabs are given back at once, the current one by trim.
    const freed = new Set(spread);
    const live = [...ptrs.filter((ptr) => !freed.has(ptr)), ...again];
    live.sort((one, other) => ((one * 7919) % 4093) - ((other * 7919) % 4093));
    const moved = live.pop() as number;
    live.push(both((heap) => heap.realloc(moved, 3000)));
    for (const ptr of live) both((heap) => heap.free(ptr));
    if (inSlabs) expect(classOf(wasm, sizeClass).slabs, "all other slabs were given back").toBeLessThan(2);
    both((heap) => heap.trim());
    expect(wordAt(wasm, AT_SLAB_COUNT)).toBe(0);
    wasm.check();
  });

  it("leave the same bytes while wide blocks are chunks at first, and in slabs once the heap is large", () => {
    const { wasm, both } = twins();
    const ptrs: number[] = [];
    while (classOf(wasm, 17).slabs < 3) ptrs.push(both((heap) => heap.malloc(272)));
    expect(ptrs).not.toContain(0);
    expect(ptrs.filter((ptr) => wasm.usableSize(ptr) !== 272).length, "many are chunks").toBeGreaterThan(
      1000,
    );
    expect(ptrs.filter((ptr) => wasm.usableSize(ptr) === 272).length, "some are not").toBeGreaterThan(20);
    wasm.check();
    for (const ptr of ptrs.reverse()) both((heap) => heap.free(ptr));
    both((heap) => heap.trim());
    expect(wordAt(wasm, AT_SLAB_COUNT)).toBe(0);
    wasm.check();
  });
});
