// malloc took from a size class's current slab before it looked at smallLimit. After the limit was lowered,
// requests above it were still served from slabs, until these were full. And a limit of 0 let malloc(0) begin
// a slab. goodSize told another size than was got.

import { Heap } from "morecore";
import { expect, test } from "vitest";

/** What malloc gives and what goodSize says, and that the heap is whole when all is freed. */
function sizesOf(
  heap: Heap,
  requests: readonly number[],
  ...live: number[]
): { got: number[]; told: number[] } {
  const ptrs = requests.map((bytes) => heap.malloc(bytes));
  const got = ptrs.map((ptr) => heap.usableSize(ptr));
  heap.bulkFree([...ptrs, ...live]);
  heap.check();
  expect(heap.mallinfo().ordblks).toBe(1);
  return { got, told: requests.map((bytes) => heap.goodSize(bytes)) };
}

test("a smaller smallLimit holds from the next request on, and blocks in slabs stay there", () => {
  const heap = Heap.create();
  const small = heap.malloc(100);
  heap.options.smallLimit = 0;
  expect(heap.usableSize(small)).toBe(112);
  expect(sizesOf(heap, [100], small)).toEqual({ got: [108], told: [108] });
});

test("a smallLimit of 0 makes no slabs, even for requests for nothing", () => {
  const heap = Heap.create({ smallLimit: 0 });
  expect(sizesOf(heap, [0, 1, 12, 16])).toEqual({ got: [12, 12, 12, 28], told: [12, 12, 12, 28] });
});
