// A tour of the typed layer: one of each, in one heap.

import { expect, test } from "vitest";
import {
  add,
  array,
  assign,
  bits,
  f64,
  Heap,
  i32,
  moveTo,
  pointer,
  type Ref,
  same,
  struct,
  text,
  UseAfterFreeError,
  u8,
  u32,
  union,
  utf8,
} from "../../src/index.ts";

const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const Node = struct(
  { value: i32, next: pointer(() => Node), name: array(u8, 16), at: Point },
  { name: "Node" },
);
test("structs, pointers, arrays, unions, texts, bits, scopes and an arena, one after the other", () => {
  const heap = Heap.create();
  const n = heap.new(Node, { value: 7 });
  expect(Node.size).toBe(40);
  n.value += 1;
  n.at.x = 2.5;
  n.next = n;
  expect(n.next?.next?.value).toBe(8);
  expect(JSON.stringify(n)).toContain('"x":2.5');
  n.name.assign(new TextEncoder().encode("hello"));
  expect(n.name.get(1)).toBe(101);
  const big = heap.malloc(50 << 20);
  expect(big).not.toBe(0);
  expect(n.value).toBe(8);
  n.value = 9;
  expect(n.value).toBe(9);
  const S = struct({
    name: text,
    kind: union({ a: i32, b: Point }),
    f: bits(u32, 3),
    g: bits(i32, 5),
    s: utf8(8),
  });
  const s = heap.new(S, { name: "grüße", kind: { tag: "b", value: { x: 1, y: 2 } }, f: 5, g: -3, s: "abc" });
  expect(s.name).toBe("grüße");
  expect(s.f).toBe(5);
  expect(s.g).toBe(-3);
  expect(s.s).toBe("abc");
  if (s.kind.tag === "b") expect(s.kind.value.y).toBe(2);
  else expect(0).toBe(1);
  s.name = "another";
  expect(s.name).toBe("another");
  s.f = 9;
  expect(s.f).toBe(1);
  expect(s.g).toBe(-3);
  heap.delete(s);
  expect(() => s.f).toThrow(UseAfterFreeError);
  expect(() => s.f).toThrow(/used after it was deleted/);
  heap.check();
  let out: unknown;
  const r = heap.scope((a) => {
    const p = a.new(Node, { value: 3, next: null });
    out = p;
    const q = a.scope((b) => {
      const i = b.new(Node, { next: p, value: 4 });
      return (i.next?.value ?? 0) + i.value;
    });
    return q;
  });
  expect(r).toBe(7);
  expect(() => (out as Ref<typeof Node>).value).toThrow(
    /Node at 0x[0-9a-f]+: used after scope \d+ had ended/,
  );
  const arr = heap.newArray(Node, 5);
  let k = 0;
  const c = heap.cursor(Node);
  for (let p = arr.ptr; k < 5; p = add(Node, p, 1)) {
    moveTo(c, p);
    c.value = k++;
  }
  expect([...arr].map((e) => e.value)).toEqual([0, 1, 2, 3, 4]);
  expect(same(arr.get(2), heap.ref(Node, add(Node, arr.ptr, 2)))).toBe(true);
  expect(() => heap.ref(Node, add(Node, arr.ptr, 9))).toThrow(/no live block/);
  assign(n, { at: { x: 7 } });
  expect(n.at.x).toBe(7);
  using arena = heap.bump();
  const m = arena.mark();
  const z = arena.new(Point, { x: 1 });
  arena.release(m);
  expect(() => z.x).toThrow(UseAfterFreeError);
  expect([...arena.collect(i32, [1, 2, 3].values())]).toEqual([1, 2, 3]);
  heap.check();
});
