// Heap.inside, of this package's Heap: in memory that a module's own malloc gives.

import { expect, it } from "vitest";
import { mallocModule } from "../../../test/support/memories.ts";
import { Heap } from "../src/index.ts";

it("the Heap of @morecore/os makes one of its own kind", () => {
  const heap = Heap.inside(mallocModule().exports, { checking: false });
  expect(heap).toBeInstanceOf(Heap);
  expect([heap.checking, heap.malloc(10) !== 0]).toEqual([false, true]);
  heap.dispose();
});
