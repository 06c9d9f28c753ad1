// Torn stores: what the recorder of stores says is what happened.

import { describe, expect, it } from "vitest";
import { eachPrefix, openTorn, storesOf, tearableHeap } from "../../../../test/support/torn-stores.ts";
import { f64, HashMap, Heap, i32, struct, text, u16, utf8, Vec } from "../../src/index.ts";

describe("the recorder of stores", () => {
  it("replays all of them to the same bytes, the kernel's and the typed layer's", () => {
    const heap = tearableHeap(1 << 16);
    const Item = struct({
      name: text,
      tag: utf8(5),
      at: f64,
      small: struct({ a: u16, b: i32 }, { packed: true }),
    });
    const vec = new Vec(heap, Item);
    const map = new HashMap(heap, text, i32);
    const numbers = new Vec(heap, f64);
    const before = (heap.memory.buffer as ArrayBuffer).slice(0);
    const stores = storesOf(heap, () => {
      for (let index = 0; index < 6; index++) {
        vec.push({ name: `item ${index}`, tag: "tag", at: index, small: { b: index } });
        map.set(`key ${index}`, index);
      }
      numbers.extend(Float64Array.of(3, 1, 2));
      numbers.sort();
      vec.remove(3);
      map.delete("key 4");
    });
    expect(stores.length).toBeGreaterThan(200);
    let last: ArrayBuffer | undefined;
    eachPrefix(before, stores, (copy) => {
      last = copy;
    });
    expect(Buffer.from(last as ArrayBuffer).equals(Buffer.from(heap.memory.buffer as ArrayBuffer))).toBe(
      true,
    );
    const again = openTorn(last as ArrayBuffer, heap.base);
    expect(Vec.attach(again, Item, vec.ptr).get(3).name).toBe("item 4");
    expect(Heap.attach(heap.memory, heap.base).check()).toBeUndefined();
  });
});
