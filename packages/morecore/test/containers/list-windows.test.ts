// List windows: several Vecs, Columns and HeapStrings on one header, in one thread or in several, see what the others do.

import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../../../test/support/c-program.ts";
import { liveBlocks } from "../../../../test/support/live.ts";
import {
  Columns,
  f64,
  Heap,
  HeapString,
  i32,
  struct,
  text,
  UseAfterFreeError,
  Vec,
} from "../../src/index.ts";

const Item = struct({ name: text, count: f64 }, { name: "Item" });
const item = (index: number) => ({ name: `n${index}`, count: index });
const COUNT = 5000;

function shared(): { memory: WebAssembly.Memory; heap: Heap } {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 1000, shared: true });
  return { memory, heap: Heap.create({ memory, base: 1024, checking: true }) };
}

/** A Vec, Columns and a HeapString with one element, that were used before another window lets them grow. */
function used(heap: Heap) {
  const vec = new Vec(heap, Item);
  const columns = new Columns(heap, Item);
  const string = new HeapString(heap, "0123456789");
  vec.push(item(0));
  columns.push(item(0));
  const before = { ref: vec.get(0), row: columns.at(0), iterator: vec[Symbol.iterator]() };
  before.iterator.next();
  return { vec, columns, string, ...before };
}

function expectGrown(
  { vec, columns, string, ref, row, iterator }: ReturnType<typeof used>,
  heap: Heap,
): void {
  expect([vec.length, columns.length, string.length]).toEqual([COUNT, COUNT, 10 * COUNT]);
  expect(() => ref.name).toThrow(UseAfterFreeError);
  expect(() => row.count).toThrow(UseAfterFreeError);
  expect(iterator.next().value?.name).toBe("n1");
  const numbers = columns.column("count");
  for (let index = 0; index < COUNT; index += 37) {
    expect(vec.get(index).name).toBe(`n${index}`);
    expect([columns.at(index).name, numbers[index]]).toEqual([`n${index}`, index]);
  }
  // Beyond what this window's arrays reached before.
  expect(vec.remove(COUNT - 2).name).toBe(`n${COUNT - 2}`);
  expect(vec.swapRemove(COUNT - 3).name).toBe(`n${COUNT - 3}`);
  expect(vec.get(COUNT - 3).name).toBe(`n${COUNT - 1}`);
  expect(columns.swapRemove(COUNT - 2).count).toBe(COUNT - 2);
  expect(columns.at(COUNT - 2).name).toBe(`n${COUNT - 1}`);
  vec.insert(COUNT - 4, item(-1));
  expect(vec.get(COUNT - 4).name).toBe("n-1");
  vec.sort((a, b) => a.count - b.count);
  expect(vec.get(0).name).toBe("n-1");
  expect(string.slice(10 * COUNT - 10)).toBe("0123456789");
  vec.clear();
  columns.clear();
  string.dispose();
  vec.dispose();
  columns.dispose();
  heap.check();
  expect(liveBlocks(heap)).toBe(0);
}

describe("a window that others have let grow", () => {
  it("reads and writes where things are now, in memory that is shared", () => {
    const { memory, heap } = shared();
    const lists = used(heap);
    const other = Heap.attach(memory, 1024);
    const [vec, columns] = [
      Vec.attach(other, Item, lists.vec.ptr),
      Columns.attach(other, Item, lists.columns.ptr),
    ];
    const string = HeapString.attach(other, lists.string.ptr);
    for (let index = 1; index < COUNT; index++) {
      vec.push(item(index));
      columns.push(item(index));
      string.append("0123456789");
    }
    expectGrown(lists, heap);
  });

  it("does so when it was another thread", async () => {
    const { memory, heap } = shared();
    const lists = used(heap);
    const { vec, columns, string } = lists;
    const worker = new Worker(join(ROOT, "test/support/list-worker.mjs"), {
      workerData: {
        built: join(ROOT, "packages/morecore/dist/index.js"),
        memory,
        base: 1024,
        ptrs: { vec: vec.ptr, columns: columns.ptr, string: string.ptr },
        count: COUNT,
      },
    });
    await once(worker, "message");
    expectGrown(lists, heap);
  });

  it.each([true, false])("never uses an address that another has given up (checking %s)", (checking) => {
    const heap = Heap.create({ checking });
    const one = new Columns(heap, Item, 8);
    for (let index = 0; index < 8; index++) one.push(item(index));
    const other = Columns.attach(heap, Item, one.ptr);
    const cursor = other.cursor();
    one.push(item(8));
    const block = heap.newArray(f64, 8, Array(8).fill(777));
    cursor.index = 0;
    cursor.count = 5;
    other.push(item(9));
    expect([one.at(0).count, one.at(9).name, other.at(8).count]).toEqual([5, "n9", 8]);
    expect([...block]).toEqual(Array(8).fill(777));
    heap.check();
  });
});

