import { Heap } from "morecore";
import { expect, test } from "vitest";

test("a request that top and the last pages to be had serve together is served", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
  const heap = Heap.create({ memory, advance: 0 });
  const large = heap.malloc(60 * 65_536);
  const end = heap.malloc(65_536);
  heap.free(large);
  heap.free(end);
  // 99 wasm pages can be had in all; top has more than 60 of them.
  expect(heap.malloc(98 * 65_536)).toBe(large);
  heap.check();
});
