import { describe, expect, it } from "vitest";
import { Heap } from "../../src/index.ts";
import { asBase } from "../../src/kernel/address.ts";
import { BAD_BASE, BEYOND_MEMORY, formatHeap, IS_HEAP, probeHeap } from "../../src/kernel/image.ts";
import { MIN_REGION } from "../../src/kernel/layout.ts";
import { Bench } from "./broken.ts";

describe("formatHeap", () => {
  it("begins with room for a chunk, however small the growth step", () => {
    const b = new Bench();
    const at = asBase(1 << 16);
    formatHeap(b.machine, at, at + 8192, at, 0, 16);
    const heap = Heap.attach(b.heap.buffer, at);
    expect(heap.footprint).toBe(MIN_REGION);
    heap.check();
    expect(heap.malloc(12)).not.toBe(0);
  });
});

describe("probeHeap", () => {
  it("says what no base can be, and reads nothing there", () => {
    const b = new Bench();
    expect(probeHeap(b.machine, b.base)).toBe(IS_HEAP);
    expect(probeHeap(b.machine, asBase(0))).toBe(BAD_BASE);
    expect(probeHeap(b.machine, asBase(b.base + 4))).toBe(BAD_BASE);
    expect(probeHeap(b.machine, asBase(0xffff_fff0))).toBe(BEYOND_MEMORY);
  });
});
