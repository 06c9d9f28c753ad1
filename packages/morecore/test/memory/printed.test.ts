// Printed: what console.log and a failed assertion show of each object that users have in hand.

import { inspect } from "node:util";
import { processError } from "@vitest/utils/error";
import { describe, expect, it } from "vitest";
import {
  array,
  Bump,
  bits,
  bool,
  Columns,
  f64,
  HashMap,
  Heap,
  HeapString,
  i32,
  keyType,
  OffsetAllocator,
  type PointerType,
  Pool,
  pointer,
  rawPointer,
  SecondaryColumn,
  SecondaryMap,
  SlotMap,
  type StructType,
  struct,
  TypedArena,
  text,
  u8,
  u32,
  union,
  utf8,
  Vec,
} from "../../src/index.ts";

const MOST_LINES = 10;
const MOST_ASSERTION_LINES = 30;
const MANY = 1000;

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
type NodeFields = { readonly value: typeof i32; readonly next: PointerType<() => StructType<NodeFields>> };
const Node: StructType<NodeFields> = struct({ value: i32, next: pointer(() => Node) }, { name: "Node" });
const Wide = struct(Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`field ${at}`, utf8(200)])));

const newHeap = (): Heap => Heap.create({ memory: new ArrayBuffer(1 << 20) });
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Of each kind: a small one, how it is printed, and one with thousands of elements. */
interface Kind {
  readonly name: string;
  readonly small: (heap: Heap) => unknown;
  readonly text: string | RegExp;
  readonly large?: (heap: Heap) => unknown;
}

