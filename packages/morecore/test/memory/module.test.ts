// Memory that a module's own allocator gives: where it lies, what is done with what lies too low, and who is called how.

import { describe, expect, it } from "vitest";
import { mallocModule } from "../../../../test/support/memories.ts";
import { Heap } from "../../src/index.ts";
import { ModuleMemory } from "../../src/memory/module.ts";
import { type ModuleParts, moduleMemory } from "../../src/memory/module-parts.ts";

const PAGE = 65_536;

/** A module that answers malloc with these addresses, one after the other, and then 0. */
function scripted(addresses: readonly unknown[], pages = 64) {
  const memory = new WebAssembly.Memory({ initial: pages });
  const left = [...addresses];
  const freed: number[] = [];
  const asked: number[] = [];
  const parts: ModuleParts = {
    memory,
    malloc: (bytes: number) => {
      asked.push(bytes);
      return left.shift() ?? 0;
    },
    free: (ptr: number) => freed.push(ptr),
  };
  return { memory, parts, asked, freed };
}

describe("a loan", () => {
  it("is rounded up to 16 inside what malloc gave, and zeroed", () => {
    const { memory, parts, asked } = scripted([1000]);
    new Uint8Array(memory.buffer).fill(0xee);
    const got = moduleMemory(parts);
    expect(got.grow(PAGE)).toBe(1008);
    expect(asked).toEqual([PAGE + 16]);
    const bytes = new Uint8Array(memory.buffer);
    expect(bytes.subarray(1008, 1008 + PAGE).every((byte) => byte === 0)).toBe(true);
    expect([bytes[1007], bytes[1008 + PAGE]]).toEqual([0xee, 0xee]);
  });

  it("that lies lower than the one before is kept until a higher one comes, and given back", () => {
    const [high, low, lower, higher] = [20 * PAGE, 10 * PAGE, 5 * PAGE, 30 * PAGE];
    const { parts, freed } = scripted([high, low, lower, higher]);
    const memory = moduleMemory(parts);
    expect(memory.grow(PAGE)).toBe(high);
    expect(memory.grow(PAGE)).toBe(higher);
    expect(freed).toEqual([low, lower]);
    memory.giveBack();
    expect(freed.slice(2)).toEqual([high, higher]);
    memory.giveBack();
    expect(freed).toHaveLength(4);
  });

  it("that lies lower is given back, too, where no higher one comes", () => {
    const { parts, freed } = scripted([20 * PAGE, 10 * PAGE, 0]);
    const memory = moduleMemory(parts);
    memory.grow(PAGE);
    expect(memory.grow(PAGE)).toBe(0);
    expect(freed).toEqual([10 * PAGE]);
  });

  it("that lies lower is given back, too, where malloc throws", () => {
    const { parts, freed } = scripted([20 * PAGE, 10 * PAGE, "not an address"]);
    const memory = moduleMemory(parts);
    memory.grow(PAGE);
    expect(() => memory.grow(PAGE)).toThrow(TypeError);
    expect(freed).toEqual([10 * PAGE]);
  });

  it("that was given already is refused, so that nobody asks for ever", () => {
    const twice = moduleMemory(scripted([20 * PAGE, 10 * PAGE, 10 * PAGE, 10 * PAGE]).parts);
    twice.grow(PAGE);
    expect(() => twice.grow(PAGE)).toThrow(
      "malloc: expected memory that it has not given yet, got the address 655360, while 65552 bytes at 655360 are in use",
    );
    const inside = moduleMemory(scripted([20 * PAGE, 20 * PAGE + 4096]).parts);
    inside.grow(PAGE);
    expect(() => inside.grow(PAGE)).toThrow(/^malloc: expected memory that it has not given yet/);
  });

  it("at an address above 2 GiB comes signed or not", () => {
    const memory = new WebAssembly.Memory({ initial: 40_000 });
    for (const answer of [-(2 ** 31) + 48, 2 ** 31 + 48]) {
      const parts: ModuleParts = { memory, malloc: () => answer, free: () => 0 };
      expect(moduleMemory(parts).grow(PAGE)).toBe(2 ** 31 + 48);
    }
  });

  it.each<[unknown, string]>([
    [undefined, "malloc: expected it to give an address, got undefined"],
    [5n, "malloc: expected it to give an address, got 5n"],
    ["1024", 'malloc: expected it to give an address, got "1024"'],
    [Number.NaN, "malloc: expected it to give an address of 32 bits, got NaN"],
    [2 ** 32, "malloc: expected it to give an address of 32 bits, got 4294967296"],
    [0.5, "malloc: expected it to give an address of 32 bits, got 0.5"],
    [
      63 * PAGE + 16,
      "malloc: expected 65552 bytes inside the memory, which ends at 4194304, got the address 4128784",
    ],
    [-1, "malloc: expected 65552 bytes inside the memory, which ends at 4194304, got the address 4294967295"],
  ])("for which malloc answers %s is refused", (answer, message) => {
    const { memory } = scripted([]);
    const parts: ModuleParts = { memory, malloc: () => answer, free: () => 0 };
    expect(() => moduleMemory(parts).grow(PAGE)).toThrow(message);
  });
});

