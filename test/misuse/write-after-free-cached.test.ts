import { expect, it } from "vitest";
import { expectCorrupt, filled, smallHeap } from "./refusal.ts";

it.each([
  ["inside no chunk", (ptr: number) => ptr + 32],
  ["misaligned", (ptr: number) => ptr + 7],
  ["outside the memory", () => 0xffff_fff0],
  ["text", () => 0x4141_4141],
])("a cached link that was overwritten with an address %s is found by malloc and by check", (_kind, link) => {
  const heap = smallHeap();
  const [a, b] = [filled(heap, 100), filled(heap, 100, 0)];
  heap.free(a);
  heap.free(b);
  const bad = link(b);
  heap.u32(b, 1)[0] = bad;
  expectCorrupt(heap, () => heap.check(), "K1", bad);
  // The block itself is sound; what its link leads to is not.
  expect(heap.malloc(100)).toBe(b);
  expectCorrupt(heap, () => heap.malloc(100), "link", bad);
  expectCorrupt(heap, () => heap.malloc(97), "link", bad);
  expectCorrupt(heap, () => heap.calloc(1, 100), "link", bad);
  // Other sizes are not touched by it.
  const other = filled(heap, 200);
  heap.free(other);
  expectCorrupt(heap, () => heap.check(), "K1", bad);
});

it("a cached link that was overwritten with a live block's chunk is found: it lacks the flag Q", () => {
  const heap = smallHeap();
  const [a, b, live] = [filled(heap, 100), filled(heap, 100), filled(heap, 100)];
  heap.free(a);
  heap.free(b);
  heap.u32(b, 1)[0] = live - 4;
  expect(heap.malloc(100)).toBe(b);
  expectCorrupt(heap, () => heap.malloc(100), "link", live - 4);
});

it("a cached link that was overwritten with a cached chunk of another size is found", () => {
  const heap = smallHeap();
  const [a, other] = [filled(heap, 100), filled(heap, 200)];
  heap.free(other);
  heap.free(a);
  heap.u32(a, 1)[0] = other - 4;
  expect(heap.malloc(100)).toBe(a);
  expectCorrupt(heap, () => heap.malloc(100), "link", other - 4);
});

it("a cached link that was zeroed loses chunks, and check says that the bytes do not add up", () => {
  const heap = smallHeap();
  const [a, b] = [filled(heap, 100), filled(heap, 100)];
  heap.free(a);
  heap.free(b);
  heap.u8(b, 100).fill(0);
  expectCorrupt(heap, () => heap.check(), "K2", heap.base + 48);
});

it("a cached link that was overwritten is found when the caches are emptied", () => {
  const heap = smallHeap();
  const [a, b] = [filled(heap, 100), filled(heap, 100)];
  const guard = filled(heap, 100);
  heap.free(a);
  heap.free(b);
  heap.u32(b, 1)[0] = guard - 4;
  expect(() => heap.trim()).toThrow(/free chunk's header or links have been overwritten \(link\)$/);
});