const OBJECTS: readonly Kind[] = [
  {
    name: "a heap",
    small: (heap) => heap,
    text: /^Heap { base: 16, footprint: \d+(\.\d)? (bytes|KiB), memory: ArrayBuffer of 1 MiB }$/,
  },
  {
    name: "a heap in wasm",
    small: () => Heap.create(),
    text: /^Heap { base: 16, footprint: \d+(\.\d)? KiB, memory: WebAssembly.Memory of 1 MiB }$/,
  },
  {
    name: "a heap's options",
    small: (heap) => heap.options,
    text: /^HeapSettings { growthStep: \d+, .*, … 1 more }$/,
  },
  {
    name: "a bump arena",
    small: (heap) => {
      const bump = new Bump(heap, { name: "frame" });
      bump.new(Point);
      return bump;
    },
    text: 'Bump "frame" { used: 16 bytes of 1 KiB }',
    large: (heap) => {
      const bump = heap.bump({ name: "n".repeat(MANY) });
      for (const value of numbers(MANY)) bump.new(Point, { x: value });
      return bump;
    },
  },
  {
    name: "a mark",
    small: (heap) => new Bump(heap, { name: "frame" }).mark(),
    text: '{ chunk: -1, next: 0, destructors: 0, part: a part of "frame" }',
  },
  {
    name: "a typed arena",
    small: (heap) => {
      const arena = new TypedArena(heap, Point, { name: "points" });
      arena.new();
      return arena;
    },
    text: 'TypedArena<Point>(1) "points"',
    large: (heap) => {
      const arena = new TypedArena(heap, Wide);
      for (let count = 0; count < 10; count++) arena.new();
      return arena;
    },
  },
  {
    name: "a pool",
    small: (heap) => {
      const pool = new Pool(heap, Point, { name: "points", capacity: 8 });
      pool.new(Point);
      return pool;
    },
    text: 'Pool<Point>(1 of 8) "points"',
    large: (heap) => new Pool(heap, Wide),
  },
  {
    name: "a Vec",
    small: (heap) => vecOf(heap, 3),
    text: "Vec<f64>(3 of 3) [ 0, 1, 2 ]",
    large: (heap) => vecOf(heap, MANY),
  },
  {
    name: "a Vec of wide structs",
    small: (heap) => new Vec(heap, Point),
    text: "Vec<Point>(0 of 0) []",
    large: (heap) => {
      const vec = new Vec(heap, Wide);
      for (let count = 0; count < 10; count++) vec.push({ "field 0": "\n".repeat(200) });
      return vec;
    },
  },
  {
    name: "Columns",
    small: (heap) => {
      const columns = new Columns(heap, Point, 2);
      columns.push({ x: 1, y: -0 });
      return columns;
    },
    text: "Columns<Point>(1 of 2) [ { x: 1, y: -0 } ]",
    large: (heap) => {
      const columns = new Columns(heap, Point);
      for (const x of numbers(MANY)) columns.push({ x });
      return columns;
    },
  },
  {
    name: "a row of Columns",
    small: (heap) => {
      const columns = new Columns(heap, Point);
      columns.push({ x: 1 });
      return columns.at(0);
    },
    text: "Row<Point> { x: 1, y: 0 } @ 0",
  },
  {
    name: "a HashMap",
    small: (heap) => new HashMap(heap, text, i32).set("a", 1).set("b", 2),
    text: 'HashMap<text, i32>(2) { "a" => 1, "b" => 2 }',
    large: (heap) => {
      const map = new HashMap(heap, text, text);
      for (const value of numbers(MANY)) map.set(`${value}${"long ".repeat(100)}`, "long ".repeat(100));
      return map;
    },
  },
  {
    name: "a map's iterator",
    small: (heap) => new HashMap(heap, i32, i32).keys(),
    text: "an iterator of HashMap<i32, i32>",
  },
  {
    name: "a HeapString",
    small: (heap) => new HeapString(heap, "day\n"),
    text: 'HeapString(4) "day\\n"',
    large: (heap) => new HeapString(heap, "é€😀\n".repeat(10 * MANY)),
  },
  {
    name: "a slot map",
    small: (heap) => {
      const map = new SlotMap(heap, Point, { name: "points" });
      map.insert({ x: 1 });
      return map;
    },
    text: 'SlotMap<Point>(1 of 8) "points"',
    large: (heap) => {
      const map = new SlotMap(heap, Point);
      for (const x of numbers(MANY)) map.insert({ x });
      return map;
    },
  },
  {
    name: "a secondary map",
    small: (heap) => {
      const map = new SlotMap(heap, Point);
      const beside = new SecondaryMap<string, typeof Point>(map);
      beside.set(map.insert({ x: 1 }), "one");
      return beside;
    },
    text: "SecondaryMap(1)",
  },
  {
    name: "a secondary column",
    small: (heap) => {
      const map = new SlotMap(heap, Point);
      const column = new SecondaryColumn(map, heap, f64, { name: "weights" });
      column.set(map.insert({ x: 1 }), 2);
      return column;
    },
    text: 'SecondaryColumn<f64>(1) "weights"',
  },
  {
    name: "an OffsetAllocator",
    small: () => {
      const ranges = new OffsetAllocator(1000);
      ranges.allocate(10);
      return ranges;
    },
    text: "OffsetAllocator { bytes: 1000, free: 990, allocations: 1 }",
  },
  {
    name: "an array of structs",
    small: (heap) => heap.newArray(Point, 2, [{ x: 1 }]),
    text: "ArrayRef<Point>(2) [ { x: 1, y: 0 }, { x: 0, y: 0 } ]",
    large: (heap) => heap.newArray(Point, MANY),
  },
  {
    name: "a reference",
    small: (heap) => heap.new(Node, { value: 7 }),
    text: /^Ref<Node> { value: 7, next: 0 } @ 0x[0-9a-f]+$/,
    large: (heap) => heap.new(Wide),
  },
  {
    name: "a reference to what holds much",
    small: (heap) => heap.new(struct({ at: array(array(Point, 9), 9) })).at.get(0),
    text: "ArrayRef<Point>(9) [\n  { x: 0, y: 0 },\n  { x: 0, y: 0 },\n  { x: 0, y: 0 },\n  { x: 0, y: 0 },\n  { x: 0, y: 0 },\n  … 4 more\n]",
    large: (heap) => heap.new(struct({ at: array(array(Point, 9), 9) })),
  },
  { name: "a cursor that leads nowhere", small: (heap) => heap.cursor(Point), text: "Ref<Point> @ 0x0" },
  {
    name: "memory that is not initialised",
    small: (heap) => heap.alloc(Point),
    text: /^Uninit<Point> @ 0x[0-9a-f]+$/,
  },
];

