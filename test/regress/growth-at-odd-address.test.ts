// A Memory that answered grow with an address that is no multiple of 16 made a heap whose chunks were misaligned.

import { Heap, type Memory } from "morecore";
import { expect, it } from "vitest";

it("growth at an address that is no multiple of 16 is an error that says so, and the heap is as it was", () => {
  let buffer = new ArrayBuffer(65_544);
  const memory: Memory = {
    get buffer() {
      return buffer;
    },
    get untouched() {
      return buffer.byteLength;
    },
    grow(bytes) {
      const from = buffer.byteLength;
      const larger = new ArrayBuffer(from + bytes);
      new Uint8Array(larger).set(new Uint8Array(buffer));
      structuredClone(buffer, { transfer: [buffer] });
      buffer = larger;
      return from;
    },
  };
  const heap = Heap.create({ memory });
  expect(() => heap.malloc(100_000)).toThrow(/^memory\.grow: expected the address of a multiple of 16/);
  heap.check();
  const ptr = heap.malloc(1000);
  expect(ptr % 16).toBe(0);
  heap.free(ptr);
  heap.trim();
  expect(heap.mallinfo().ordblks).toBe(1);
});
