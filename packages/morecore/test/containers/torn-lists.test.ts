// Torn lists: a process dies between any two stores of any call. It leaves a Vec and Columns that can be
// attached to and used. The elements are as before the call or as after it, and each text is owned once.

import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../../test/support/random.ts";
import { seedOf } from "../../../../test/support/seed.ts";
import { eachPrefix, openTorn, storesOf, tearableHeap } from "../../../../test/support/torn-stores.ts";
import { array, Columns, f64, type Heap, i32, type Ptr, struct, text, Vec } from "../../src/index.ts";

/** The first text lies in one unit of eight bytes, the second across two. */
const Item = struct({ name: text, count: i32, more: text, at: f64, list: array(text, 2) }, { name: "Item" });
type Given = { name: string; count: number; more: string; at: number; list: string[] };
type Random = (bound: number) => number;

interface List {
  readonly ptr: number;
  readonly length: number;
  push(item: Given): number;
  pop(): unknown;
  toJSON(): unknown;
  check(): void;
}

/** A call, and whether it may leave single fields as before, or elements in another order, if it is cut short. */
interface Call<T> {
  readonly name: string;
  readonly act: (list: T) => unknown;
  readonly loose?: "fields" | "order";
}

interface Kind<T extends List> {
  readonly name: string;
  readonly make: (heap: Heap) => T;
  readonly attach: (heap: Heap, ptr: number) => T;
  readonly call: (random: Random, list: T) => Call<T>;
}

function item(random: Random): Given {
  const word = (): string => "abcdefghijklmnopqrstuvwxyz".slice(0, random(20));
  return { name: word(), count: random(100), more: word(), at: random(100), list: [word(), word()] };
}

const vecs: Kind<Vec<typeof Item>> = {
  name: "a Vec",
  make: (heap) => new Vec(heap, Item),
  attach: (heap, ptr) => Vec.attach(heap, Item, ptr as Ptr<Vec<typeof Item>>),
  call: (random, { length }) => {
    const one = item(random);
    const index = random(Math.max(1, length));
    if (length < 2 || random(4) === 0) return { name: "push", act: (vec) => vec.push(one) };
    switch (random(12)) {
      case 0:
        return { name: "pop", act: (vec) => vec.pop() };
      case 1:
        return { name: "insert", act: (vec) => vec.insert(index, one) };
      case 2:
        return { name: "remove", act: (vec) => vec.remove(index) };
      case 3:
        return { name: "swapRemove", act: (vec) => vec.swapRemove(index), loose: "order" };
      case 4:
        return { name: "set", act: (vec) => vec.set(index, one), loose: "fields" };
      case 5:
        return { name: "replace", act: (vec) => vec.replace(index, { name: "new" }), loose: "fields" };
      case 6:
        return { name: "truncate", act: (vec) => vec.truncate(length - random(3)) };
      case 7:
        return { name: "extend", act: (vec) => vec.extend([one, one]) };
      case 8:
        return { name: "reserve", act: (vec) => vec.reserve(vec.capacity + 1) };
      case 9:
        return { name: "shrinkToFit", act: (vec) => vec.shrinkToFit() };
      case 10:
        return { name: "sort", act: (vec) => vec.sort((a, b) => a.count - b.count) };
      default:
        return { name: "its own element", act: (vec) => vec.push(vec.get(index) as unknown as Given) };
    }
  },
};

const columns: Kind<Columns<typeof Item.fields>> = {
  name: "Columns",
  make: (heap) => new Columns(heap, Item),
  attach: (heap, ptr) => Columns.attach(heap, Item, ptr as Ptr<Columns<typeof Item.fields>>),
  call: (random, { length }) => {
    const one = item(random);
    const index = random(Math.max(1, length));
    if (length < 2 || random(3) === 0) return { name: "push", act: (list) => list.push(one) };
    switch (random(6)) {
      case 0:
        return { name: "pop", act: (list) => list.pop() };
      case 1:
        return { name: "swapRemove", act: (list) => list.swapRemove(index), loose: "order" };
      case 2:
        return { name: "assign", act: (list) => list.assign(index, one), loose: "fields" };
      case 3:
        return { name: "replace", act: (list) => list.replace(index, { more: "new" }), loose: "fields" };
      case 4:
        return { name: "truncate", act: (list) => list.truncate(length - random(3)) };
      default:
        return { name: "reserve", act: (list) => list.reserve(list.capacity + 1) };
    }
  },
};

