// Wrong programs, for what the compiler says of them. Above each line stands at which word, and a part of what. Never run.

import {
  array,
  Columns,
  f64,
  Heap,
  i32,
  pointer,
  type Ref,
  type Scope,
  struct,
  text,
  union,
  Vec,
} from "morecore";

const Point = struct({ x: f64, y: f64 });
const Node = struct({ v: i32, next: pointer(() => Node) });
const Named = struct({ name: text, at: Point, many: array(i32, 3) });
const Shape = struct({ what: union({ circle: f64, at: Point }) });
const heap = Heap.create();

// at v: Type 'string' is not assignable to type 'number'.
heap.new(Node, { v: "7" });
// at w: Object literal may only specify known properties, and 'w' does not exist in type 'InitFields<{ v: i32; next:
heap.new(Node, { v: 7, w: 1 });
const other = { v: 7, w: 1 };
// at other: Property '[UNKNOWN_FIELDS]' is missing in type '{ v: number; w: number; }' but required in type 'UnknownFields<"w">'.
heap.new(Node, other);
// at next: Type 'number' is not assignable to type 'Ref<
heap.new(Node, { next: 4 });
// at next: is not assignable to type 'Ref<StructType<{ v: i32; next:
heap.new(Node, { next: heap.new(Point) });
// at name: Type 'number' is not assignable to type 'string'.
heap.new(Named, { name: 7 });
// at x: Type 'boolean' is not assignable to type 'number'.
heap.new(Named, { at: { x: true } });
// at z: Object literal may only specify known properties, and 'z' does not exist in type 'InitFields<{ x: f64; y: f64; }, unknown>'.
heap.new(Named, { at: { z: 1 } });
// at many: Type 'string' is not assignable to type 'number'.
heap.new(Named, { many: [1, "2"] });
// at tag: Type '"square"' is not assignable to type '"at" | "circle"'.
heap.new(Shape, { what: { tag: "square", value: 1 } });
// at heap: Type 'string' is not assignable to type 'number'.
heap.new(Point).x = "1";
// at z: Property 'z' does not exist on type 'Ref<StructType<{ x: f64; y: f64; }>, unknown>'.
heap.new(Point).z;

const points = new Vec(heap, Point);
// at x: Type 'string' is not assignable to type 'number'.
points.push({ x: "1" });
// at z: 'z' does not exist in type 'InitFields<{ x: f64; y: f64; }, unknown>'.
points.push({ z: 1 });
const columns = new Columns(heap, Point);
// at x: Type 'string' is not assignable to type 'number'.
columns.push({ x: "1" });
// at z: 'z' does not exist in type 'InitFields<{ x: f64; y: f64; }, unknown>
columns.push({ z: 1 });

/** In a scope, with its lifetime. */
export function inScope<L>(scope: Scope<L>): Ref<typeof Point, L> {
  // at x: Type 'string' is not assignable to type 'number'.
  scope.new(Point, { x: "1" });
  // at return: Type 'Ref<StructType<{ v: i32; next:
  return scope.new(Node);
}
