// Ref, inspected: what Node's console shows of a reference.

import { inspect } from "node:util";
import { expect, it } from "vitest";
import { f64, Heap, struct } from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });

it("a reference is shown by util.inspect with type, address and fields, or as ended", () => {
  const heap = Heap.create();
  const point = heap.new(Point, { x: 1 });
  const place = `@ 0x${point.ptr.toString(16)}`;
  expect(inspect(point)).toBe(`Ref<Point> { x: 1, y: 0 } ${place}`);
  heap.delete(point);
  expect(inspect(point)).toBe(`Ref<Point> ${place} (ended)`);
});
