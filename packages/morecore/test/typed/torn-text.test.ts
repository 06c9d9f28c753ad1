// Torn text: a process that dies while a text is written leaves the old one or the new one, and one owner for each block.

import { describe, expect, it } from "vitest";
import { eachPrefix, openTorn, storesOf, tearableHeap } from "../../../../test/support/torn-stores.ts";
import { Heap, i32, struct, text } from "../../src/index.ts";

/** The first text lies in one unit of eight bytes, the second across two. */
const Pair = struct({ whole: text, count: i32, split: text });
const WORDS = ["", "a", "twelve bytes", "a text that needs a block of its own"];

describe("a process dies while a text is written", () => {
  it.each([
    ["whole", []],
    ["split", [""]],
  ] as const)("and %s is as before or as after, or one of %j", (field, between) => {
    const heap = tearableHeap(1 << 15);
    const pair = heap.new(Pair, { whole: "first", split: "first" });
    for (const word of [...WORDS, ...WORDS.toReversed()]) {
      const old = pair[field];
      const bytes = (heap.memory.buffer as ArrayBuffer).slice(0);
      const stores = storesOf(heap, () => {
        pair[field] = word;
      });
      eachPrefix(bytes, stores, (copy) => {
        const again = openTorn(copy, heap.base).ref(Pair, pair.ptr);
        expect([old, word, ...between]).toContain(again[field]);
      });
    }
    heap.delete(pair);
    heap.check();
  });

  it("and it can be deleted, which frees each block once", () => {
    const heap = tearableHeap(1 << 15);
    const pair = heap.new(Pair, { whole: "first", split: "second" });
    const bytes = (heap.memory.buffer as ArrayBuffer).slice(0);
    const stores = storesOf(heap, () => {
      pair.split = "another";
      pair.whole = "";
    });
    eachPrefix(bytes, stores, (copy) => {
      const again: Heap = openTorn(copy, heap.base);
      again.delete(again.ref(Pair, pair.ptr));
      again.check();
    });
  });
});