describe("a window whose container another has disposed of", () => {
  const ways: readonly [string, (heap: Heap) => { ptr: number; length: number; dispose(): void }, string][] =
    [
      ["a Vec", (heap) => new Vec(heap, i32, 8), "Vec<i32>"],
      ["Columns", (heap) => new Columns(heap, Item, 8), "Columns<Item>"],
    ];

  it.each(ways)("says so at each use, %s", (_, make, title) => {
    for (const reused of ["nothing", "zeros", "another"]) {
      const heap = Heap.create();
      const one = make(heap);
      const other =
        title === "Vec<i32>"
          ? Vec.attach(heap, i32, one.ptr as never)
          : Columns.attach(heap, Item, one.ptr as never);
      one.dispose();
      // The same memory, and the same kind of thing in it; or zeros before.
      if (reused !== "nothing") heap.delete(heap.newArray(i32, 12));
      const again = reused === "another" ? make(heap) : undefined;
      if (again !== undefined) expect(again.ptr).toBe(other["header"]);
      const calls = [
        () => other.length,
        () => other.capacity,
        () => other.ptr,
        () => other.at(0),
        () => other.push({} as never),
        () => other.pop(),
        () => other.swapRemove(0),
        () => other.reserve(9),
        () => other.clear(),
        () => [...other],
        () => other.forEach(() => {}),
        () => JSON.stringify(other),
        () => other.check(),
      ];
      for (const call of calls) expect(call).toThrow(UseAfterFreeError);
      expect(() => other.length).toThrow(title);
      other.dispose();
      one.dispose();
      expect(again?.length ?? 0).toBe(0);
      again?.dispose();
      heap.check();
      expect(liveBlocks(heap)).toBe(0);
    }
  });

  it("does nothing when it disposes of it, too", () => {
    const heap = Heap.create();
    const one = new Vec(heap, text);
    one.push("a");
    const other = Vec.attach(heap, text, one.ptr);
    one.dispose();
    other.dispose();
    expect(() => other.length).toThrow(UseAfterFreeError);
    heap.check();
    expect(liveBlocks(heap)).toBe(0);
  });
});

describe("an iterator", () => {
  it("goes by indices, whoever changes what it goes through", () => {
    const heap = Heap.create({ checking: true });
    const vec = new Vec(heap, i32);
    vec.extend([1, 2, 3, 4, 5]);
    const list = [1, 2, 3, 4, 5];
    const other = Vec.attach(Heap.attach(heap.memory, heap.base), i32, vec.ptr);
    const run = (all: Iterable<number>, remove: (index: number) => void, push: (value: number) => void) => {
      const seen: number[] = [];
      for (const one of all) {
        seen.push(one);
        if (one === 2) remove(0);
        if (one < 9 && seen.length < 6) push(one + 10);
      }
      return seen;
    };
    const [ours, theirs] = [
      run(
        vec,
        (index) => other.remove(index),
        (value) => vec.push(value),
      ),
      run(
        list,
        (index) => list.splice(index, 1),
        (value) => list.push(value),
      ),
    ];
    expect(ours).toEqual(theirs);
    expect([...vec]).toEqual(list);
  });

  it("of Columns, too; and it ends where the end is when it comes there", () => {
    const columns = new Columns(Heap.create({ checking: true }), Item);
    for (let index = 0; index < 10; index++) columns.push(item(index));
    const seen: number[] = [];
    for (const { count } of columns) {
      seen.push(count);
      if (count < 4) columns.pop();
      if (count === 5) columns.clear();
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
