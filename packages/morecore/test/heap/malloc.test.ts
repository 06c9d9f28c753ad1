// Malloc: the malloc family and nothing else.

import { describe, expect, it } from "vitest";
import { canCompile } from "../../../../test/support/capabilities.ts";
import { Heap } from "../../src/index.ts";
import { Malloc } from "../../src/malloc.ts";

const PAGE = 65_536;

// It has no other kernel than that in WebAssembly.
describe.skipIf(!canCompile)("Malloc", () => {
  it("does what the family's calls say", () => {
    const heap = Malloc.create();
    const zeroed = heap.calloc(10, 4);
    expect(new Uint8Array(heap.buffer, zeroed, 40)).toEqual(new Uint8Array(40));
    const grown = heap.realloc(zeroed, 5000);
    expect(heap.usableSize(grown)).toBeGreaterThanOrEqual(5000);
    expect(heap.alignedAlloc(4096, 10) % 4096).toBe(0);
    expect(heap.reallocarray(0, 2 ** 31, 2 ** 31)).toBe(0);
    const sized = heap.malloc(1000);
    heap.freeSized(sized, 1000);
    heap.free(grown);
    heap.free(0);
    expect(heap.maxFootprint).toBeGreaterThanOrEqual(heap.footprint);
  });

  it("makes a heap that Heap attaches to, sound after thousands of calls, and empty when all is freed", () => {
    const small = Malloc.create();
    const heap = Heap.attach(small.memory, small.base);
    const ptrs = Array.from({ length: 5000 }, (_, index) => small.malloc((index * 37) % 3000));
    expect(ptrs).not.toContain(0);
    heap.check();
    for (const ptr of ptrs) small.free(ptr);
    heap.check();
    expect(small.trim()).toBe(true);
    expect(heap.mallinfo().uordblks).toBe(Heap.attach(Malloc.create().memory, 16).mallinfo().uordblks);
    expect(Malloc.attach(small.memory, small.base).malloc(10)).not.toBe(0);
  });

  it("begins where its memory is told to be nobody's, or behind its end", () => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    new Uint8Array(memory.buffer, 0, 1000).fill(1);
    const behind = Malloc.create({ memory });
    expect(behind.base).toBe(2 * PAGE);
    const based = Malloc.create({ memory: new WebAssembly.Memory({ initial: 2 }), base: 1001 });
    expect(based.base).toBe(1008);
    expect(new Uint8Array(memory.buffer, 0, 1000).every((byte) => byte === 1)).toBe(true);
  });

  it("answers 0 where its limit or the memory ends, and goes on", () => {
    const limited = Malloc.create({ limit: 2 * PAGE });
    expect([limited.malloc(PAGE), limited.malloc(2 * PAGE)]).toEqual([expect.any(Number), 0]);
    expect(limited.footprintLimit).toBe(2 * PAGE);
    const full = Malloc.create({ memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }), base: 16 });
    expect(full.malloc(3 * PAGE)).toBe(0);
    expect(full.malloc(100)).not.toBe(0);
  });

  it("refuses misuse with the address and a code, and nothing has changed", () => {
    const heap = Malloc.create();
    const ptr = heap.malloc(1000);
    heap.malloc(1);
    heap.free(ptr);
    expect(() => heap.free(ptr)).toThrow(
      expect.objectContaining({ name: "HeapMisuseError", code: "double-free", address: ptr }),
    );
    expect(() => heap.free(ptr + 8)).toThrow(/\(misaligned\)$/);
    expect(() => heap.free(2 ** 31)).toThrow(/\(outside\)$/);
    Heap.attach(heap.memory, heap.base).check();
  });

  it("refuses bad arguments by name", () => {
    const heap = Malloc.create();
    expect(() => heap.malloc(-1)).toThrow("bytes: expected an integer from 0 to 4294967295, got -1");
    expect(() => heap.alignedAlloc(3, 1)).toThrow("alignment: expected a power of two, got 3");
    expect(() => Malloc.create({ base: 0 })).toThrow("base: expected an address that is not 0");
    expect(() => Malloc.create({ size: 1 } as object)).toThrow('options: unknown option "size"');
    expect(() => Malloc.attach(heap.memory, 20)).toThrow(
      "base: expected a multiple of 16 that is not 0, got 20",
    );
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
    expect(() => Malloc.create({ memory: shared })).toThrow(
      "memory: expected a WebAssembly.Memory that is not shared",
    );
    const full = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    expect(() => Malloc.create({ memory: full })).toThrow("memory: it has no room for a heap");
  });
});
