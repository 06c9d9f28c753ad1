// Calls on a damaged image never ended. free and realloc walked a ring of segments for ever; inspectAll and
// mallinfo a slab whose descriptor stated blocks of 0 bytes or led back. check() refused such images, but
// nobody has to call it.

import { Heap, HeapCorruptError } from "morecore";
import { describe, expect, test, vi } from "vitest";
import { allowSteps } from "../../../../test/support/bounded-machine.ts";
import {
  AT_CLASSES,
  AT_SEGMENT,
  CLASS_BITS,
  CLASS_BYTES_LOG2,
  HEADER_BYTES,
  SEGMENT_NEXT,
  SHAPE_CLASS,
  SHAPE_CLASS_SHIFT,
  SLAB_FIRST,
  SLAB_SHAPE,
} from "../../src/kernel/layout.ts";
import type * as Plain from "../../src/kernel/machine.ts";

vi.mock("../../src/kernel/machine.ts", async (original: () => Promise<typeof Plain>) => {
  const { boundedMachine } = await import("../../../../test/support/bounded-machine.ts");
  return boundedMachine(original);
});

/** More than any of these calls needs, and less than for ever. */
const STEPS = 1_000_000;

/** A heap of three segments, copied to where the kernel in JavaScript serves, and a block of the second one. */
function threeSegments(): { heap: Heap; words: Uint32Array; inSecond: number } {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const made = Heap.create({ memory, base: 16, advance: 0, smallLimit: 0 });
  const blocks = [0, 1, 2].map(() => {
    const ptr = made.malloc(60_000);
    memory.grow(1);
    return ptr;
  });
  const buffer = memory.buffer.slice(0);
  const heap = Heap.attach(buffer, 16);
  heap.check();
  return { heap, words: new Uint32Array(buffer), inSecond: blocks[1] ?? 0 };
}

describe("segments that lead round in a ring end every call with an error", () => {
  const first = 16 + HEADER_BYTES;

  test.each([
    ["the first to itself", first],
    ["the first to before it", 16],
    ["the first beyond the last", 0xffff_fff0],
  ])("%s", (_, next) => {
    const { heap, words, inSecond } = threeSegments();
    expect(words[(16 + AT_SEGMENT) >>> 2]).toBeGreaterThan(inSecond);
    words[(first + SEGMENT_NEXT) >>> 2] = next;
    for (const call of [
      () => heap.free(inSecond),
      () => heap.realloc(inSecond, 10),
      () => heap.usableSize(inSecond),
      () => heap.bulkFree([inSecond]),
      () => heap.mallinfo(),
      () => heap.inspectAll(() => {}),
      () => heap.check(),
    ]) {
      allowSteps(STEPS);
      expect(call).toThrow(HeapCorruptError);
    }
  });
});

describe("a slab's descriptor that leads nowhere ends a walk with an error", () => {
  test.each([
    ["blocks of 0 bytes", SLAB_SHAPE, (shape: number) => shape & ~(SHAPE_CLASS << SHAPE_CLASS_SHIFT)],
    ["blocks that begin before the heap", SLAB_FIRST, () => 0],
    ["blocks that begin a granule too low", SLAB_FIRST, (at: number) => at - 16],
  ])("%s", (_, offset, damage) => {
    const buffer = new ArrayBuffer(1 << 18);
    const heap = Heap.create({ memory: buffer });
    heap.malloc(100);
    heap.malloc(100);
    const slabs: number[] = [];
    heap.inspectAll(({ ptr, state }) => {
      if (state === "overhead") slabs.push(ptr);
    });
    const words = new Uint32Array(buffer);
    const descriptor = slabs.find((at) => slabs.includes(words[(at + SLAB_FIRST) >>> 2] ?? 0)) ?? 0;
    const at = (descriptor + offset) >>> 2;
    words[at] = damage(words[at] ?? 0);
    allowSteps(STEPS);
    expect(() => heap.check()).toThrow(HeapCorruptError);
    let pieces = 0;
    allowSteps(STEPS);
    try {
      heap.inspectAll(() => pieces++);
    } catch (error) {
      expect(error).toBeInstanceOf(HeapCorruptError);
    }
    expect(pieces).toBeLessThan(buffer.byteLength / 16);
  });
});

test("a call that the wasm kernel is led out of the memory by ends with an error of the heap's, not the engine's", () => {
  const heap = Heap.create();
  const words = new Uint32Array(heap.buffer);
  words[(heap.base + AT_CLASSES + (2 << CLASS_BYTES_LOG2) + CLASS_BITS) >>> 2] = 0xffff_fff0;
  const refusal = expect.objectContaining({
    name: "HeapCorruptError",
    invariant: "link",
    address: heap.base,
  });
  expect(() => heap.malloc(32)).toThrow(refusal);
  expect(() => heap.malloc(32)).toThrow(
    "heap corrupted at 0x00000010: an address that it keeps has been overwritten, and led a call astray (link)",
  );
  expect(heap.malloc(64)).toBeGreaterThan(0);
});
