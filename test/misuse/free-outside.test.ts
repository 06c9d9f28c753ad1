import { Heap } from "morecore";
import { it } from "vitest";
import { expectMisuse, expectOneTop, filled, smallHeap } from "./refusal.ts";

it("addresses below the heap are refused", () => {
  const heap = smallHeap({ base: 8192 });
  const ptr = filled(heap, 100);
  for (const address of [16, 32, 4096, 8192 - 16])
    expectMisuse(heap, () => heap.free(address), "outside", address);
  expectOneTop(heap, ptr);
});

it("addresses above the heap's end are refused: reserved memory, its end, and beyond any memory", () => {
  const heap = smallHeap();
  const ptr = filled(heap, 100);
  const end = heap.base + heap.footprint;
  for (const address of [end + 16, 1 << 17, (1 << 18) - 16, 1 << 18, 0x7fff_fff0, 0x8000_0000, 0xffff_fff0])
    expectMisuse(heap, () => heap.free(address), "outside", address);
  expectOneTop(heap, ptr);
});

it("memory of others between two segments is refused", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const heap = Heap.create({ memory, advance: 0 });
  const inFirst = filled(heap, 1000);
  const others = memory.grow(1) * 65_536;
  const inSecond = filled(heap, 100_000, 0x55);
  expectMisuse(heap, () => heap.free(others + 16), "outside", others + 16);
  expectMisuse(heap, () => heap.free(others + 4096), "outside", others + 4096);
  // What begins a segment, its two links, is no block either.
  expectMisuse(heap, () => heap.free(others + 65_536), "outside", others + 65_536);
  heap.free(inFirst);
  heap.free(inSecond);
  heap.check();
});

it("the fencepost that closes a segment is refused", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const heap = Heap.create({ memory, advance: 0 });
  const others = memory.grow(1) * 65_536;
  const ptr = filled(heap, 100_000);
  expectMisuse(heap, () => heap.free(others), "outside", others);
  heap.free(ptr);
  heap.check();
});
