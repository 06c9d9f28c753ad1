// Torn union: a process that dies while a union gets another variant leaves one of the two, and one owner for each block.

import { describe, expect, it } from "vitest";
import { liveBlocks } from "../../../../test/support/live.ts";
import { eachPrefix, openTorn, storesOf, tearableHeap } from "../../../../test/support/torn-stores.ts";
import { f64, i32, struct, text, union } from "../../src/index.ts";

const Shape = union({ word: text, number: f64, pair: struct({ a: text, b: i32 }), list: struct({ n: i32 }) });
const Holder = struct({ before: text, shape: Shape }, { name: "Holder" });
const VALUES = [
  { tag: "word", value: "hello" },
  { tag: "number", value: 1e300 },
  { tag: "pair", value: { a: "x", b: 3 } },
  { tag: "word", value: "a text of some length" },
  { tag: "pair", value: { a: "a text, too", b: -1 } },
  { tag: "list", value: { n: -1 } },
] as const;

describe("a process dies while a union gets another variant", () => {
  it("and it has one of the two, with what it owns, whichever they are", () => {
    const heap = tearableHeap(1 << 15);
    for (const from of VALUES)
      for (const to of VALUES) {
        const holder = heap.new(Holder, { before: "kept", shape: from });
        const bytes = (heap.memory.buffer as ArrayBuffer).slice(0);
        const stores = storesOf(heap, () => {
          holder.shape = to as never;
        });
        expect(JSON.parse(JSON.stringify(holder)).shape).toEqual(to);
        eachPrefix(bytes, stores, (copy, count) => {
          const again = openTorn(copy, heap.base);
          const torn = again.ref(Holder, holder.ptr);
          const { shape } = JSON.parse(JSON.stringify(torn)) as { shape: { tag: string; value: unknown } };
          const text = JSON.stringify(shape);
          expect([from.tag, to.tag], `${count}: ${text}`).toContain(shape.tag);
          const words = JSON.stringify([from, to, ""]);
          for (const [word] of text.matchAll(/(?<=:)"[^"]*"/g)) expect(words, `${count}`).toContain(word);
          again.delete(torn);
          again.check();
        });
        heap.delete(holder);
        expect(liveBlocks(heap)).toBe(0);
      }
  });
});
