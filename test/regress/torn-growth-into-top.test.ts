// A process was killed while a block grew into top, with a free chunk before it. In the file that it left,
// that chunk was taken for one whose header had been overwritten. The block behind it was lost. The kernel's
// own torn calls never had a free chunk just there.

import { expect, it } from "vitest";
import { eachPrefix, openTorn, storesOf, tearableHeap } from "../support/torn-stores.ts";

it("a block that was just growing into top is there, whatever lies before it", () => {
  const heap = tearableHeap(1 << 14);
  const [before, block] = [heap.malloc(300), heap.malloc(300)];
  heap.free(before);
  const memory = (heap.memory.buffer as ArrayBuffer).slice(0);
  const stores = storesOf(heap, () => expect(heap.reallocInPlace(block, 400)).toBe(block));
  expect(stores.length).toBeGreaterThan(1);
  eachPrefix(memory, stores, (copy) => {
    const found = openTorn(copy.slice(0), heap.base);
    expect(found.usableSize(block)).toBeGreaterThanOrEqual(300);
    found.free(block);
    found.check();
    let live = 0;
    found.inspectAll(({ state }) => {
      if (state === "live") live += 1;
    });
    expect(live).toBe(0);
  });
});
