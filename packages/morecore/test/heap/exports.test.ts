import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { Heap, HeapMisuseError, type HeapOptions } from "../../src/index.ts";

const PAGE = 65_536;

/** A module of text, compiled. */
function compiled(text: string): WebAssembly.Module {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.MutableGlobals);
  const bytes = Uint8Array.from(module.emitBinary());
  module.dispose();
  return new WebAssembly.Module(bytes);
}

/** An instance's exports, as functions of 32-bit numbers. */
function instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports) {
  return new WebAssembly.Instance(module, imports).exports as Record<string, (...words: number[]) => number>;
}

/** A module that keeps a linked list of words in blocks that it gets from the imports `from.malloc` and `from.free`. */
const listModule = (from: string, malloc: string, free: string) =>
  compiled(`(module
    (import "env" "memory" (memory 1))
    (import "${from}" "${malloc}" (func $malloc (param i32) (result i32)))
    (import "${from}" "${free}" (func $free (param i32)))
    (global $head (mut i32) (i32.const 0))
    (func (export "push") (param $value i32) (local $node i32)
      (local.set $node (call $malloc (i32.const 8)))
      (i32.store (local.get $node) (global.get $head))
      (i32.store offset=4 (local.get $node) (local.get $value))
      (global.set $head (local.get $node)))
    (func (export "pop") (result i32) (local $node i32) (local $value i32)
      (local.set $node (global.get $head))
      (local.set $value (i32.load offset=4 (local.get $node)))
      (global.set $head (i32.load (local.get $node)))
      (call $free (local.get $node))
      (local.get $value))
    (func (export "take") (param $bytes i32) (result i32) (call $malloc (local.get $bytes)))
    (func (export "freeTwice") (param $ptr i32)
      (call $free (local.get $ptr))
      (call $free (local.get $ptr))))`);

/** Instances of the list module, by each set of names that heap.imports has. */
const NAMES: readonly (readonly [string, string, string])[] = [
  ["env", "malloc", "free"],
  ["env", "_malloc", "_free"],
  ["morecore", "mc_malloc", "mc_free"],
];

function liveCount(heap: Heap): number {
  let live = 0;
  heap.inspectAll(({ state }) => {
    if (state === "live") live++;
  });
  return live;
}

/** A heap in a module's memory, and the module over it. */
function listOver(heapImports: (heap: Heap) => WebAssembly.Imports, names = NAMES[0]) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const heap = Heap.create({ memory });
  const imports = heapImports(heap);
  const [from, malloc, free] = names ?? ["", "", ""];
  const module = listModule(from, malloc, free);
  return { heap, memory, list: instantiate(module, { ...imports, env: { ...imports["env"], memory } }) };
}

describe("heap.exports", () => {
  it("are the malloc family, and another module can import them by their own names", () => {
    const { heap, list } = listOver((heap) => ({ env: { ...heap.exports } }));
    for (let value = 1; value <= 1000; value++) list["push"]?.(value);
    expect(liveCount(heap)).toBe(1000);
    let sum = 0;
    for (let value = 1; value <= 1000; value++) sum += list["pop"]?.() ?? 0;
    expect(sum).toBe(500_500);
    heap.check();
    heap.trim();
    expect(heap.mallinfo()).toMatchObject({ ordblks: 1, smblks: 0 });
  });

  it("are functions of WebAssembly, so that no JavaScript runs in between", () => {
    const { exports } = Heap.create();
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
    for (const call of Object.values(exports)) table.set(0, call);
    // What a table of functions refuses is any that is not a module's.
    expect(() => table.set(0, () => 0)).toThrow(TypeError);
  });

  it("are the same heap as its methods: each frees what the other got, and both see memory that has grown", () => {
    const { heap, memory, list } = listOver((heap) => ({ env: { ...heap.exports } }));
    const before = memory.buffer.byteLength;
    const ptr = list["take"]?.(10 * PAGE) ?? 0;
    expect(memory.buffer.byteLength).toBeGreaterThan(before);
    heap.u8(ptr, 10 * PAGE).fill(1);
    heap.free(ptr);
    heap.check();
    expect(liveCount(heap)).toBe(0);
  });

  it("are refused where wasm cannot reach the bytes", () => {
    const heap = Heap.create({ memory: new ArrayBuffer(PAGE) });
    expect(() => heap.exports).toThrow(
      /^exports: expected a heap in a WebAssembly.Memory that is not shared/,
    );
    expect(() => heap.imports).toThrow(
      /^exports: expected a heap in a WebAssembly.Memory that is not shared/,
    );
  });
});

