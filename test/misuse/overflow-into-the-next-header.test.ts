import { HeapMisuseError } from "morecore";
import { describe, expect, it } from "vitest";
import { expectCorrupt, filled, hex, smallHeap, thrownBy } from "./refusal.ts";

/** Writes one word past the end of a block. */
const WORDS = [0, 0x4141_4141, 0xdead_beef, 0xffff_ffff, 0x0000_0010, 0x8000_0003];

describe.each(WORDS.map((word) => [hex(word), word] as const))("an overflow of %s", (_name, word) => {
  it("is found by check", () => {
    const heap = smallHeap({ smallLimit: 0 });
    const ptr = filled(heap, 108);
    const next = filled(heap, 108);
    filled(heap, 108);
    heap.u32(ptr, 28)[27] = word;
    const error = thrownBy(heap, () => heap.check());
    expect(String(error)).toMatch(/^HeapCorruptError: heap corrupted at .+ \((C1|C2|C3)\)$/);
    expect(next).toBe(ptr + 112);
  });

  it("is found by a free of the block whose header it hit", () => {
    const heap = smallHeap({ smallLimit: 0 });
    const ptr = filled(heap, 108);
    const next = filled(heap, 108);
    filled(heap, 108);
    heap.u32(ptr, 28)[27] = word;
    const error = thrownBy(heap, () => heap.free(next));
    expect(error).toBeInstanceOf(HeapMisuseError);
    expect(String(error)).toContain(hex(next));
  });
});

it.each([0xdead_beef, 0xffff_ffff, 0x0000_0009])(
  "an overflow of %i, which no header is, is found by a free of the block itself",
  (word) => {
    const heap = smallHeap({ smallLimit: 0 });
    const ptr = filled(heap, 108);
    filled(heap, 108);
    heap.u32(ptr, 28)[27] = word;
    expect(String(thrownBy(heap, () => heap.free(ptr)))).toContain("(not-a-block)");
  },
);

it("an overflow that clears the flag P is found by a free of the block itself", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const ptr = filled(heap, 108);
  filled(heap, 108);
  heap.u32(ptr, 28)[27] = 0;
  expect(String(thrownBy(heap, () => heap.free(ptr)))).toBe(
    `HeapMisuseError: ${hex(ptr)}: expected a live block, found no header of one: no block begins here, or it or the next header was overwritten; ` +
      "its header word is 0x00000073: size 112, in use, previous in use (not-a-block)",
  );
});

it("a NUL written one byte too far is not called a double free alone: the next block was never freed", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const ptr = filled(heap, 108);
  const next = filled(heap, 1272);
  filled(heap, 108);
  heap.u8(ptr, 109)[108] = 0;
  expect(String(thrownBy(heap, () => heap.free(next)))).toBe(
    `HeapMisuseError: ${hex(next)}: expected a live block, found a header that says free: it was freed before, or ` +
      "overwritten from the block before it; its header word is 0x00000500: size 1280, free (double-free)",
  );
});

it("an overflow that makes the next block look free is found by a free of the block itself", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const ptr = filled(heap, 108);
  const next = filled(heap, 108);
  heap.u32(ptr, 28)[27] = 0x4141_4141;
  expectCorrupt(heap, () => heap.free(ptr), "link", next - 4);
  expectCorrupt(heap, () => heap.realloc(ptr, 200), "link", next - 4);
});

it("an overflow into top's header is found by check", () => {
  const heap = smallHeap({ smallLimit: 0 });
  const ptr = filled(heap, 108);
  heap.u32(ptr, 28)[27] = 0x4141_4141;
  expectCorrupt(heap, () => heap.check(), "T1", ptr + 108);
});

it("an overflow of a small block reaches other small blocks only: the heap has nothing there", () => {
  const heap = smallHeap();
  const ptrs = Array.from({ length: 8 }, () => filled(heap, 112));
  const [first = 0] = ptrs;
  // All of the next six blocks, from the first one's end on.
  heap.u8(first, 7 * 112).fill(0xff);
  heap.check();
  expect(heap.malloc(112)).toBe(first + 8 * 112);
  heap.free(first + 8 * 112);
  heap.bulkFree(ptrs);
  heap.check();
});
