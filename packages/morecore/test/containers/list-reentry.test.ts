// List reentry: what a value is made from runs the caller's code, which may do anything to the container that it is given to.

import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import { array, Columns, f64, Heap, i32, struct, text, UseAfterFreeError, Vec } from "../../src/index.ts";

const Item = struct({ name: text, count: f64 }, { name: "Item" });
const item = (index: number) => ({ name: `n${index}`, count: index });

describe("what a value is made from may change the container", () => {
  const Row4 = array(i32, 4);

  it("and lands where it belongs, the others' blocks untouched", () => {
    const heap = Heap.create({ checking: true });
    const vec = new Vec(heap, Row4);
    for (let index = 0; index < 4; index++) vec.push([index, index, index, index]);
    let other: Iterable<number> = [];
    vec.set(
      0,
      (function* () {
        yield 100;
        vec.push([7, 7, 7, 7]);
        other = heap.newArray(i32, 16, Array(16).fill(9));
        yield* [101, 102, 103];
      })(),
    );
    expect([...vec.get(0)]).toEqual([100, 101, 102, 103]);
    expect([...other]).toEqual(Array(16).fill(9));
    const nest = function* (depth: number): Generator<number> {
      yield depth;
      if (depth < 5) vec.push(nest(depth + 1));
      yield depth;
    };
    vec.push(nest(0));
    expect([...vec].slice(5).map((row) => row.get(0))).toEqual([5, 4, 3, 2, 1, 0]);
    vec.insert(
      1,
      (function* () {
        vec.insert(0, [8]);
        yield 1;
      })(),
    );
    expect([vec.get(0).get(0), vec.get(1).get(0), vec.get(2).get(0)]).toEqual([8, 1, 100]);
    vec.extend(
      (function* () {
        yield [1];
        vec.clear();
        yield [2];
      })(),
    );
    expect(JSON.parse(JSON.stringify(vec))).toEqual([
      [1, 0, 0, 0],
      [2, 0, 0, 0],
    ]);
    vec.dispose();
    heap.check();
  });

  it("through a getter, and nothing is lost", () => {
    const heap = Heap.create({ checking: true });
    const vec = new Vec(heap, Item);
    const columns = new Columns(heap, Item);
    for (const list of [vec, columns]) {
      list.push({
        get name() {
          for (let index = 0; index < 40; index++) list.push(item(index));
          return "outer";
        },
        count: 5,
      });
      expect([list.length, list.at(-0)?.name, list.at(40)?.name]).toEqual([41, "n0", "outer"]);
      expect(() =>
        list.push({
          get name() {
            list.pop();
            return 5 as never;
          },
        }),
      ).toThrow(TypeError);
      expect(list.length).toBe(40);
      list.dispose();
    }
    heap.check();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("or dispose of it, which the call then says", () => {
    const heap = Heap.create({ checking: true });
    const vec = new Vec(heap, Row4, 1);
    const ending = function* () {
      vec.dispose();
      yield 1;
    };
    expect(() => vec.push(ending())).toThrow(UseAfterFreeError);
    const columns = new Columns(heap, struct({ row: Row4 }));
    columns.push({});
    expect(() =>
      columns.assign(0, {
        row: (function* () {
          columns.clear();
          yield 1;
        })(),
      }),
    ).toThrow("index: there is none: the length is 0");
    columns.dispose();
    expect(liveBlocks(heap)).toBe(0);
  });

  it("while it is sorted: what was added stays behind, what has moved is refused", () => {
    const heap = Heap.create({ checking: true });
    for (const type of [Item, Row4] as const) {
      const vec = new Vec<typeof Item | typeof Row4>(heap, type, 100);
      const value = (index: number) => (type === Item ? item(index) : [index]) as never;
      for (const index of [3, 1, 2]) vec.push(value(index));
      const number = (one: unknown) => (one as { count: number }).count ?? (one as number[])[0];
      vec.sort((a, b) => {
        if (vec.length === 3) vec.push(value(0));
        return number(a) - number(b);
      });
      expect((vec.toJSON() as unknown[]).map(number)).toEqual([1, 2, 3, 0]);
      expect(() => vec.sort(() => Number(vec.pop() === undefined))).toThrow(
        "expected a function that leaves",
      );
      vec.dispose();
    }
    heap.check();
    expect(liveBlocks(heap)).toBe(0);
  });
});