function vecOf(heap: Heap, count: number): Vec<typeof f64> {
  const vec = new Vec(heap, f64, count);
  vec.extend(numbers(count));
  return vec;
}

const TYPES: readonly Kind[] = [
  [Point, "Type Point (struct, 16 bytes, aligned to 8) { x: f64, y: f64 }"],
  [struct({}), "Type struct {  } (struct, 0 bytes, aligned to 1) {}"],
  [f64, "Type f64 (scalar, 8 bytes, aligned to 8)"],
  [bool, "Type bool (scalar, 1 bytes, aligned to 1)"],
  [array(u8, 4), "Type u8[4] (array, 4 bytes, aligned to 1)"],
  [union({ a: f64, b: i32 }), "Type union { a, b } (union, 16 bytes, aligned to 8)"],
  [pointer(() => Node), "Type pointer (pointer, 4 bytes, aligned to 4)"],
  [rawPointer(() => Node), "Type raw pointer (raw-pointer, 4 bytes, aligned to 4)"],
  [text, "Type text (text, 8 bytes, aligned to 4)"],
  [utf8(8), "Type utf8(8) (utf8, 8 bytes, aligned to 1)"],
  [bits(u32, 3), "Type u32 : 3 (bits, 4 bytes, aligned to 4)"],
  [keyType("Player"), "Type key of Player (key, 8 bytes, aligned to 8)"],
].map(([type, line]) => ({
  name: `the type ${(type as { name: string }).name}`,
  small: () => type,
  text: line as string,
}));
const WIDE: Kind = { name: "a wide type", small: () => Wide, text: /, … 95 more|\n {2}… 95 more\n/ };
const ALL = [...OBJECTS, ...TYPES, WIDE];

const linesOf = (printed: string): number => printed.split("\n").length;

describe.each(ALL)("$name", ({ small, text: expected, large }) => {
  it("is printed as what it is, with what is in it", () => {
    const printed = inspect(small(newHeap()));
    if (typeof expected === "string") expect(printed).toBe(expected);
    else expect(printed).toMatch(expected);
  });

  it.each([0, 2, null])(
    `is printed in ${MOST_LINES} lines at most, whatever is in it, to the depth %s`,
    (depth) => {
      for (const make of [small, large ?? small]) {
        const printed = inspect(make(Heap.create()), { depth });
        expect(linesOf(printed)).toBeLessThanOrEqual(MOST_LINES);
        expect(printed.length).toBeLessThan(4000);
      }
    },
  );

  it(`takes ${MOST_ASSERTION_LINES} lines at most where an assertion about it fails`, () => {
    for (const make of [small, large ?? small]) {
      const heap = Heap.create();
      const actual = make(heap);
      for (const expected of [3, {}, "text", [actual], make(heap)]) {
        const { message, diff } = failing(actual, expected);
        expect(linesOf(message) + linesOf(diff)).toBeLessThanOrEqual(MOST_ASSERTION_LINES);
      }
    }
  });

  it("changes nothing by being printed", () => {
    const heap = newHeap();
    const made = small(heap);
    const before = new Uint8Array(heap.buffer).slice();
    inspect(made);
    expect(Buffer.compare(before, new Uint8Array(heap.buffer))).toBe(0);
  });
});

/** What Vitest reports of two values that are not the same; it is not asked to compare them, which takes long. */
function failing(actual: unknown, expected: unknown): { message: string; diff: string } {
  const message = failureOf(() => expect(actual).toBe(Symbol("other")));
  const { diff = "" } = processError(Object.assign(new Error("fails"), { actual, expected, showDiff: true }));
  return { message, diff };
}

