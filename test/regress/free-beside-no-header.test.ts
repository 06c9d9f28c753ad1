// A block was taken for live when the word behind it had the flag P, even if it had the reserved flag too,
// which no header has. An overflow of text or of -1 went unseen until the neighbour was freed.

import { Heap } from "morecore";
import { expect, it } from "vitest";

it("a block is not freed when the word behind it is no header", () => {
  const heap = Heap.create({ smallLimit: 0 });
  const ptr = heap.malloc(108);
  const next = heap.malloc(108);
  const header = heap.u32(next - 4, 1);
  header[0] = 0xffff_ffff;
  expect(() => heap.free(ptr)).toThrow(/\(not-a-block\)$/);
  header[0] = 0x73;
  heap.bulkFree([ptr, next]);
  heap.check();
  expect(heap.mallinfo().ordblks).toBe(1);
});
