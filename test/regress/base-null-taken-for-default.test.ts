// `base: null` fell through `??` to the default base, where every other bad value of an option is refused by name.

import { Heap, type HeapOptions } from "morecore";
import { expect, it } from "vitest";

it("a base of null is refused, not taken for the default", () => {
  // What JavaScript without types would pass.
  const options = { base: null } as unknown as HeapOptions;
  expect(() => Heap.create(options)).toThrow(new TypeError("base: expected a number, got null"));
  expect(Heap.create({}).base).toBe(16);
});
