// sort of an empty Vec whose elements own memory took a block for no elements, which nobody freed.

import { Heap, text, Vec } from "morecore";
import { expect, it } from "vitest";
import { live } from "../support/typed.ts";

it("sorting nothing takes nothing", () => {
  const heap = Heap.create();
  const vec = new Vec(heap, text);
  vec.sort(() => 0);
  vec.dispose();
  expect(live(heap)).toBe(0);
});
