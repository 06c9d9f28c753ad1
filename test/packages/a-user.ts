// A user's program, for compilers only: it uses much of the API, and nothing but the language and lib "es2022".

import {
  type Allocator,
  type ArrayRef,
  array,
  assign,
  Bump,
  bits,
  bool,
  bufferMemory,
  Columns,
  f64,
  fieldsOf,
  HashMap,
  Heap,
  HeapMisuseError,
  HeapString,
  i32,
  keyType,
  type Memory,
  OffsetAllocator,
  type OwnBytes,
  Pool,
  type Ptr,
  pointer,
  type Ref,
  type Scope,
  SlotMap,
  type Static,
  struct,
  TypedArena,
  text,
  u8,
  union,
  Vec,
  type View,
} from "morecore";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Node = struct({ value: i32, next: pointer(() => Node) });
const Shape = struct({
  flags: bits(u8, 3),
  solid: bool,
  name: text,
  corners: array(Point, 4),
  what: union({ circle: f64, at: Point }),
});

/** Bytes, addresses, views. */
export function bytes(memory?: Memory): OwnBytes {
  const heap = memory === undefined ? Heap.create({ checking: true }) : Heap.create({ memory });
  const fixed = Heap.create({ memory: bufferMemory(new ArrayBuffer(65_536)), base: 0 });
  const at: number = heap.malloc(64);
  if (at === 0) throw new Error("no memory");
  heap.u8(at, 64).fill(1);
  heap.free(at);
  fixed.check();
  using ranges = new OffsetAllocator(1000);
  return ranges.save();
}

/** A list in a scope: nothing leaves it but numbers. */
export function sum(heap: Heap, count: number): number {
  return heap.scope(<L>(scope: Scope<L>) => {
    let head: Ref<typeof Node, L> | null = null;
    for (let value = 0; value < count; value++) head = scope.new(Node, { value, next: head });
    let total = 0;
    for (let node: Ref<typeof Node, L> | null = head; node !== null; node = node.next) total += node.value;
    return total;
  });
}

function length<L>(point: Ref<typeof Point, L>): number {
  return Math.hypot(point.x, point.y);
}

function make<L>(allocator: Allocator<L>): Ref<typeof Point, L> {
  return allocator.new(Point, { x: 1 });
}

export function structs(heap: Heap): number {
  const shape = heap.new(Shape, { flags: 5, solid: true, name: "a", what: { tag: "circle", value: 2 } });
  shape.corners.assign([{ x: 1 }, { y: 2 }]);
  assign(shape, { what: { tag: "at", value: { x: 1, y: 2 } } });
  if (shape.what.tag === "at") shape.what.value.x += 1;
  for (const corner of shape.corners) corner.x = 3;
  assign(shape, { name: "b" });
  const { name } = fieldsOf(shape);
  const raw: Ptr<typeof Point> = heap.newPtr(Point);
  const copy = heap.read(Point, raw);
  heap.write(Point, raw, { x: copy.x });
  const numbers: ArrayRef<typeof f64> = heap.newArray(f64, 3, [1, 2, 3]);
  const view: View<typeof f64, Static> = numbers.view();
  view.fill(1);
  heap.delete(numbers);
  return name.length + length(make(heap)) + length(heap.ref(Point, raw)) + numbers.get(0);
}

export function containers(heap: Heap): number {
  using arena: Bump = heap.bump({ name: "frame" });
  const points = new Vec(arena, Point);
  points.push({ x: 1 });
  points.push(points.get(0));
  const byName = new HashMap(heap, text, i32);
  byName.set("a", 1);
  for (const [name, count] of byName) if (count > 1) byName.delete(name);
  const columns = new Columns(heap, Point);
  columns.push({ x: 1, y: 2 });
  const key = keyType("Entity");
  const entities = new SlotMap(heap, struct({ parent: key, at: Point }), { key });
  const first = entities.insert({ at: { x: 1 } });
  entities.insert({ parent: first });
  const pool = new Pool(heap, Node);
  pool.delete(pool.new(Node, { value: 1 }));
  using nodes = new TypedArena(heap, Node);
  nodes.new({ value: 2 });
  const string = new HeapString(heap);
  string.append("text");
  return points.length + byName.size + columns.length + entities.size + string.length;
}

export function refusals(heap: Heap): string {
  try {
    heap.free(3);
  } catch (error) {
    if (error instanceof HeapMisuseError) return error.code;
    throw error;
  }
  return "";
}

/** What must not compile, whatever the compiler. */
export function mistakes(heap: Heap): void {
  // @ts-expect-error a string for a number
  heap.new(Point, { x: "1" });
  // @ts-expect-error no such field
  heap.new(Point, { z: 1 });
  // @ts-expect-error it would outlive its scope
  heap.scope((scope) => scope.new(Point));
  // @ts-expect-error a Point is no Node
  heap.new(Node, { next: heap.new(Point) });
}
