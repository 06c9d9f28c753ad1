import { describe, expect, it } from "vitest";
import { expectCorrupt, filled, smallHeap } from "./refusal.ts";

/** A heap with a free chunk in a bin between two live blocks, whose first bytes were then overwritten. */
function overwritten(words: readonly number[]) {
  const heap = smallHeap({ smallLimit: 0 });
  const before = filled(heap, 100);
  const dead = filled(heap, 100);
  const behind = filled(heap, 100);
  heap.free(dead);
  heap.u32(dead, words.length).set(words);
  return { heap, before, dead, behind };
}

const GARBAGE: readonly [string, readonly number[]][] = [
  ["both links with text", [0x4141_4141, 0x4141_4141]],
  ["both links with addresses of live words", [2048, 2048]],
  ["the backward link", [0, 2048]],
  ["the forward link with a live block", [2048]],
  ["the forward link with an address outside the memory", [0xffff_fff0]],
  ["both links with 1", [1, 1]],
];

describe.each(GARBAGE)("a write after free over %s", (_name, words) => {
  it("is found by a free of the block before, which would merge", () => {
    const { heap, before, dead } = overwritten(words);
    expectCorrupt(heap, () => heap.free(before), "link", dead - 4);
  });

  it("is found by a free of the block behind, which would merge", () => {
    const { heap, dead, behind } = overwritten(words);
    expectCorrupt(heap, () => heap.free(behind), "link", dead - 4);
  });

  it("is found by a realloc of the block before, which would grow into it", () => {
    const { heap, before, dead } = overwritten(words);
    expectCorrupt(heap, () => heap.realloc(before, 180), "link", dead - 4);
    expectCorrupt(heap, () => heap.reallocInPlace(before, 180), "link", dead - 4);
  });

  it("is found by a malloc that would take the chunk, whole or split", () => {
    const { heap, dead } = overwritten(words);
    expectCorrupt(heap, () => heap.malloc(100), "link", dead - 4);
    expectCorrupt(heap, () => heap.malloc(40), "link", dead - 4);
    expectCorrupt(heap, () => heap.calloc(10, 10), "link", dead - 4);
    expectCorrupt(heap, () => heap.memalign(32, 40), "link", dead - 4);
  });

  it("is found by check", () => {
    const { heap } = overwritten(words);
    expect(() => heap.check()).toThrow(/^heap corrupted at .+ \((B2|B3)\)$/);
  });
});
