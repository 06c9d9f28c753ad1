// The package's entries: one library, and a heap with a kernel of each one's choice.

import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it, vi } from "vitest";
import * as bare from "../../src/bare.ts";
import { KERNEL_TEXT } from "../../src/heap/kernel-bytes.ts";
import { bytesOfText, textOf } from "../../src/heap/kernel-text.ts";
import * as both from "../../src/index.ts";
import * as js from "../../src/js.ts";
import * as wasm from "../../src/wasm.ts";

const module = new WebAssembly.Module(bytesOfText(KERNEL_TEXT));
const sharedMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 4, maximum: 8, shared: true });

beforeEach(() => bare.provideKernel(module));

describe.each([
  ["morecore", both],
  ["morecore/wasm", wasm],
  ["morecore/js", js],
  ["morecore/bare", bare],
])("%s", (_, { Heap }) => {
  it("makes heaps in which the library's other parts live, whatever entry these are from", () => {
    const heap = Heap.create();
    const list = new both.Vec(heap, both.i32);
    for (let index = 0; index < 1000; index++) list.push(index);
    const frame = heap.bump();
    const point = frame.new(both.struct({ x: both.f64 }), { x: 2 });
    expect([list.get(999), point.x]).toEqual([999, 2]);
    frame.dispose();
    list.dispose();
    heap.trim();
    heap.check();
    expect(heap.mallinfo().uordblks).toBe(Heap.create().mallinfo().uordblks);
  });

  it("attaches to a heap of any other, and gives heaps inside of a module", () => {
    const made = both.Heap.create();
    const ptr = made.malloc(100);
    const found = Heap.attach(made.memory, made.base);
    found.free(ptr);
    expect(() => made.free(ptr)).toThrow(/\(double-free\)$/);
    const module = { memory: new WebAssembly.Memory({ initial: 4 }), malloc: () => 65_536, free: () => {} };
    expect(Heap.inside(module).malloc(10)).toBeGreaterThan(65_536);
    expect(Heap.create({ checking: false }).checking).toBe(false);
  });

  it("gives objects of the class that it exports, named Heap", () => {
    expect(Heap.create()).toBeInstanceOf(Heap);
    expect(Heap.name).toBe("Heap");
  });

  it("exports what the others do", () => {
    const names = (entry: object): string[] => Object.keys(entry).filter((name) => name !== "provideKernel");
    expect(names({ ...wasm })).toEqual(names({ ...both }));
    expect(names({ ...js })).toEqual(names({ ...both }));
    expect(names({ ...bare })).toEqual(names({ ...both }));
  });
});

describe("which kernel serves", () => {
  const served = (heap: { readonly exports: unknown }): string => {
    try {
      return heap.exports === undefined ? "" : "wasm";
    } catch {
      return "JavaScript";
    }
  };

  it("is wasm in a WebAssembly.Memory, and JavaScript for morecore/js", () => {
    const heaps = [both, wasm, bare, js].map(({ Heap }) => served(Heap.create()));
    expect(heaps).toEqual(["wasm", "wasm", "wasm", "JavaScript"]);
  });

  it.each([
    ["a buffer", (): ArrayBuffer => new ArrayBuffer(65_536)],
    ["shared memory, of one thread at a time", sharedMemory],
  ])("is JavaScript in %s, where there is one, else a TypeError says where to find it", (_, memory) => {
    const options = { base: 16, shared: false };
    expect(served(both.Heap.create({ memory: memory(), ...options }))).toBe("JavaScript");
    expect(served(js.Heap.create({ memory: memory(), ...options }))).toBe("JavaScript");
    for (const { Heap } of [wasm, bare])
      expect(() => Heap.create({ memory: memory(), ...options })).toThrow(
        /^memory: expected a WebAssembly.Memory that is not shared, .*; Heap of "morecore" has a kernel in JavaScript/,
      );
  });

  it("is wasm of a heap that threads share, where there is one", () => {
    const heaps = [both, wasm, js].map(({ Heap }) =>
      served(Heap.create({ memory: sharedMemory(), base: 16 })),
    );
    expect(heaps).toEqual(["wasm", "wasm", "JavaScript"]);
    expect(() => bare.Heap.create({ memory: sharedMemory(), base: 16 })).toThrow(
      /^memory: expected a WebAssembly.Memory that is not shared/,
    );
  });
});

describe("provideKernel", () => {
  it("refuses what is no module, and a module that is not the kernel, and keeps the one before", () => {
    const other = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    expect(() => bare.provideKernel({} as WebAssembly.Module)).toThrow(
      "kernel: expected a WebAssembly.Module, got an object of class Object",
    );
    expect(() => bare.provideKernel(other)).toThrow(
      "kernel: expected morecore/kernel-grow.wasm, got a module without mc_attach, mc_begin, mc_malloc, mc_free",
    );
    expect(bare.Heap.create().malloc(1)).not.toBe(0);
  });

  it("is expected before the first heap", async () => {
    vi.resetModules();
    const { Heap } = await import("../../src/bare.ts");
    expect(() => Heap.create()).toThrow(
      "kernel: expected provideKernel(module) before the first heap is made",
    );
  });
});

describe("the kernel's text", () => {
  it("has every byte, and no character that a string would escape", () => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, index) => (index * 7) % 256);
    expect(bytesOfText(textOf(bytes))).toEqual(bytes);
    expect(textOf(bytes)).toMatch(/^[#-[\]-~]*$/);
  });

  it("is written in the sources as JavaScript reads it", () => {
    const source = readFileSync(new URL("../../src/heap/kernel-bytes.ts", import.meta.url), "utf8");
    expect(source.replaceAll(/^ {2}"|" \+$|";$/gm, "")).toContain(KERNEL_TEXT.slice(0, 104));
  });
});
