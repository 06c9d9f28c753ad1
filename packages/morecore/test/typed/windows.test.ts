// Two windows on one memory: what is made through one is good in the other, since it lies in the same memory.

import { describe, expect, it } from "vitest";
import { CopyingMemory } from "../../../../test/support/memories.ts";
import { array, f64, HashMap, Heap, i32, pointer, same, struct, text } from "../../src/index.ts";

const Node = struct({ v: i32, next: pointer(() => Node), name: text, all: array(f64, 2) }, { name: "Node" });

const MEMORIES = [
  ["a WebAssembly.Memory", () => new WebAssembly.Memory({ initial: 4 })],
  ["a shared WebAssembly.Memory", () => new WebAssembly.Memory({ initial: 4, maximum: 64, shared: true })],
  ["an ArrayBuffer", () => new ArrayBuffer(1 << 20)],
  ["a SharedArrayBuffer", () => new SharedArrayBuffer(1 << 20)],
  ["a Memory of the user's", () => new CopyingMemory(1 << 20)],
] as const;

describe.each(MEMORIES)("two windows on one heap in %s", (_, make) => {
  function windows(): { one: Heap; other: Heap } {
    const memory = make();
    const one = Heap.create({ memory });
    return { one, other: Heap.attach(memory, one.base) };
  }

  it("have one memory", () => {
    const { one, other } = windows();
    expect(one.memory === other.memory).toBe(true);
  });

  it("store and copy each other's references", () => {
    const { one, other } = windows();
    const first = one.new(Node, { v: 1, name: "first", all: [1, 2] });
    const second = other.new(Node, { v: 2, next: first });
    expect(second.next?.v).toBe(1);
    const third = one.new(Node, { v: 3, next: second });
    third.next = second.next;
    expect(third.next?.name).toBe("first");
  });

  it("tell whether references are to the same struct", () => {
    const { one, other } = windows();
    const ref = one.new(Node);
    expect(same(ref, other.ref(Node, ref.ptr))).toBe(true);
    expect(same(ref, other.new(Node))).toBe(false);
  });

  it("find each other's references as keys", () => {
    const { one, other } = windows();
    const map = new HashMap(
      other,
      pointer(() => Node),
      i32,
    );
    const ref = one.new(Node);
    map.set(ref, 5);
    expect([map.get(ref), map.get(other.ref(Node, ref.ptr))]).toEqual([5, 5]);
  });

  it("delete what the other has made, and what that owned", () => {
    const { one, other } = windows();
    const before = one.mallinfo().uordblks;
    const ref = one.new(Node, { name: "x".repeat(1000) });
    const elements = one.newArray(i32, 10);
    other.delete(ref);
    other.delete(elements);
    expect(() => ref.v).toThrow(/was deleted/);
    expect(() => elements.get(0)).toThrow(/was deleted/);
    one.trim();
    expect(one.mallinfo().uordblks).toBe(before);
    one.check();
  });

  it("see that an arena of the other has ended", () => {
    const { one, other } = windows();
    const holder = one.new(Node);
    const found = one.scope((scope) => {
      holder.next = scope.new(Node, { v: 4 }) as never;
      const ref = other.ref(Node, holder.ptr).next;
      expect(ref?.v).toBe(4);
      return { ref };
    });
    expect(() => found.ref?.v).toThrow(/had ended/);
  });
});

describe("another heap in the same memory", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const one = Heap.create({ memory, base: 16, size: 32_000 });
  const other = Heap.create({ memory, base: 32_768 });

  it("may point to it, but deletes nothing of it", () => {
    const ref = one.new(Node, { v: 1 });
    expect(other.new(Node, { next: ref }).next?.v).toBe(1);
    expect(() => other.delete(ref)).toThrow(/made here, got one that lives in the heap/);
    expect(ref.v).toBe(1);
  });

  it("made at the same place later deletes nothing of the one before", () => {
    const ref = one.new(Node, { v: 1 });
    const later = Heap.create({ memory, base: 16, size: 32_000 });
    expect(() => later.delete(ref)).toThrow(/made here/);
  });
});
