// A search in a HashMap goes from slot to slot until one is empty. In a saved map that somebody had filled up with numbers
// it never ended.

import { HashMap, Heap, u32 } from "morecore";
import { expect, test } from "vitest";
import { AT_ROOM } from "../../packages/morecore/src/containers/hash-header.ts";

test("a map none of whose slots is empty refuses every search, instead of going round for ever", () => {
  const heap = Heap.create();
  const map = new HashMap(heap, u32, u32);
  for (let key = 0; key < 3; key++) map.set(key, key);
  const { slotsAt, count } = blockCountOf(heap, map.ptr);
  heap.u32(slotsAt, count).fill(1);
  const found = HashMap.attach(heap, u32, u32, map.ptr);
  const rule = `none of its ${count} slots is empty: overwritten`;
  for (const call of [
    () => found.get(77),
    () => found.has(77),
    () => found.set(77, 1),
    () => found.delete(77),
  ])
    expect(call).toThrow(
      expect.objectContaining({ name: "PointerError", message: expect.stringContaining(rule) }),
    );
});

/** The slots end where the map's block does, which is all that its report counts. */
function blockCountOf(heap: Heap, ptr: number): { slotsAt: number; count: number } {
  const header = heap.u32(ptr, 14);
  const count = 2 * (header[AT_ROOM / 4] ?? 0);
  const map = HashMap.attach(heap, u32, u32, ptr as never);
  return { slotsAt: (header[2] ?? 0) + map.report().bytes - 4 * count, count };
}
