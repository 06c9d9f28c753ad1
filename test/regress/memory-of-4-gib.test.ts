import { Heap } from "morecore";
import { expect, test } from "vitest";

test("a heap lives in a memory of exactly 4 GiB", () => {
  const memory = new WebAssembly.Memory({ initial: 65_536 });
  const heap = Heap.create({ memory, base: 2 ** 32 - 10 * 65_536 });
  const ptr = heap.malloc(1000);
  expect(ptr).toBeGreaterThan(heap.base);
  heap.check();
  heap.free(ptr);
  expect(() => heap.free(ptr)).toThrow(/double-free/);
});
