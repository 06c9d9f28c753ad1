// What must not compile. Above each line that is refused stands the error: its number, and a part of what it says. The test
// compares line by line: each example gives exactly its error, and nothing else gives one. This file is never run.

import {
  type ArrayRef,
  add,
  type ConstPtr,
  f64,
  Heap,
  i32,
  type Ptr,
  pointer,
  type Ref,
  type Scope,
  type Static,
  struct,
  text,
  u32,
  type View,
} from "../../../src/index.ts";

const Point = struct({ x: f64, y: f64 });
const Node = struct({ value: i32, next: pointer(() => Node) });
const Named = struct({ name: text });
const heap = Heap.create();

// Leaving a scope.

// error TS2322: 'unknown' is not assignable to type 'L'
heap.scope((s) => s.new(Point));

// error TS2345: 'unknown' is not assignable to type 'L'
heap.scope((s) => {
  const a = s.new(Node);
  return { found: a };
});

let outer: Ref<typeof Point> | undefined;
heap.scope((s) => {
  // error TS2322: 'unknown' is not assignable to type 'L'
  outer = s.new(Point);
});

const list: Ref<typeof Node>[] = [];
heap.scope((s) => {
  // error TS2345: 'unknown' is not assignable to type 'L'
  list.push(s.new(Node));
});

const map = new Map<string, Ref<typeof Point>>();
heap.scope((s) => {
  // error TS2345: 'unknown' is not assignable to type 'L'
  map.set("a", s.new(Point));
});

function put<L>(into: Scope<L>, all: Ref<typeof Point, L>[]): void {
  all.push(into.new(Point));
}
const points: Ref<typeof Point>[] = [];
heap.scope((s) => {
  // error TS2345: 'unknown' is not assignable to type 'L'
  put(s, points);
});

const holder: { point?: Ref<typeof Point> } = {};
heap.scope((s) => {
  // error TS2322: 'unknown' is not assignable to type 'L'
  holder.point = s.new(Point);
});

let kept: ArrayRef<typeof i32> | undefined;
heap.scope((s) => {
  // error TS2322: 'unknown' is not assignable to type 'L'
  kept = s.newArray(i32, 3);
});

// error TS2322: 'unknown' is not assignable to type 'L'
heap.scope((s) => s.alloc(Point));

// error TS2322: 'unknown' is not assignable to type 'L'
heap.scope((s) => s.newArray(f64, 3).view());

const seen: { view?: View<typeof f64, Static> } = {};
heap.scope((s) => {
  // error TS2322: 'unknown' is not assignable to type 'L'
  seen.view = s.newArray(f64, 3).view();
});

// error TS2322: 'unknown' is not assignable to type 'L'
heap.scope((s) => s.newArray(Node, 3).get(0));

// error TS2322: 'unknown' is not assignable to type 'L'
heap.scope((s) => s.cursor(Point));

// error TS2322: 'unknown' is not assignable to type 'L'
heap.scope((s) => [s.new(Point)]);

// error TS2322: 'unknown' is not assignable to type 'L'
heap.scope((s) => s);

// The scope itself is as short-lived.
let scope: Scope<unknown> | undefined;
heap.scope((s) => {
  // error TS2322: 'unknown' is not assignable to type 'L'
  scope = s;
});

// A field of something that lives longer.

const root = heap.new(Node);
heap.scope((s) => {
  // error TS2322: 'unknown' is not assignable to type 'L'
  root.next = s.new(Node);
});

heap.scope((outside) => {
  const long = outside.new(Node);
  outside.scope((inside) => {
    const short = inside.new(Node);
    // Neither this: short holds what lives as long as itself. `inside.new(Node, { next: long })` holds what lives longer.
    // error TS2322: '[HOLDS](...)' are incompatible between these types
    short.next = long;
    // error TS2322: Type 'L' is not assignable to type 'I'
    long.next = short;
  });
});

// What holds short-lived references is not what holds long-lived ones.
heap.scope((outside) => {
  let long = outside.new(Node);
  outside.scope((inside) => {
    const short = inside.new(Node);
    const holds = outside.new(Node, { next: short });
    // error TS2322: '[HOLDS]' are incompatible
    long = holds;
  });
  return long.value;
});

// Two scopes beside each other.

heap.scope((a) => {
  const one = a.new(Node);
  heap.scope((b) => {
    const other = b.new(Node);
    // error TS2322: Two different types with this name exist, but they are unrelated
    one.next = other;
    // error TS2322: Two different types with this name exist, but they are unrelated
    other.next = one;
  });
});

// Promises outlive the scope.

// error TS2554: Expected 2 arguments, but got 1
heap.scope(async (s) => s.new(Node).value);

// error TS2554: Expected 2 arguments, but got 1
heap.scope((s) => Promise.resolve(s.new(Node).value));

// Pointers.

const readOnly: ConstPtr<typeof Point> = heap.new(Point).ptr;
// error TS2345: Property '[MUTABLE]' is missing
heap.write(Point, readOnly, { x: 1 });
// error TS2345: Property '[MUTABLE]' is missing
heap.copy(Point, readOnly, readOnly);
// error TS2322: Property '[MUTABLE]' is missing
const writable: Ptr<typeof Point> = readOnly;
// error TS2379: Types of property 'fields' are incompatible
heap.ref(Node, readOnly);
// error TS2345: Type 'number' is not assignable to type '{ readonly [POINTEE]
heap.ref(Point, 4096);
// error TS2345: ConstPtr
add(Node, readOnly, 1);

// Between alloc and init there is nothing to read.

const raw = heap.alloc(Point);
// error TS2339: Property 'x' does not exist
raw.x;
// error TS2339: Property 'ptr' does not exist
raw.ptr;

// Fields.

// error TS2353: 'z' does not exist in type 'InitFields<{ x: f64; y: f64; }, unknown>
heap.new(Point, { z: 1 });
// error TS2322: Type 'string' is not assignable to type 'number'
heap.new(Point, { x: "1" });
// error TS2322: Property '[HOLDS]' is missing
heap.new(Node, { next: heap.new(Point) });
// error TS2339: Property 'z' does not exist
heap.new(Point).z;
// error TS2322: Type 'number' is not assignable to type 'string'
heap.new(Named).name = 7;
// error TS2540: Cannot assign to 'ptr'
heap.new(Point).ptr = readOnly;
// error TS2322: Type 'number' is not assignable to type 'Type'
struct({ a: 4 });
// error TS2345: Type 'string' is not assignable to type 'number'
heap.newArray(u32, 3, ["x"]);

export { kept, outer, scope, writable };
