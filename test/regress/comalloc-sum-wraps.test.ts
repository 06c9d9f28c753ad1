import { Heap } from "morecore";
import { expect, test } from "vitest";

// Found by test/model with seed 1451044434. Each size alone was checked, and the sum only after each
// addition. But the chunk of a request for 2^31 - 1 bytes is larger than that, and two such wrapped to a sum
// of 0. Blocks of 2 GiB were "cut" from a few bytes, and the kernel wrote outside the memory.
test.each([
  [[2_147_483_627, 2_147_483_647]],
  [[2_147_483_647, 2_147_483_647]],
  [[1, 2_147_483_647, 2_147_483_647]],
])("independentComalloc of %j is out of memory, and nothing has changed", (sizes) => {
  for (const memory of [undefined, new ArrayBuffer(65_536)]) {
    const heap = memory === undefined ? Heap.create() : Heap.create({ memory });
    const before = heap.mallinfo();
    expect(heap.independentComalloc(sizes)).toBeUndefined();
    heap.check();
    // The list of sizes was a block of a slab for a while.
    heap.trim();
    expect(heap.mallinfo().uordblks).toBe(before.uordblks);
  }
});
