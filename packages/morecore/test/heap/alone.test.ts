// Who says so, and who need not: a heap that grows in a WebAssembly.Memory where somebody has been already.

import { describe, expect, it } from "vitest";
import { textModule } from "../../../../test/support/text-module.ts";
import { Heap, type HeapOptions, wasmMemory } from "../../src/index.ts";

const PAGE = 65_536;

/** A module as toolchains make them: data behind a stack of so many wasm pages. */
function moduleMemory(stackPages: number): WebAssembly.Memory {
  const at = stackPages * PAGE;
  const bytes = textModule(`(module
    (memory (export "memory") ${stackPages + 2})
    (data (i32.const ${at + 8}) "hello"))`);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports["memory"] as WebAssembly.Memory;
}

function used(pages = 2, at = 5000): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: pages });
  new Uint8Array(memory.buffer)[at] = 1;
  return memory;
}

const REFUSED =
  /^memory: others may take memory here \(it holds bytes that others have written, at \d+\), .*Heap\.inside\(exports\).*`base` and `size`.*`alone: true`/;

describe("a memory that somebody has written to is refused", () => {
  it.each([
    ["data from 1024 on, as clang and Emscripten lay them out", 0],
    ["data behind a stack of 64 KiB", 1],
    ["data behind a stack of 1 MiB, as Rust lays them out", 16],
    ["data behind a stack of 5 MiB", 80],
    ["data behind a stack of 16 MiB, as Zig lays them out", 256],
  ])("where a module has %s", (_, pages) => {
    const memory = moduleMemory(pages);
    const bytes = memory.buffer.byteLength;
    expect(() => Heap.create({ memory })).toThrow(REFUSED);
    expect(() => Heap.create({ memory })).toThrow(TypeError);
    expect(memory.buffer.byteLength, "it has not grown").toBe(bytes);
  });

  it("also with a base, in a wrapper, or with a size that reaches beyond what is there", () => {
    expect(() => Heap.create({ memory: used(), base: 8192 })).toThrow(REFUSED);
    expect(() => Heap.create({ memory: wasmMemory(used()) })).toThrow(REFUSED);
    expect(() => Heap.create({ memory: used(), size: 4096 })).toThrow(REFUSED);
    expect(() => Heap.create({ memory: used(), base: 8192, size: 2 * PAGE })).toThrow(REFUSED);
  });

  it("but a region inside it is taken, and never left", () => {
    const memory = used();
    const heap = Heap.create({ memory, base: 8192, size: PAGE });
    while (heap.malloc(1000) !== 0);
    heap.check();
    expect(memory.buffer.byteLength).toBe(2 * PAGE);
    expect(() => Heap.create({ memory })).toThrow(REFUSED);
  });

  it("but what is said is believed, from then on", () => {
    const memory = used();
    const one = Heap.create({ memory, alone: true });
    const other = Heap.create({ memory });
    expect(one.malloc(100_000)).not.toBe(0);
    expect(other.malloc(100_000)).not.toBe(0);
    one.check();
    other.check();
  });
});

describe("a memory that was just made", () => {
  it.each<[string, HeapOptions]>([
    ["without more", {}],
    ["with a base", { base: 16 }],
    ["with a base and a size beyond its end", { base: 1024, size: 4 * PAGE }],
  ])("is taken %s", (_, options) => {
    const heap = Heap.create({ memory: new WebAssembly.Memory({ initial: 2 }), ...options });
    expect(heap.malloc(100_000)).not.toBe(0);
    heap.check();
  });

  it("goes on to be taken when heaps have written to it", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    for (let index = 0; index < 3; index++) Heap.create({ memory }).malloc(1000);
  });

  it("in another thread, where a heap of morecore's is all that is there", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true });
    const { base } = Heap.create({ memory, base: 1024 });
    // The same bytes as another object, as a Worker gets them.
    const theirs = structuredCloneShared(memory);
    const end = memory.buffer.byteLength;
    expect(Heap.create({ memory: theirs }).base).toBe(end);
    Heap.attach(theirs, base).check();
  });

  it("is refused where it is said that there are others", () => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    expect(() => Heap.create({ memory, alone: false })).toThrow(/^memory: others .* \(alone is false\)/);
    Heap.create({ memory, alone: false, base: 16, size: 4096 }).check();
  });
});

function structuredCloneShared(memory: WebAssembly.Memory): WebAssembly.Memory {
  return structuredClone(memory);
}

describe("a base that is a module's global", () => {
  it("says that the memory is a module's, even if it is zero", () => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const base = new WebAssembly.Global({ value: "i32" }, 1045);
    expect(() => Heap.create({ memory, base })).toThrow(/^memory: others .* \(base is a module's global\)/);
    expect(() => Heap.create({ memory, base, size: 4096 })).toThrow(TypeError);
    expect(Heap.create({ memory, base, alone: true }).base).toBe(1056);
  });
});

it.each([1, "true", null, {}])("alone: %s is refused: it is true or false", (alone) => {
  const options = { alone } as unknown as HeapOptions;
  expect(() => Heap.create(options)).toThrow(/^alone: expected true or false, got /);
});
