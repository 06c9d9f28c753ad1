// What must compile, and run: `run` does all of it. The holes at the end compile although they are wrong, because TypeScript
// allows them; each gives what makes the run-time check throw.

import {
  array,
  assign,
  type ConstPtr,
  f64,
  Heap,
  i32,
  pointer,
  type Ref,
  type Scope,
  type Static,
  struct,
} from "../../../src/index.ts";

export const Point = struct({ x: f64, y: f64 }, { name: "Point" });
export const Node = struct({ value: i32, next: pointer(() => Node) }, { name: "Node" });
const Pair = struct(
  {
    one: Node,
    rest: array(
      pointer(() => Node),
      2,
    ),
  },
  { name: "Pair" },
);
const Links = struct({
  all: array(
    pointer(() => Node),
    2,
  ),
});

/** For any lifetime: what a function that only looks should ask for. */
function sum<L, B>(node: Ref<typeof Node, L, B>): number {
  return node.value + (node.next?.value ?? 0);
}

/** Gives back what lives as long as what it was given. */
function longer<L>(a: Ref<typeof Node, L>, b: Ref<typeof Node, L>): Ref<typeof Node, L> {
  return a.value > b.value ? a : b;
}

/** Makes something in whatever scope it is told to. */
function push<L>(scope: Scope<L>, value: number, next: Ref<typeof Node, L> | null): Ref<typeof Node, L> {
  return scope.new(Node, { value, next });
}

function values(heap: Heap): number {
  return heap.scope((s) => {
    const a = s.new(Node, { value: 1 });
    a.next = a;
    return sum(a);
  });
}

/** An inner scope uses an outer's references, and gives back values. */
function nested(heap: Heap): number {
  return heap.scope((outside) => {
    const long = outside.new(Node, { value: 1 });
    const result = outside.scope((inside) => {
      const looking = inside.new(Node, { value: 2, next: long });
      looking.next = long;
      const short = inside.new(Node, { value: 2 });
      return sum(longer(push(inside, 3, short), short)) + sum(looking);
    });
    long.value += result;
    return long.value;
  });
}

/** What is made in the inner scope, of what lives outside, comes back as what lives outside. */
function handedBack(heap: Heap): number {
  return heap.scope((outside) => {
    const long = outside.new(Node, { value: 4 });
    const found = outside.scope((inside) => {
      const index = inside.new(Node, { value: 0, next: long });
      return index.next;
    });
    return found?.value ?? 0;
  });
}

/** A reference that lives long stands where less is asked for; a struct that holds references is asked for by what it holds. */
function variance(heap: Heap): number {
  const global: Ref<typeof Point, Static> = heap.new(Point, { x: 1 });
  return heap.scope(<L>(s: Scope<L>) => {
    const here: Ref<typeof Point, L> = global;
    const node: Ref<typeof Node, L, Static> = heap.new(Node, { value: 2 });
    return here.x + node.value + s.new(Point).x;
  });
}

/** References within nested structs and arrays are looked at, too. */
function inside(heap: Heap): number {
  return heap.scope((outside) => {
    const long = outside.new(Node, { value: 1 });
    const found = outside.scope((inner) => inner.new(Pair, { one: { value: 5, next: long } }).one.next);
    return (found?.value ?? 0) + 1;
  });
}

function elements(heap: Heap): number {
  return heap.scope((outside) => {
    const long = outside.new(Node, { value: 6 });
    const found = outside.scope((inner) => inner.new(Links, { all: [null, long] }).all.get(1));
    return found?.value ?? 0;
  });
}

function pointers(heap: Heap): number {
  const point = heap.new(Point, { x: 1 });
  const looking: ConstPtr<typeof Point> = point.ptr;
  heap.write(Point, point.ptr, { y: 2 });
  const made = heap.alloc(Point).init((it) => {
    it.x = 5;
  });
  assign(made, { y: 6 });
  return heap.read(Point, looking).y + heap.ref(Point, looking).x + made.x + made.y;
}

function disposed(heap: Heap): number {
  using arena = heap.bump();
  return arena.new(Point, { x: 3 }).x;
}

export function run(heap: Heap): number[] {
  return [values, nested, handedBack, variance, inside, elements, pointers, disposed].map((example) =>
    example(heap),
  );
}

// Holes: each gives a function that uses what has ended.

/** `any` is whatever you say it is. */
export function anyHole(heap: Heap): () => unknown {
  // biome-ignore lint/suspicious/noExplicitAny: the hole that this shows
  let out: any;
  heap.scope((s) => {
    out = s.new(Node, { value: 1 });
  });
  return () => out.value;
}

/** A supertype of a reference may forget that it is one: TypeScript's types are structural. */
export function supertypeHole(heap: Heap): () => unknown {
  const out: { value: number } = heap.scope((s): { value: number } => s.new(Node, { value: 1 }));
  return () => out.value;
}

/** The same, where nobody wrote a type: `object` and `unknown` hold everything. */
export function unknownHole(heap: Heap): () => unknown {
  const out = heap.scope((s): unknown => s.new(Node, { value: 1 }));
  return () => Reflect.get(out as object, "value");
}

/** A function says what it gives, not what it holds. */
export function closureHole(heap: Heap): () => unknown {
  return heap.scope((s) => {
    const a = s.new(Node, { value: 1 });
    return () => a.value;
  });
}

/** A generator is a closure that stops in between. */
export function generatorHole(heap: Heap): () => unknown {
  const numbers = heap.scope((s) => {
    const list = s.newArray(Node, 2);
    return (function* () {
      for (const node of list) yield node.value;
    })();
  });
  return () => numbers.next();
}

/** What an async function does after its first await, it does when the scope has ended. */
export function asyncHole(heap: Heap): () => Promise<unknown> {
  const late: (() => Promise<unknown>)[] = [];
  heap.scope((s) => {
    const a = s.new(Node, { value: 1 });
    late.push(async () => {
      await undefined;
      return a.value;
    });
  });
  return () => (late[0] as () => Promise<unknown>)();
}

/** An arena outside of a scope has no lifetime of its own: what it makes is as if it lived for ever, until it is disposed of. */
export function arenaHole(heap: Heap): () => unknown {
  const arena = heap.bump({ name: "arena 'frame'" });
  const a = arena.new(Node, { value: 1 });
  arena.dispose();
  return () => a.value;
}

/** Nobody counts who refers to what is deleted. */
export function deleteHole(heap: Heap): () => unknown {
  const a = heap.new(Node, { value: 1 });
  heap.delete(a);
  return () => a.value;
}