const sorted = (value: unknown): string =>
  JSON.stringify((value as unknown[]).map((one) => JSON.stringify(one)).sort());

/** Whether each field of each element is as before or as after; a text may be empty in between. */
function isMixed(now: unknown, before: unknown, after: unknown): boolean {
  if (typeof now !== "object" || now === null) return now === before || now === after || now === "";
  const [one, other] = [before as Record<string, unknown>, after as Record<string, unknown>];
  return Object.entries(now).every(([key, value]) => isMixed(value, one[key], other[key]));
}

function isExpected({ loose }: Call<never>, now: unknown, before: unknown, after: unknown): boolean {
  if (loose === "fields") return isMixed(now, before, after);
  const show = loose === "order" ? sorted : JSON.stringify;
  return show(now) === show(before) || show(now) === show(after);
}

/** All can be taken out, which frees each text: a second time, or of another's block, the heap would refuse. Then it goes on. */
function expectServes(heap: Heap, list: List): void {
  while (list.length > 0) list.pop();
  list.push({ name: "one", count: 1, more: "two", at: 3, list: ["three"] });
  list.check();
  list.pop();
  heap.check();
}

function tearCalls<T extends List>(kind: Kind<T>, calls: number): Record<string, number> {
  const random = randomFrom(seedOf(`torn ${kind.name}`));
  const heap = tearableHeap(1 << 15);
  const list = kind.make(heap);
  const states: Record<string, number> = {};
  for (let index = 0; index < calls; index++) {
    const call = kind.call(random, list);
    const before = JSON.parse(JSON.stringify(list)) as unknown;
    const bytes = (heap.memory.buffer as ArrayBuffer).slice(0);
    const stores = storesOf(heap, () => call.act(list));
    const after = JSON.parse(JSON.stringify(list)) as unknown;
    states[call.name] = (states[call.name] ?? 0) + stores.length;
    eachPrefix(bytes, stores, (copy, count) => {
      const state = `${call.name}, killed after ${count} of ${stores.length} stores`;
      try {
        const again = openTorn(copy, heap.base);
        const torn = kind.attach(again, list.ptr);
        torn.check();
        const now = JSON.parse(JSON.stringify(torn)) as unknown;
        if (!isExpected(call, now, before, after))
          throw new Error(`${JSON.stringify(now)} from ${JSON.stringify(before)}`);
        expectServes(again, torn);
      } catch (error) {
        throw new Error(`${state}: ${String(error)}`, { cause: error });
      }
    });
  }
  return states;
}

describe("a process dies between two stores", () => {
  it("of any call of a Vec: it has all elements as before or as after, and each text one owner", () => {
    const states = tearCalls(vecs, 50);
    console.log(states);
    expect(Object.values(states).reduce((sum, each) => sum + each, 0)).toBeGreaterThan(1000);
  });

  it("of any call of Columns: they have all structs as before or as after, and each text one owner", () => {
    const states = tearCalls(columns, 30);
    console.log(states);
    expect(Object.values(states).reduce((sum, each) => sum + each, 0)).toBeGreaterThan(1000);
  });

  it("of a call of a Vec of numbers: it has as many as before or as after, and none that it never had", () => {
    const heap = tearableHeap(1 << 15);
    const vec = new Vec(heap, i32);
    const calls: readonly ((list: Vec<typeof i32>) => unknown)[] = [
      (list) => list.push(1),
      (list) => list.extend([2, 3, 4, 5, 6, 7]),
      (list) => list.insert(2, 8),
      (list) => list.remove(1),
      (list) => list.swapRemove(0),
      (list) => list.sort(),
      (list) => list.sort((a, b) => b - a),
      (list) => list.shrinkToFit(),
      (list) => list.extend(Int32Array.of(1, 2, 3, 4)),
      (list) => list.clear(),
      (list) => list.shrinkToFit(),
    ];
    for (const call of calls) {
      const bytes = (heap.memory.buffer as ArrayBuffer).slice(0);
      const lengths = [vec.length];
      const stores = storesOf(heap, () => call(vec));
      lengths.push(vec.length);
      eachPrefix(bytes, stores, (copy) => {
        const torn = Vec.attach(openTorn(copy, heap.base), i32, vec.ptr);
        torn.check();
        expect(lengths).toContain(torn.length);
        expect([...torn].every((number) => number >= 1 && number <= 8)).toBe(true);
        expect(torn.push(3)).toBe(torn.length);
      });
    }
  });
});
