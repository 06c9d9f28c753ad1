// A memory that grows in place leaves old views as they were, neither empty nor as long as it is. Kernel
// calls took an empty view for the only sign of a growth. They reported corruption and misuse on sound heaps.
// (Emscripten 6.0.2 makes such memories by default; Node 26 has them: test/engines.)

import { Heap, i32, type Memory, struct, Vec } from "morecore";
import { describe, expect, it } from "vitest";
import { growableMemory, resizableMemory } from "../support/memories.ts";

const MEMORIES: readonly [string, () => Memory | WebAssembly.Memory][] = [
  ["a resizable ArrayBuffer", () => resizableMemory(65_536)],
  ["a growable SharedArrayBuffer", () => growableMemory(65_536)],
  ["a shared wasm memory", () => new WebAssembly.Memory({ initial: 1, maximum: 1024, shared: true })],
];

const Point = struct({ a: i32, b: i32 });

/** Two windows on one heap; what is done through the first one grows the memory. */
function grown(make: () => Memory | WebAssembly.Memory): { one: Heap; other: Heap; blocks: number[] } {
  const memory = make();
  const one = Heap.create({ memory, base: 16 });
  const other = Heap.attach(memory, 16);
  other.new(Point, { a: 1 });
  const blocks = Array.from({ length: 8 }, () => one.malloc(300_000));
  return { one, other, blocks };
}

describe.each(MEMORIES)("after %s has grown through another window", (_, make) => {
  it("the heap is sound", () => {
    const { one, other } = grown(make);
    other.check();
    one.check();
  });

  it("mallinfo and inspectAll see all of it", () => {
    const { one, other } = grown(make);
    expect(other.mallinfo()).toEqual(one.mallinfo());
    let bytes = 0;
    other.inspectAll((piece) => {
      if (piece.state === "live") bytes += piece.usable;
    });
    expect(bytes).toBeGreaterThanOrEqual(8 * 300_000);
  });

  it("bulkFree frees blocks in the new part", () => {
    const { other, blocks } = grown(make);
    other.bulkFree(blocks);
    other.check();
  });

  it("views, references and arrays reach the new part", () => {
    const { one, other, blocks } = grown(make);
    const last = blocks[7] as number;
    other.u32(last, 4).fill(9);
    expect(one.u32(last, 4)[3]).toBe(9);
    expect(other.ref(Point, last as never).b).toBe(9);
    one.options.smallLimit = 0;
    const points = Array.from({ length: 30 }, (_each, index) => {
      one.malloc(100_000);
      return one.new(Point, { a: index });
    });
    expect(points.map((point) => other.ref(Point, point.ptr).a)).toEqual(points.map((_each, index) => index));
  });

  it("malloc hands out nothing that is live", () => {
    const { one, other, blocks } = grown(make);
    const more = Array.from({ length: 40 }, (_each, index) =>
      (index % 2 ? one : other).malloc(20_000 + index),
    );
    expect(new Set([...blocks, ...more]).size).toBe(48);
    expect(other.independentComalloc([100, 200_000])?.length).toBe(2);
    for (const block of [...blocks, ...more]) one.free(block);
    other.check();
  });

  it("a Vec takes over elements from a view of itself", () => {
    const { one, other } = grown(make);
    const vec = new Vec(other, i32, 1000);
    for (let value = 0; value < 1000; value++) vec.push(value);
    const view = vec.view();
    const far = one.malloc(20_000_000);
    // The arrays are made anew, in shared memory over another buffer object than the view's.
    expect(other.ref(Point, (far + 19_000_000) as never).a).toBe(0);
    vec.extend(view);
    expect([...vec]).toEqual([...Array(1000).keys(), ...Array(1000).keys()]);
  });
});

it("a resize by somebody else is seen, and what came by it stays theirs", () => {
  const memory = resizableMemory(65_536);
  const heap = Heap.create({ memory, base: 16 });
  memory.grow(20 * 65_536);
  const theirs = new Uint8Array(memory.buffer, 65_536, 20 * 65_536).fill(0xa5);
  const ptr = heap.malloc(500_000);
  expect(ptr).toBeGreaterThan(21 * 65_536);
  heap.check();
  heap.u8(ptr, 500_000).fill(1);
  expect(theirs.every((byte) => byte === 0xa5)).toBe(true);
});
