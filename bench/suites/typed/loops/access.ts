// Access: reading and writing fields of 1024 structs in turn, which fit into the first cache.
//
// An operation is two reads, an addition and a write.

import { f64, Heap, i32, moveTo, type Ptr, type Ref, struct } from "morecore";
import type { Loop, LoopGroup, Run } from "./loop.ts";

const COUNT = 1024;

const Point = struct({ x: f64, y: f64, id: i32, step: i32 }, { name: "Point" });
type Point = Ref<typeof Point>;

/** Plain objects as a program makes them: all of one shape. */
interface PlainPoint {
  x: number;
  y: number;
  id: number;
  step: number;
}

/** What one operation does to any of them. */
function addDouble(point: Pick<PlainPoint, "x" | "y">): void {
  point.x += point.y;
}

function addInteger(point: Pick<PlainPoint, "id" | "step">): void {
  point.id = (point.id + point.step) | 0;
}

type Operation = (point: PlainPoint) => void;

function plainObjects(operation: Operation): Run {
  const points: PlainPoint[] = [];
  for (let i = 0; i < COUNT; i++) points.push({ x: 0.5 + i, y: 0.25, id: i, step: 3 });
  return (count) => {
    for (let i = 0; i < count; i++) operation(points[i & (COUNT - 1)] as PlainPoint);
    return points.reduce((sum, { x, id }) => sum + x + id, 0);
  };
}

function references(operation: Operation, checking: boolean): Run {
  const heap = Heap.create({ checking });
  const points: Point[] = [];
  for (let i = 0; i < COUNT; i++) points.push(heap.new(Point, { x: 0.5 + i, y: 0.25, id: i, step: 3 }));
  return (count) => {
    for (let i = 0; i < count; i++) operation(points[i & (COUNT - 1)] as Point);
    return points.reduce((sum, { x, id }) => sum + x + id, 0);
  };
}

function aCursor(operation: Operation, checking: boolean): Run {
  const heap = Heap.create({ checking });
  const points = heap.newArray(Point, COUNT);
  const first: number = points.ptr;
  for (let i = 0; i < COUNT; i++) points.set(i, { x: 0.5 + i, y: 0.25, id: i, step: 3 });
  const at = heap.cursor(Point);
  return (count) => {
    for (let i = 0; i < count; i++) {
      moveTo(at, (first + (i & (COUNT - 1)) * Point.size) as Ptr<typeof Point>);
      operation(at);
    }
    return [...points].reduce((sum, { x, id }) => sum + x + id, 0);
  };
}

function doublesByHand(): Run {
  const doubles = new Float64Array(2 * COUNT).map((_, i) => (i % 2 === 0 ? i / 2 : 0.25));
  return (count) => {
    for (let i = 0; i < count; i++) {
      const at = (i & (COUNT - 1)) * 2;
      doubles[at] = (doubles[at] as number) + (doubles[at + 1] as number);
    }
    return doubles.reduce((sum, x) => sum + x, 0);
  };
}

function integersByHand(): Run {
  const integers = new Int32Array(2 * COUNT).fill(3);
  return (count) => {
    for (let i = 0; i < count; i++) {
      const at = (i & (COUNT - 1)) * 2;
      integers[at] = ((integers[at] as number) + (integers[at + 1] as number)) | 0;
    }
    return integers.reduce((sum, id) => sum + id, 0);
  };
}

function accessLoop(name: string, operation: Operation, byHand: () => Run): Loop {
  return {
    name,
    variants: {
      "plain object": () => plainObjects(operation),
      "typed array": byHand,
      reference: () => references(operation, true),
      "reference, unchecked": () => references(operation, false),
      cursor: () => aCursor(operation, true),
      "cursor, unchecked": () => aCursor(operation, false),
    },
  };
}

export const access: LoopGroup = {
  title: "Field access: ns for two reads and a write, and bytes that the JavaScript heap grows by",
  loops: [
    accessLoop("f64: p.x += p.y", addDouble, doublesByHand),
    accessLoop("i32: p.id = (p.id + p.step) | 0", addInteger, integersByHand),
  ],
};
