// Realms: what another one made, as an iframe, a vm context or Jest has them, serves as well as our own.

import { createContext, runInContext } from "node:vm";
import {
  array,
  f64,
  HashMap,
  Heap,
  HeapString,
  i32,
  OffsetAllocator,
  struct,
  text,
  u8,
  u16,
  Vec,
} from "morecore";
import { describe, expect, it, vi } from "vitest";
import { conformance } from "../support/conformance.ts";
import { FIXED_BYTES } from "../support/memories.ts";

const PAGE = 65_536;
const realm = createContext({ FIXED_BYTES });

/** What a piece of code gives in the other realm. */
function made<T>(code: string): T {
  return runInContext(`(${code})`, realm) as T;
}

const WASM = "new WebAssembly.Memory({ initial: 1, maximum: 1024 })";
const SHARED_WASM = "new WebAssembly.Memory({ initial: 1, maximum: 1024, shared: true })";

it("the other realm's classes are not ours", () => {
  expect(made(WASM)).not.toBeInstanceOf(WebAssembly.Memory);
  expect(made("new ArrayBuffer(8)")).not.toBeInstanceOf(ArrayBuffer);
});

conformance(
  "a wasm memory of another realm",
  (settings) => Heap.create({ memory: made(WASM), ...settings }),
  true,
);
conformance(
  "a shared wasm memory of another realm",
  (settings) => Heap.create({ memory: made(SHARED_WASM), ...settings }),
  true,
);
conformance(
  "an ArrayBuffer of another realm",
  (settings) => Heap.create({ memory: made("new ArrayBuffer(FIXED_BYTES)"), ...settings }),
  false,
);
conformance(
  "a SharedArrayBuffer of another realm",
  (settings) => Heap.create({ memory: made("new SharedArrayBuffer(FIXED_BYTES)"), ...settings }),
  false,
);

/** A module whose malloc takes from the end of its memory, all of it another realm's. */
const MODULE = `(() => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1024 });
  const malloc = (bytes) => {
    try {
      return memory.grow(Math.ceil(bytes / 65536)) * 65536;
    } catch {
      return 0;
    }
  };
  return { memory, malloc, free() {} };
})()`;

conformance("a module of another realm", (settings) => Heap.inside(made(MODULE), settings), true);

