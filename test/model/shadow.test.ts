// The shadow itself: each kind of error that the model is there to find is one that the shadow does find.

import { Heap } from "morecore";
import { expect, test } from "vitest";
import { expectEmpty, Shadow } from "../support/shadow.ts";

/** A heap with one block on the book. */
function booked(bytes: number, smallLimit = 496): { heap: Heap; shadow: Shadow; ptr: number } {
  const heap = Heap.create({ reserve: 0, smallLimit });
  const shadow = new Shadow(heap);
  const { ptr } = shadow.add(heap.malloc(bytes), bytes);
  return { heap, shadow, ptr };
}

test.each([0, 1, 500, 49_999])("an overwritten byte %d is found", (at) => {
  const { heap, shadow, ptr } = booked(50_000);
  shadow.verifyAll();
  const view = heap.u8(ptr);
  view[at] = (view[at] ?? 0) ^ 0x10;
  expect(() => shadow.verifyAll()).toThrow(`byte ${at} `);
});

test("a block that lies over another is found", () => {
  const { heap, shadow, ptr } = booked(100);
  heap.free(ptr);
  expect(() => shadow.add(heap.malloc(100), 100)).toThrow(/lies over/);
});

test("a block that is smaller than was asked for is found", () => {
  const slabs = booked(100);
  expect(() => slabs.shadow.add(slabs.heap.malloc(10), 17)).toThrow(/holds what was asked for/);
  const chunks = booked(100, 0);
  expect(() => chunks.shadow.add(chunks.heap.malloc(10), 13)).toThrow(/holds what was asked for/);
});

test("a write beyond a block's usable size, into the next, is found", () => {
  const { heap, shadow } = booked(100);
  const next = shadow.add(heap.malloc(100), 100);
  heap.u8(next.ptr, 1).fill(0);
  expect(() => shadow.verifyAll()).toThrow(`byte 0 of the block of 100 bytes at ${next.ptr}`);
});

test("a block that is not aligned is found", () => {
  const { heap, shadow } = booked(100);
  const ptr = heap.malloc(100);
  const alignment = 2 * (ptr & -ptr);
  expect(() => shadow.add(ptr, 100, alignment)).toThrow(/is a multiple of/);
});

test("memory that is not zero is found", () => {
  const { heap, shadow, ptr } = booked(100);
  for (const block of shadow.list) shadow.remove(block);
  heap.u8(ptr, 100).fill(1);
  expect(() => shadow.addZero(ptr, 100)).toThrow(/not zero/);
});

test("memory that is not zero because it was given twice is found for that", () => {
  const { shadow, ptr } = booked(100);
  expect(() => shadow.addZero(ptr, 100)).toThrow(/lies over/);
});

test("a block that is live and not on the book is found", () => {
  const { heap, shadow } = booked(100);
  const leaked = heap.malloc(100);
  expect(() => shadow.expectAgreement()).toThrow(/live blocks/);
  expect(() => shadow.finish()).toThrow();
  heap.free(leaked);
  expectEmpty(heap, 1);
});