describe("an allocator", () => {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const calls: unknown[][] = [];
  const noting =
    (name: string, answer: unknown) =>
    (...given: unknown[]) => {
      calls.push([name, ...given]);
      return answer;
    };

  function callsOf(parts: ModuleParts): unknown[][] {
    calls.length = 0;
    const got = moduleMemory(parts);
    expect(got.grow(PAGE)).toBe(4096);
    got.giveBack();
    return [...calls];
  }

  it("of C's gets the bytes, and the address", () => {
    const parts = { memory, malloc: noting("malloc", 4096), free: noting("free", 0) };
    expect(callsOf(parts)).toEqual([
      ["malloc", PAGE + 16],
      ["free", 4096],
    ]);
  });

  it("of Emscripten's JavaScript is found with an underscore, beside wasmMemory or HEAPU8", () => {
    const pair = { _malloc: noting("_malloc", 4096), _free: noting("_free", 0) };
    const expected = [
      ["_malloc", PAGE + 16],
      ["_free", 4096],
    ];
    expect(callsOf({ ...pair, wasmMemory: memory })).toEqual(expected);
    expect(callsOf({ ...pair, HEAPU8: new Uint8Array(memory.buffer) })).toEqual(expected);
  });

  it("of Rust's gets the alignment, and the size when memory is freed, as far as it has parameters", () => {
    const parts = {
      memory,
      __wbindgen_malloc: (bytes: number, align: number) => noting("malloc", 4096)(bytes, align),
      __wbindgen_free: (ptr: number, bytes: number, align: number) => noting("free", 0)(ptr, bytes, align),
    };
    expect(callsOf(parts)).toEqual([
      ["malloc", PAGE + 16, 16],
      ["free", 4096, PAGE + 16, 16],
    ]);
    const alloc = (bytes: number) => noting("alloc", 4096)(bytes);
    const dealloc = (ptr: number, bytes: number) => noting("dealloc", 0)(ptr, bytes);
    expect(callsOf({ memory, malloc: alloc, free: dealloc })).toEqual([
      ["alloc", PAGE + 16],
      ["dealloc", 4096, PAGE + 16],
    ]);
  });

  it("of AssemblyScript's makes an object that is pinned until it is given back", () => {
    const parts = {
      memory,
      __new: noting("__new", 4096),
      __pin: noting("__pin", 4096),
      __unpin: noting("__unpin", 0),
    };
    expect(callsOf(parts)).toEqual([
      ["__new", PAGE + 16, 0],
      ["__pin", 4096],
      ["__unpin", 4096],
    ]);
  });

  it("that is an sbrk is asked for no byte more, and for the few that it is misaligned by", () => {
    let end = 4096;
    const sbrk = (bytes: number): number => {
      calls.push(["sbrk", bytes]);
      end += bytes;
      return end - bytes;
    };
    expect(callsOf({ memory, sbrk })).toEqual([["sbrk", PAGE]]);
    end = 4088;
    expect(callsOf({ memory, sbrk })).toEqual([
      ["sbrk", PAGE],
      ["sbrk", 8],
    ]);
    const heap = Heap.inside({ memory, sbrk });
    heap.malloc(200_000);
    heap.check();
    expect(heap.memorySize - heap.footprint, "it goes on in one segment").toBeGreaterThanOrEqual(0);
    expect(moduleMemory({ memory, sbrk: () => -1 }).grow(PAGE)).toBe(0);
  });

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "exports: expected what a module exports, got undefined"],
    ["null", null, "exports: expected what a module exports, got null"],
    [
      "no memory",
      {},
      "exports: expected the module's memory as `memory` or `wasmMemory` (a WebAssembly.Memory), or as `HEAPU8`, found none of them",
    ],
    [
      "a buffer for a memory",
      { memory: new ArrayBuffer(PAGE) },
      "memory: expected a WebAssembly.Memory, got an object of class ArrayBuffer",
    ],
    [
      "no allocator",
      { memory },
      "exports: expected an allocator (malloc and free, _malloc and _free, __wbindgen_malloc and __wbindgen_free, __new, __pin and __unpin, or sbrk), found none of them; one of another name can be given as `malloc` and `free`. If nothing in the module allocates, and nobody else grows its memory: Heap.create({ memory, base, alone: true })",
    ],
    ["no free", { memory, malloc: () => 0 }, "free: expected a function to go with malloc, got undefined"],
    ["no function", { memory, malloc: 5 }, "malloc: expected a function, got 5"],
    [
      "nobody who pins",
      { memory, __new: () => 0 },
      "__pin: expected a function to go with __new, got undefined",
    ],
  ])("is not found in %s", (_, parts, message) => {
    expect(() => Heap.inside(parts as ModuleParts)).toThrow(new TypeError(message));
  });

  it("is found without looking at what Emscripten guards with getters that end the program", () => {
    const guarded = Object.defineProperties(
      { HEAPU8: new Uint8Array(memory.buffer), _malloc: () => 4096, _free: () => 0 },
      {
        wasmMemory: {
          get() {
            throw new Error("'wasmMemory' was not exported");
          },
        },
      },
    );
    expect(moduleMemory(guarded).grow(PAGE)).toBe(4096);
  });
});

it("ModuleMemory never gives the same byte twice while others allocate and free", () => {
  const { host, exports } = mallocModule();
  const before = host.mallinfo().uordblks;
  const memory = moduleMemory(exports);
  expect(memory).toBeInstanceOf(ModuleMemory);
  const theirs: number[] = [];
  let last = 0;
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < 10; index++) theirs.push(host.malloc(50_000 + index));
    for (const ptr of theirs.splice(0, 7)) host.free(ptr);
    const from = memory.grow(PAGE);
    expect(from).toBeGreaterThanOrEqual(last);
    new Uint8Array(memory.buffer, from, PAGE).fill(0xff);
    last = from + PAGE;
    host.check();
  }
  memory.giveBack();
  for (const ptr of theirs) host.free(ptr);
  host.check();
  host.trim();
  expect(host.mallinfo().uordblks).toBe(before);
});