describe("of another realm", () => {
  it("a memory that cannot grow is out of memory, whoever threw: 0, and the heap as it was", () => {
    for (const code of [WASM, SHARED_WASM]) {
      const heap = Heap.create({ memory: made(code) });
      expect(heap.malloc(1024 * PAGE)).toBe(0);
      heap.check();
      expect(heap.malloc(100)).not.toBe(0);
    }
  });

  it("a memory is one memory, attached to from both sides, and served by WebAssembly", () => {
    const memory = made<WebAssembly.Memory>(WASM);
    const heap = Heap.create({ memory });
    const ptr = heap.malloc(100);
    const again = Heap.attach(memory, heap.base);
    expect(again.memory).toBe(heap.memory);
    again.free(ptr);
    heap.check();
    expect(typeof heap.exports.malloc).toBe("function");
  });

  it("a global is a base", () => {
    const base = made<WebAssembly.Global>('new WebAssembly.Global({ value: "i32" }, 4090)');
    expect(Heap.create({ memory: new WebAssembly.Memory({ initial: 4 }), base, alone: true }).base).toBe(
      4096,
    );
    // A global says that a module is there, which may have a malloc.
    expect(() => Heap.create({ memory: new WebAssembly.Memory({ initial: 4 }), base })).toThrow(
      /base is a module's global/,
    );
  });

  it("Emscripten's Module serves, by its memory or by a view of it", () => {
    for (const part of ["wasmMemory: memory", "HEAPU8: new Uint8Array(memory.buffer)"]) {
      const heap = Heap.inside(
        made(`(() => {
          const memory = new WebAssembly.Memory({ initial: 4 });
          let next = 65536;
          return { ${part}, _malloc: (bytes) => (next += bytes) - bytes, _free() {} };
        })()`),
      );
      heap.free(heap.malloc(1000));
      heap.check();
      heap.dispose();
    }
  });

  it("typed arrays, arrays, objects, maps and sets are values like our own", () => {
    const heap = Heap.create({ checking: true });
    const T = struct({ n: i32, list: array(u16, 3), name: text });
    const ref = heap.new(T, made('({ n: 7, list: new Uint16Array([1, 2, 3]), name: "n" })'));
    expect([ref.n, [...ref.list], ref.name]).toEqual([7, [1, 2, 3], "n"]);
    expect([...heap.newArray(f64, 2, made("new Float64Array([1.5, 2.5])"))]).toEqual([1.5, 2.5]);
    const bytes = new Vec(heap, u8);
    bytes.extend(made("new Uint8Array([1, 2, 3])"));
    bytes.extend(made("new Set([4, 5])"));
    bytes.extend(made("[6]"));
    expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6]);
    const map = new HashMap(heap, i32, i32);
    for (const [key, value] of made<Map<number, number>>("new Map([[1, 2], [3, 4]])")) map.set(key, value);
    expect([...map]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(`${new HeapString(heap, made('"text"'))}`).toBe("text");
  });

  it("an OffsetAllocator's image is read", () => {
    const image = new OffsetAllocator(1000).save();
    for (const code of ["(bytes) => new Uint8Array(bytes)", "(bytes) => new Uint8Array(bytes).buffer"])
      OffsetAllocator.load(made<(bytes: Uint8Array) => Uint8Array>(code)(image)).check();
  });

  it("a promise from a scope is refused, and its rejection is handled", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const body = made<() => void>('() => Promise.reject(new Error("late"))');
    expect(() => Heap.create().scope(body)).toThrow(/got a promise/);
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("what only has a `then` is refused by a scope, and not asked for anything", () => {
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    const lazy = { then: vi.fn() };
    expect(() => Heap.create().scope(() => lazy as never)).toThrow(/got a promise/);
    expect(lazy.then).not.toHaveBeenCalled();
  });

  it("a plain object or an array that carries a view out of a scope is refused", () => {
    const heap = Heap.create({ checking: true });
    for (const code of ["(view) => ({ view })", "(view) => [view]"]) {
      const wrap = made<(view: unknown) => object>(code);
      expect(() => heap.scope((scope) => wrap(scope.newArray(u8, 4).view()) as never)).toThrow(
        /a view cannot leave it/,
      );
    }
  });
});

describe("an object that only pretends is refused:", () => {
  it.each([
    ["a memory", "Object.create(WebAssembly.Memory.prototype)", "Memory"],
    ["a buffer", "Object.create(ArrayBuffer.prototype)", "ArrayBuffer"],
    ["a shared buffer", "Object.create(SharedArrayBuffer.prototype)", "SharedArrayBuffer"],
    ["a tag", '({ [Symbol.toStringTag]: "ArrayBuffer" })', "Object"],
    ["a proxy of a buffer", "new Proxy(new ArrayBuffer(65536), {})", "ArrayBuffer"],
  ])("%s", (_title, code, name) => {
    const memory = made<ArrayBuffer>(code);
    const none = name === "Object" ? "" : " that is none";
    const message = new RegExp(`^memory: expected .* got an object of class ${name}${none}$`);
    expect(() => Heap.create({ memory })).toThrow(message);
    expect(() => Heap.attach(memory, 16)).toThrow(message);
    const Inside = () => Heap.inside({ memory, malloc: () => 0, free() {} } as never);
    expect(Inside).toThrow(message);
  });

  it("a global", () => {
    const base = made<WebAssembly.Global>("Object.create(WebAssembly.Global.prototype)");
    expect(() => Heap.create({ memory: new ArrayBuffer(PAGE), base })).toThrow(
      "base: expected a number, got an object of class Global",
    );
  });
});
