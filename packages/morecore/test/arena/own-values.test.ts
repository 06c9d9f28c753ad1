// Slot maps, and columns beside them, are given what they hold themselves.

import { expect, it } from "vitest";
import { f64, Heap, SecondaryColumn, SlotMap, struct, text } from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 });

it.each([true, false])(
  "a slot map takes a value of its own, also when it grows for it, checking: %s",
  (checking) => {
    const heap = Heap.create({ checking });
    const map = new SlotMap(heap, Point);
    const first = map.insert({ x: 1, y: 2 });
    for (let count = 0; count < 300; count++) {
      const value = map.get(first);
      if (value !== undefined) map.insert(value);
    }
    expect([...map.values()].every(({ x, y }) => x === 1 && y === 2)).toBe(true);
    expect(map.size).toBe(301);
  },
);

it.each([true, false])("a column beside a slot map takes a value of its own, checking: %s", (checking) => {
  const Named = struct({ name: text, at: Point });
  const heap = Heap.create({ checking });
  const map = new SlotMap(heap, f64);
  const column = new SecondaryColumn(map, heap, Named);
  const first = map.insert(0);
  column.set(first, { name: "first", at: { x: 1, y: 2 } });
  for (let count = 1; count < 200; count++) {
    const value = column.get(first);
    if (value !== undefined) column.set(map.insert(count), value);
  }
  const own = column.get(first);
  if (own !== undefined) column.set(first, own);
  for (const key of map.keys()) {
    expect(column.get(key)?.name).toBe("first");
    expect(column.get(key)?.at.y).toBe(2);
  }
  heap.check();
});
