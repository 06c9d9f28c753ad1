import { Heap } from "morecore";
import { expect, test } from "vitest";

test("trim says true when giving back an unused slab was what gave memory back", () => {
  const heap = Heap.create({ trimThreshold: 0, growthStep: 4096 });
  const large = heap.malloc(70_000);
  const small = heap.malloc(0);
  heap.free(large);
  heap.free(small);
  const before = heap.footprint;
  expect(heap.trim()).toBe(true);
  expect(heap.footprint).toBeLessThan(before);
  expect(heap.trim()).toBe(false);
});
