import { Heap } from "morecore";
import { expect, test } from "vitest";

test("a heap in a shared memory sees what another Heap on the same image has grown it by", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true });
  const one = Heap.create({ memory });
  const other = Heap.attach(memory, one.base);
  const ptrs = Array.from({ length: 10 }, () => one.malloc(40_000));
  other.check();
  const ptr = other.malloc(40_000);
  expect(ptrs).not.toContain(ptr);
  for (const each of [...ptrs, ptr]) other.free(each);
  one.check();
  expect(one.malloc(40_000)).toBe(ptrs[0]);
});
