// What a user's editor shows: above each declaration, the text. Compiled with all the rest, never run. See messages.test.ts.

import {
  array,
  f64,
  type Heap,
  i32,
  type PointerType,
  pointer,
  type Ref,
  type Scope,
  type StructType,
  struct,
} from "../../../src/index.ts";

const Point = struct({ x: f64, y: f64 });
const List = struct({ value: i32, next: pointer(() => List) });
const Box = struct({ low: Point, corners: array(Point, 2) });

// A struct's type that has a name is shown by it.
interface Node extends StructType<{ readonly value: i32; readonly next: PointerType<() => Node> }> {}
const Node: Node = struct({ value: i32, next: pointer(() => Node) });

export function show<L>(heap: Heap, scope: Scope<L>, given: Ref<typeof Node, L>): unknown[] {
  // const point: Ref<StructType<{ x: f64; y: f64; }>, unknown>
  const point = heap.new(Point, { x: 1 });
  // const node: Ref<Node, L>
  const node = scope.new(Node, { value: 1 });
  // const next: Ref<Node, L> | null
  const next = given.next;
  // const list: Ref<StructType<{ value: i32; next: PointerType<() => StructType<...>>; }>, L>
  const list = scope.new(List);
  // const low: Ref<StructType<{ x: f64; y: f64; }>, L>
  const low = scope.new(Box).low;
  // const numbers: ArrayRef<f64, unknown, unknown>
  const numbers = heap.newArray(f64, 3);
  // const view: View<f64, unknown>
  const view = numbers.view();
  // const ptr: Ptr<Node>
  const ptr = node.ptr;
  // const found: Ref<Node, L>
  const found = scope.ref(Node, ptr);
  // const holder: RefHolding<Node, unknown, L>
  const holder = heap.new(Node, { next: node });
  return [point, node, next, list, low, numbers, view, ptr, found, holder];
}
