import { describe, expect, it } from "vitest";
import { expectMisuse, expectOneTop, filled, hex, largeHeap, smallHeap } from "./refusal.ts";

const SIZE = 1008;

describe("free of an address inside a live block", () => {
  it("is refused at every granule of a block of zeros", () => {
    const heap = smallHeap();
    const ptr = heap.calloc(1, SIZE - 4);
    for (let off = 16; off < SIZE; off += 16)
      expectMisuse(heap, () => heap.free(ptr + off), "not-a-block", ptr + off, "0x00000000: size 0, free");
    expectOneTop(heap, ptr);
  });

  it("is refused when the bytes there look like a live header, but no header follows", () => {
    const heap = smallHeap();
    const ptr = heap.calloc(1, SIZE - 4);
    heap.u32(ptr + 28, 1)[0] = 0x33;
    expectMisuse(
      heap,
      () => heap.free(ptr + 32),
      "not-a-block",
      ptr + 32,
      "0x00000033: size 48, in use, previous in use",
    );
    expect(heap.u32(ptr + 28, 1)[0]).toBe(0x33);
    expectOneTop(heap, ptr);
  });

  it("is refused when the bytes look like a live header, and what follows is no header", () => {
    const heap = smallHeap();
    const ptr = heap.calloc(1, SIZE - 4);
    heap.u32(ptr + 28, 1)[0] = 0x33;
    for (const word of [0x32, 0x0, 0x9, 0xffff_ffff, 0xdead_beef]) {
      heap.u32(ptr + 76, 1)[0] = word;
      expectMisuse(
        heap,
        () => heap.free(ptr + 32),
        "not-a-block",
        ptr + 32,
        "0x00000033: size 48, in use, previous in use",
      );
    }
    expectOneTop(heap, ptr);
  });

  it("is refused when the size there would reach beyond the heap's chunks", () => {
    const heap = smallHeap();
    const ptr = heap.calloc(1, SIZE - 4);
    for (const size of [0x1_0000, 0x7fff_fff0, 0xffff_fff0]) {
      heap.u32(ptr + 28, 1)[0] = size + 3;
      expectMisuse(
        heap,
        () => heap.free(ptr + 32),
        "not-a-block",
        ptr + 32,
        `${hex(size + 3)}: size ${size}, in use, previous in use`,
      );
    }
    expectOneTop(heap, ptr);
  });

  it("is refused when the size there would reach a header of others, beyond the heap", () => {
    const memory = new ArrayBuffer(1 << 16);
    new Uint32Array(memory).fill(0x33);
    const heap = smallHeap({ memory, base: 4096, size: 8192 });
    const ptr = heap.calloc(1, SIZE - 4);
    heap.u32(ptr + 28, 1)[0] = 0x4003;
    expectMisuse(
      heap,
      () => heap.free(ptr + 32),
      "not-a-block",
      ptr + 32,
      "0x00004003: size 16384, in use, previous in use",
    );
    expectOneTop(heap, ptr);
  });

  it("is refused when the block said to be free before it would begin below the heap", () => {
    const memory = new ArrayBuffer(1 << 16);
    const heap = smallHeap({ memory, base: 8192 });
    const ptr = heap.calloc(1, SIZE - 4);
    const size = ptr + 60 - 4092;
    new Uint32Array(memory)[4092 / 4] = size | 1;
    heap.u32(ptr + 56, 1)[0] = size;
    heap.u32(ptr + 60, 1)[0] = 0x32;
    heap.u32(ptr + 108, 1)[0] = 0x33;
    expectMisuse(heap, () => heap.free(ptr + 64), "not-a-block", ptr + 64, "0x00000032: size 48, in use");
    expectOneTop(heap, ptr);
  });

  it("is refused when the bytes say that the block before is free, and it is not", () => {
    const heap = smallHeap();
    const ptr = heap.calloc(1, SIZE - 4);
    // A header of 48 bytes, in use, P clear, and behind it one with P set; before it a footer without its header.
    heap.u32(ptr + 60, 1)[0] = 0x32;
    heap.u32(ptr + 108, 1)[0] = 0x33;
    for (const footer of [0, 32, 0x21, 0xffff_fff0, 4096]) {
      heap.u32(ptr + 56, 1)[0] = footer;
      expectMisuse(heap, () => heap.free(ptr + 64), "not-a-block", ptr + 64, "0x00000032: size 48, in use");
    }
    expectOneTop(heap, ptr);
  });

  it("is refused when every word of the block has a flag that no live header has", () => {
    const heap = smallHeap();
    const ptr = filled(heap, SIZE - 4);
    const words: readonly [number, "double-free" | "not-a-block", string][] = [
      [0x0000_002b, "not-a-block", "size 32, in use, previous in use, reserved flag set"],
      [
        0xffff_ffff,
        "not-a-block",
        "size 4294967280, in use, the heap's own, previous in use, reserved flag set",
      ],
      [0x0000_0027, "not-a-block", "size 32, in use, the heap's own, previous in use"],
      [0x0000_0021, "double-free", "size 32, free, previous in use"],
      [0x0000_0007, "not-a-block", "size 0, in use, the heap's own, previous in use"],
      [0x0000_0003, "not-a-block", "size 0, in use, previous in use"],
    ];
    for (const [word, code, says] of words) {
      heap.u32(ptr).fill(word);
      expectMisuse(heap, () => heap.free(ptr + 32), code, ptr + 32, `${hex(word)}: ${says}`);
    }
    expectOneTop(heap, ptr);
  });
});

describe("free of an address inside a slab", () => {
  it.each([16, 48, 100, 112, 240, 256, 272, 480, 496])(
    "is refused at every granule but a block's first, blocks of %i bytes",
    (bytes) => {
      const heap = largeHeap();
      const ptrs = Array.from({ length: 4 }, () => filled(heap, bytes, 0x33));
      const size = heap.usableSize(ptrs[0] ?? 0);
      for (const ptr of ptrs) {
        for (let off = 16; off < size; off += 16)
          expectMisuse(heap, () => heap.free(ptr + off), "not-a-block", ptr + off, size);
        expectMisuse(heap, () => heap.free(ptr + 4), "misaligned", ptr + 4);
      }
      expectOneTop(heap, ...ptrs);
    },
  );

  it("is refused for every other chunk of the heap's own: descriptors and the map", () => {
    const heap = smallHeap();
    const ptr = filled(heap, 100);
    let tried = 0;
    heap.inspectAll((piece) => {
      if (piece.state !== "overhead" || piece.ptr === ptr) return;
      tried++;
      expect(() => heap.free(piece.ptr)).toThrow(/\(not-a-block\)$/);
    });
    expect(tried).toBe(2);
    expectOneTop(heap, ptr);
  });
});
