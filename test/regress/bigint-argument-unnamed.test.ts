// A bigint or a symbol was shifted before its type was looked at: the engine's message named neither argument nor value.

import { Heap } from "morecore";
import { expect, it } from "vitest";

it("a bigint and a symbol are refused with the argument's name and the value", () => {
  const heap = Heap.create();
  // What JavaScript without types would pass.
  const malloc = (value: unknown) => heap.malloc(value as number);
  expect(() => malloc(16n)).toThrow(new TypeError("bytes: expected a number, got 16n"));
  expect(() => malloc(Symbol("s"))).toThrow(new TypeError("bytes: expected a number, got Symbol(s)"));
  expect(heap.mallinfo().ordblks).toBe(1);
});
