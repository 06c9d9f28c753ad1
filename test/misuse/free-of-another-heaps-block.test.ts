import { Heap } from "morecore";
import { expect, it } from "vitest";
import { bytesOf, expectMisuse, expectOneTop, filled } from "./refusal.ts";

it("a block of another heap in the same memory is refused by every call, and both heaps stay whole", () => {
  const memory = new ArrayBuffer(1 << 18);
  const low = Heap.create({ memory, base: 16, size: 1 << 16 });
  const high = Heap.create({ memory, base: 1 << 17, size: 1 << 16 });
  const inLow = filled(low, 100, 0x66);
  const inHigh = filled(high, 100, 0x77);
  for (const [heap, ptr] of [
    [low, inHigh],
    [high, inLow],
  ] as const) {
    expectMisuse(heap, () => heap.free(ptr), "outside", ptr);
    expectMisuse(heap, () => heap.realloc(ptr, 200), "outside", ptr);
    expectMisuse(heap, () => heap.usableSize(ptr), "outside", ptr);
    expectMisuse(heap, () => heap.bulkFree([ptr]), "outside", ptr);
  }
  expect(low.u8(inLow).every((byte) => byte === 0x66)).toBe(true);
  expect(high.u8(inHigh).every((byte) => byte === 0x77)).toBe(true);
  expectOneTop(low, inLow);
  expectOneTop(high, inHigh);
});

it("a block of another heap that lies between two segments of this one is refused", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const outer = Heap.create({ memory, advance: 0 });
  const first = filled(outer, 1000);
  const between = Heap.create({ memory, advance: 0 });
  const second = filled(outer, 100_000);
  const ptr = filled(between, 100);
  expect(first < ptr && ptr < second).toBe(true);
  const before = bytesOf(outer);
  expectMisuse(outer, () => outer.free(ptr), "outside", ptr);
  expectMisuse(between, () => between.free(first), "outside", first);
  expectMisuse(between, () => between.free(second), "outside", second);
  expect(before.equals(bytesOf(outer))).toBe(true);
  expectOneTop(between, ptr);
  outer.free(first);
  outer.free(second);
  outer.check();
});
