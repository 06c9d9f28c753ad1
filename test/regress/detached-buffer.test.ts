// A heap was attached by a memory's buffer, instead of the memory. Once that had grown, the heap had no
// memory any more, and said that there was none to be had.

import { Heap } from "morecore";
import { expect, it } from "vitest";

it("a heap whose buffer has been detached says so", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const heap = Heap.create({ memory, base: 16 });
  const window = Heap.attach(memory.buffer, 16);
  heap.malloc(1 << 20);
  for (const call of [() => window.malloc(10), () => window.check(), () => window.u8(4096, 1)])
    expect(call).toThrow(/its buffer has been detached/);
});
