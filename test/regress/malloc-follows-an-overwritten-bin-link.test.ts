// malloc took a chunk out of its bin without asking whether its links agree. After a write after free, the second
// malloc of the size followed the link the program had written, and handed out the inside of a live block.

import { Heap } from "morecore";
import { expect, it } from "vitest";

it("malloc refuses a bin whose link leads into a live block, instead of handing out its inside", () => {
  const heap = Heap.create({ memory: new ArrayBuffer(65_536), smallLimit: 0 });
  const dead = heap.malloc(1000);
  const live = heap.malloc(3000);
  heap.u32(live).fill(0x0001_0003);
  heap.free(dead);
  heap.u32(dead, 1)[0] = live + 100;
  expect(() => heap.malloc(1000)).toThrow(/links have been overwritten \(link\)$/);
  expect(() => heap.malloc(1000)).toThrow(/links have been overwritten \(link\)$/);
  expect(heap.u32(live).every((word) => word === 0x0001_0003)).toBe(true);
  heap.u32(dead, 1)[0] = 0;
  heap.check();
  heap.free(live);
  expect(heap.mallinfo().ordblks).toBe(1);
});
