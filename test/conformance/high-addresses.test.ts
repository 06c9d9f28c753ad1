// High addresses: a heap works the same where addresses need the 32nd bit. The memory is virtual: hardly a page of it
// is written, so it costs no resident memory.

import { Heap } from "morecore";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { conformance } from "../support/conformance.ts";
import { expectEmpty, Shadow } from "../support/shadow.ts";

const WASM_PAGE = 65_536;
const GIBIBYTE = 2 ** 30;
const MIDDLE = 2 ** 31;
/** A little more than 2 GiB. */
const PAGES = 33_000;

let memory: WebAssembly.Memory | undefined;

function highMemory(initial = PAGES, maximum = PAGES + 1000): WebAssembly.Memory {
  memory ??= new WebAssembly.Memory({ initial, maximum });
  return memory;
}

describe("above 2 GiB", () => {
  // All heaps of the suite are made in one memory: an engine does not take back what it has reserved at once.
  const shared = new WebAssembly.Memory({ initial: PAGES, maximum: 65_536 });
  conformance(
    "a given wasm memory",
    (settings) => Heap.create({ memory: shared, footprintLimit: 64 * 1024 * 1024, ...settings }),
    true,
  );
});

describe("around 2 GiB", () => {
  beforeEach(() => {
    memory = undefined;
  });
  afterEach(() => {
    memory = undefined;
  });

  test("every pointer of a heap with a base above 2 GiB is above it, and unsigned", () => {
    const base = MIDDLE + 65_536;
    const heap = Heap.create({ memory: highMemory(), base });
    const shadow = new Shadow(heap);
    for (const bytes of [0, 100, 5000, 100_000]) {
      const { ptr } = shadow.add(heap.malloc(bytes), bytes);
      expect(ptr).toBeGreaterThan(base);
    }
    shadow.add(heap.memalign(65_536, 100), 100, 65_536);
    heap.check();
    const other = Heap.attach(highMemory(), base);
    other.check();
    shadow.finish();
    expectEmpty(heap, 1);
  });

  test("a heap grows across 2 GiB, and merges across it again", () => {
    const heap = Heap.create({ memory: highMemory(), base: MIDDLE - 8 * WASM_PAGE, growthStep: 4096 });
    const shadow = new Shadow(heap);
    for (let index = 0; index < 20; index++) {
      shadow.add(heap.malloc(50_000), 50_000);
      heap.check();
    }
    const ptrs = shadow.list.map(({ ptr }) => ptr);
    expect(Math.min(...ptrs)).toBeLessThan(MIDDLE);
    expect(Math.max(...ptrs)).toBeGreaterThan(MIDDLE);
    shadow.finish();
    expectEmpty(heap, 1);
  });

  test("one block lies across 2 GiB, and is resized there", () => {
    const heap = Heap.create({ memory: highMemory(), base: MIDDLE - WASM_PAGE });
    const shadow = new Shadow(heap);
    const block = shadow.add(heap.malloc(100_000), 100_000);
    expect(block.ptr).toBeLessThan(MIDDLE);
    expect(heap.realloc(block.ptr, 200_000)).toBe(block.ptr);
    shadow.move(block, block.ptr, 200_000);
    heap.check();
    shadow.finish();
  });

  test("the memory grows past 2 GiB when the heap asks", () => {
    const given = highMemory(MIDDLE / WASM_PAGE, MIDDLE / WASM_PAGE + 200);
    const heap = Heap.create({ memory: given });
    expect(heap.base).toBe(MIDDLE);
    const shadow = new Shadow(heap);
    for (let index = 0; index < 20; index++) shadow.add(heap.malloc(100_000), 100_000);
    heap.check();
    shadow.finish();
  });

  test("blocks larger than 1 GiB, and the largest request, are served, resized and freed", () => {
    const heap = Heap.create({
      memory: highMemory(PAGES, 65_536),
      base: 16,
      growthStep: GIBIBYTE,
      trimThreshold: Number.POSITIVE_INFINITY,
    });
    const large = heap.malloc(GIBIBYTE + 100);
    const largest = heap.malloc(MIDDLE - 1);
    expect(large).not.toBe(0);
    expect(largest).toBeGreaterThan(large + GIBIBYTE);
    expect(heap.usableSize(largest)).toBeGreaterThanOrEqual(MIDDLE - 1);
    expect(heap.malloc(MIDDLE - 1)).toBe(0);
    expect(heap.realloc(large, GIBIBYTE + 10)).toBe(large);
    heap.free(large);
    expect(heap.malloc(GIBIBYTE)).toBe(large);
    heap.check();
    heap.free(large);
    heap.free(largest);
    heap.check();
    let bytes = 0;
    heap.inspectAll((chunk) => {
      expect(chunk.state).toBe("top");
      bytes = chunk.size;
    });
    expect(bytes).toBeGreaterThan(3 * GIBIBYTE);
    expect(heap.trim()).toBe(true);
  });

  test("a heap never reaches beyond the last wasm page", () => {
    const base = 2 ** 32 - 10 * WASM_PAGE;
    const heap = Heap.create({ memory: highMemory(65_536, 65_536), base });
    const shadow = new Shadow(heap);
    for (let ptr = heap.malloc(20_000); ptr !== 0; ptr = heap.malloc(20_000)) shadow.add(ptr, 20_000);
    heap.check();
    expect(Math.max(...shadow.list.map(({ ptr }) => ptr + 20_000))).toBeLessThan(2 ** 32 - WASM_PAGE);
    expect(shadow.list.length).toBeGreaterThan(25);
    shadow.finish();
    expectEmpty(heap, 1);
  });
});