describe("heap.imports", () => {
  it.each(NAMES)("serve a module that imports %s.%s", (...names) => {
    const { heap, list } = listOver((heap) => heap.imports, names);
    list["push"]?.(11);
    list["push"]?.(22);
    expect(liveCount(heap)).toBe(2);
    expect([list["pop"]?.(), list["pop"]?.()]).toEqual([22, 11]);
    expect(liveCount(heap)).toBe(0);
    heap.check();
  });

  it("have the walk over the pieces, of which lib/morecore.c makes mallinfo", () => {
    const heap = Heap.create();
    const { morecore } = heap.imports;
    const LIVE = 0;
    heap.malloc(100);
    heap.malloc(200);
    expect(morecore["mc_count_of"]?.(LIVE)).toBe(2);
    expect(morecore["mc_bytes_of"]?.(LIVE)).toBeGreaterThanOrEqual(300);
    const states = new Set<number | undefined>();
    let bytes = 0;
    for (let at = morecore["mc_first_piece"]?.() ?? 0; at !== 0; at = morecore["mc_next_piece"]?.(at) ?? 0) {
      states.add(morecore["mc_piece_state"]?.(at));
      bytes += morecore["mc_piece_bytes"]?.(at) ?? 0;
    }
    expect(states, "live, cached, top and the heap's own; perhaps free").toEqual(
      new Set([0, 1, 3, 4, ...(states.has(2) ? [2] : [])]),
    );
    expect(bytes, "all but the header, and a segment's two ends").toBe(heap.footprint - 2752 - 16);
  });
});

describe("misuse in a module that imports the heap", () => {
  it.each(NAMES)("arrives through %s.%s as the heap's own error, with nothing changed", (...names) => {
    const { heap, list } = listOver((heap) => heap.imports, names);
    const ptr = heap.malloc(64);
    heap.malloc(64);
    let caught: unknown;
    try {
      list["freeTwice"]?.(ptr);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(HeapMisuseError);
    expect(caught).toMatchObject({ code: "double-free", address: ptr });
    heap.check();
    expect(liveCount(heap)).toBe(1);
    expect(heap.malloc(64)).toBe(ptr);
  });
});

/** A module with a memory of its own and data in it, up to an address that is no multiple of 16. */
const OWN_MEMORY = compiled(`(module
  (memory (export "memory") 2)
  (data (i32.const 1024) "the module's own data")
  (global (export "__heap_base") i32 (i32.const 1045))
  (global (export "nowhere") i32 (i32.const 0))
  (global (export "beyond") i32 (i32.const -1))
  (global (export "high") i32 (i32.const -4096))
  (global (export "wide") i64 (i64.const 1024)))`);

interface OwnMemory {
  readonly memory: WebAssembly.Memory;
  readonly __heap_base: WebAssembly.Global;
  readonly nowhere: WebAssembly.Global;
  readonly beyond: WebAssembly.Global;
  readonly high: WebAssembly.Global;
  readonly wide: WebAssembly.Global;
}

describe("a heap in a module's own memory", () => {
  const own = () => new WebAssembly.Instance(OWN_MEMORY).exports as unknown as OwnMemory;

  it("begins at the __heap_base that the module exports, rounded up to 16, and leaves the data alone", () => {
    const { memory, __heap_base } = own();
    const data = () => Array.from(new Uint8Array(memory.buffer, 1024, 21));
    const before = data();
    const heap = Heap.create({ memory, base: __heap_base, alone: true });
    expect(heap.base).toBe(1056);
    heap.calloc(100_000);
    heap.check();
    expect(data()).toEqual(before);
  });

  it("begins where the memory ends if no base is given", () => {
    const { memory } = own();
    expect(Heap.create({ memory, alone: true }).base).toBe(2 * PAGE);
  });

  it("can be attached to by the same global", () => {
    const { memory, __heap_base } = own();
    const ptr = Heap.create({ memory, base: __heap_base, alone: true }).malloc(10);
    const again = Heap.attach(memory, __heap_base);
    again.free(ptr);
    expect(liveCount(again)).toBe(0);
  });

  it.each([
    ["nowhere", "base: expected a multiple of 16 that is not 0, got 0"],
    ["beyond", "base: expected an integer from 0 to 4294967295, got 4294967296"],
    ["wide", "base: expected a global of type i32, got one of 64 bits (1024n)"],
  ] as const)("is refused at the global %s", (name, message) => {
    const instance = own();
    expect(() => Heap.create({ memory: instance.memory, base: instance[name] })).toThrow(message);
    expect(() => Heap.attach(instance.memory, instance[name])).toThrow(message);
  });

  it("reads a global as an unsigned number", () => {
    const { memory, high } = own();
    const options: HeapOptions = { memory, base: high, alone: true };
    expect(() => Heap.create(options)).toThrow("would reach beyond 4294901760, the last address");
  });
});
