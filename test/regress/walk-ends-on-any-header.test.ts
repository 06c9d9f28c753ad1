// A walk never ended when a header had been overwritten with a size of 0, or with what looks like a
// fencepost. mallinfo, inspectAll and a replay's map ran for ever. A write just before a slab's first block
// was enough.

import { Heap, HeapCorruptError } from "morecore";
import { expect, test } from "vitest";

test.each([
  ["0", 0],
  ["a size of 0, not in use", 1],
  ["a fencepost's", 3],
  ["a size that leads out of the heap", 0x7fff_fff3],
  ["a size that wraps", 0xffff_fff3],
])("a walk over a header that was overwritten with %s ends with an error", (_, word) => {
  const heap = Heap.create({ memory: new ArrayBuffer(1 << 18), smallLimit: 0 });
  heap.malloc(300);
  const ptr = heap.malloc(300);
  heap.malloc(300);
  heap.u32(ptr - 4, 1)[0] = word;
  expect(() => heap.inspectAll(() => {})).toThrow(HeapCorruptError);
  expect(() => heap.mallinfo()).toThrow(HeapCorruptError);
});

test("a walk over a slab whose chunk's header was overwritten ends with an error", () => {
  const heap = Heap.create({ memory: new ArrayBuffer(1 << 18) });
  const ptr = heap.malloc(100);
  heap.u32(ptr - 4, 1)[0] = 0;
  expect(() => heap.inspectAll(() => {})).toThrow(HeapCorruptError);
});