function failureOf(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    return String(error);
  }
  throw new Error("the assertion holds");
}

describe("what has ended", () => {
  const heap = Heap.create();
  const END: readonly (readonly [string, () => { dispose(): void }, string | RegExp])[] = [
    ["Heap", () => Heap.create(), "Heap (ended)"],
    ["Bump", () => heap.bump({ name: "frame" }), 'Bump "frame" (ended)'],
    [
      "TypedArena",
      () => new TypedArena(heap, Point, { name: "points" }),
      'TypedArena<Point> "points" (ended)',
    ],
    ["Pool", () => new Pool(heap, Point, { name: "points" }), 'Pool<Point> "points" (ended)'],
    ["Vec", () => vecOf(heap, 3), "Vec<f64> (ended)"],
    ["Columns", () => new Columns(heap, Point), "Columns<Point> (ended)"],
    ["HashMap", () => new HashMap(heap, i32, i32), "HashMap<i32, i32> (ended)"],
    ["HeapString", () => new HeapString(heap, "a"), /^<Vec<u8> at 0x[0-9a-f]+: used after it was deleted>$/],
    ["SlotMap", () => new SlotMap(heap, Point, { name: "points" }), 'SlotMap<Point> (ended) "points"'],
    [
      "SecondaryColumn",
      () => new SecondaryColumn(new SlotMap(heap, Point), heap, f64, { name: "w" }),
      'SecondaryColumn<f64> "w" (ended)',
    ],
    ["OffsetAllocator", () => new OffsetAllocator(10), "<the offset allocator has been disposed of>"],
  ];

  it.each(END)("is printed as ended: %s", (_, make, expected) => {
    const made = make();
    made.dispose();
    if (typeof expected === "string") expect(inspect(made)).toBe(expected);
    else expect(inspect(made)).toMatch(expected);
  });

  it("is printed as ended where something else has ended it", () => {
    const vec = vecOf(heap, 3);
    Vec.attach(heap, f64, vec.ptr).dispose();
    expect(inspect(vec)).toBe("Vec<f64> (ended)");
    const bump = heap.bump();
    const [point, list] = [bump.new(Point), bump.newArray(f64, 3)];
    bump.dispose();
    expect(inspect(point)).toMatch(/^Ref<Point> @ 0x[0-9a-f]+ \(ended\)$/);
    expect(inspect(list)).toMatch(/^ArrayRef<f64> @ 0x[0-9a-f]+ \(ended\)$/);
  });

  it("is printed with what is wrong where its row or its variant is another by now", () => {
    const columns = new Columns(heap, Point);
    columns.push();
    const row = columns.at(0);
    columns.pop();
    expect(inspect(row)).toMatch(/^<Row<Point> at 0x[0-9a-f]+: used after .* had ended>$/);
    const Shape = struct({ kind: union({ circle: f64, point: Point }) });
    const shape = heap.new(Shape, { kind: { tag: "point", value: { x: 1 } } });
    const { value } = shape.kind;
    shape.kind = { tag: "circle", value: 1 };
    expect(inspect(value)).toMatch(/^Ref<Point> @ 0x[0-9a-f]+ \(ended\)$/);
  });

  it("is printed after the memory has grown as before", () => {
    const grown = Heap.create({ reserve: 0 });
    const vec = vecOf(grown, 3);
    grown.malloc(1 << 24);
    expect(inspect(vec)).toBe("Vec<f64>(3 of 3) [ 0, 1, 2 ]");
  });
});

describe("a logger that writes JSON", () => {
  it("gets the same of what has no elements, and of the others all of them", () => {
    const heap = newHeap();
    expect(JSON.parse(JSON.stringify({ heap, bump: heap.bump({ name: "frame" }) }))).toEqual({
      heap: inspect(heap),
      bump: 'Bump "frame" { used: 0 bytes of 0 bytes }',
    });
    expect(JSON.stringify(vecOf(heap, 7))).toBe("[0,1,2,3,4,5,6]");
  });
});
