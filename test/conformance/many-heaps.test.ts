// Many heaps share one memory without knowing of each other.

import { Heap, HeapMisuseError, wasmMemory } from "morecore";
import { expect, test } from "vitest";
import { Shadow } from "../support/shadow.ts";

test("heaps that grow in turns in one wasm memory never touch each other", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 512 });
  const shadows = Array.from({ length: 4 }, () => new Shadow(Heap.create({ memory, advance: 0 })));
  for (let round = 0; round < 12; round++) {
    for (const shadow of shadows) shadow.add(shadow.heap.malloc(30_000), 30_000);
    for (const shadow of shadows) shadow.heap.check();
  }
  for (const shadow of shadows) {
    shadow.expectAgreement();
    shadow.finish();
  }
});

test("heaps in parts of one ArrayBuffer stay inside their parts", () => {
  const memory = new ArrayBuffer(65_536);
  new Uint8Array(memory).fill(0x77);
  const heaps = [4096, 16_384, 40_000].map((base) => Heap.create({ memory, base, size: 8000 }));
  for (const heap of heaps) {
    for (let ptr = heap.malloc(100); ptr !== 0; ptr = heap.malloc(100)) heap.u8(ptr).fill(0x11);
    heap.check();
  }
  const outside = (at: number): boolean => heaps.every(({ base }) => at < base || at >= base + 8000);
  const changed = new Uint8Array(memory).findIndex((byte, at) => byte !== 0x77 && outside(at));
  expect(changed).toBe(-1);
});

test("a heap refuses another heap's blocks, which lie between its segments, as outside", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });
  const [one, other] = [Heap.create({ memory, advance: 0 }), Heap.create({ memory, advance: 0 })];
  const far = one.malloc(100_000);
  const ptr = other.malloc(100);
  expect(far).toBeGreaterThan(ptr);
  for (const call of [() => one.free(ptr), () => one.realloc(ptr, 10), () => one.usableSize(ptr)]) {
    expect(call).toThrow(HeapMisuseError);
    expect(call).toThrow(/outside/);
  }
  other.free(ptr);
  one.check();
  other.check();
});

test("a Memory of one's own holds as many heaps as a WebAssembly.Memory does", () => {
  const memory = wasmMemory(undefined, 4 * 65_536);
  const heaps = [0, 1, 2, 3].map((page) =>
    Heap.create({ memory, base: page * 65_536 + 16, size: 65_536 - 16, smallLimit: 0 }),
  );
  const ptrs = heaps.map((heap) => heap.calloc(1000));
  expect(ptrs.map((ptr) => Math.floor(ptr / 65_536))).toEqual([0, 1, 2, 3]);
  for (const heap of heaps) heap.check();
});
