// A memory that called the heap from its grow found it in the middle of a call: the heap was corrupt afterwards, without a word.

import { Heap } from "morecore";
import { expect, it } from "vitest";

type Resizable = ArrayBuffer & { resize(bytes: number): void };
/** This TypeScript library does not know buffers that can be resized yet. */
const Sizable = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => Resizable;

it("a heap cannot be called while it asks its memory for more, and is as it was", () => {
  const buffer = new Sizable(65_536, { maxByteLength: 1 << 24 });
  let heap: Heap | undefined;
  let calls = 0;
  const memory = {
    buffer,
    grow(bytes: number): number {
      if (heap !== undefined && calls++ < 3) heap.malloc(100);
      const from = buffer.byteLength;
      buffer.resize(from + bytes);
      return from;
    },
    get untouched(): number {
      return buffer.byteLength;
    },
  };
  heap = Heap.create({ memory, base: 16 });
  const sizes = Array.from({ length: 100 }, () => 5000);
  const rule = /memory.grow: the heap cannot be called while it asks its memory for more/;
  const got = sizes.map((bytes) => {
    try {
      return heap?.malloc(bytes);
    } catch (error) {
      expect(String(error)).toMatch(rule);
      return 0;
    }
  });
  expect(calls).toBeGreaterThan(3);
  expect(got.filter((ptr) => ptr === 0).length).toBeGreaterThan(0);
  heap.check();
});
