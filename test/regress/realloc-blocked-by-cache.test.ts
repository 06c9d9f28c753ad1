import { expect, test } from "vitest";
import { Heap } from "../../src/index.ts";

test("a realloc that only a cached neighbour stands in the way of is served at the first call", () => {
  const heap = Heap.create({ memory: new ArrayBuffer(4096) });
  const block = heap.malloc(100);
  const neighbour = heap.malloc(100);
  const rest = heap.malloc(heap.mallinfo().keepcost - 20);
  expect(rest).not.toBe(0);
  heap.free(neighbour);
  expect(heap.realloc(block, 150)).toBe(block);
  heap.check();
});
