// Wasm memory: a WebAssembly.Memory, our own or a module's. `memory.grow` is the sbrk of the web.

import type { Memory } from "./memory.ts";
import { ModuleMemory } from "./module.ts";
import {
  describeOther,
  hasLongAddresses,
  isErrorOf,
  isSharedArrayBuffer,
  isWasmMemory,
  outOfMemory,
} from "./slots.ts";
import type { WasmMemoryObject } from "./webassembly.ts";

const WASM_PAGE = 65_536;
/** The most pages that a memory can have. */
const MOST_PAGES = 65_536;
const GUESSED_BYTES = 64 * 1024 * 1024;
const GUESSED_TIMES = 16;

/** A WebAssembly.Memory is one memory, whoever asks for it. */
const known = new WeakMap<WebAssembly.Memory, WasmMemory>();

/**
 * The Memory over a WebAssembly.Memory: the same one each time. Without one, makes one of its own, with `reserve` bytes to
 * begin with and `most` at most. Both are rounded up to wasm pages of 64 KiB. Untouched OS pages cost no resident memory.
 *
 * Others may grow the memory too. What they get is theirs; the heap goes on behind it. But one who takes what he did not get,
 * as the mallocs of Emscripten, wasi-libc and AssemblyScript do, takes the heap's. Beside these, memory comes from them:
 * `Heap.inside`.
 *
 * @example
 *
 * ```ts
 * const memory = wasmMemory(undefined, 65_536, 1 << 20);
 * const heap = Heap.create({ memory });
 * console.log(heap.malloc(100_000) > 0, memory.buffer.byteLength <= 1 << 20); // true true
 * ```
 */
export function wasmMemory(memory?: WasmMemoryObject, reserve = WASM_PAGE, most?: number): Memory {
  const wasm = memory ?? newMemory(reserve, most);
  const made = known.get(wasm) ?? new WasmMemory(memory === undefined ? wasm : checkedWasm("memory", wasm));
  known.set(wasm, made);
  return made;
}

/** The Memory over a shared WebAssembly.Memory of its own, with `reserve` bytes to begin with and `most` at most, both rounded up. */
export function sharedMemory(reserve: number, most: number): Memory {
  const wasm = newMemory(reserve, most, true);
  const memory = new WasmMemory(wasm);
  known.set(wasm, memory);
  return memory;
}

/**
 * How many bytes a shared WebAssembly.Memory can have at most. It does not say, but a module whose import allows less cannot be
 * instantiated with it. Where modules cannot be compiled it is a guess: 64 MiB, or 16 times what it has now.
 */
export function maximumOf(memory: WasmMemoryObject): number {
  const has = memory.buffer.byteLength;
  let least = Math.ceil(has / WASM_PAGE);
  let most = MOST_PAGES;
  try {
    while (least < most) {
      const middle = (least + most) >>> 1;
      if (isWithin(memory, middle)) most = middle;
      else least = middle + 1;
    }
  } catch {
    return Math.min(Math.max(GUESSED_BYTES, GUESSED_TIMES * has), MOST_PAGES * WASM_PAGE);
  }
  return most * WASM_PAGE;
}

/** Whether a shared memory's maximum is at most so many pages. Throws where nothing may be compiled. */
function isWithin(memory: WasmMemoryObject, pages: number): boolean {
  const module = new WebAssembly.Module(importing(pages));
  try {
    return new WebAssembly.Instance(module, { env: { memory } }) !== undefined;
  } catch (error) {
    if (isErrorOf(error, "LinkError")) return false;
    throw error;
  }
}

/** A module that does nothing but import env.memory, shared, of so many pages at most. */
function importing(pages: number): Uint8Array<ArrayBuffer> {
  const leb = [(pages & 0x7f) | 0x80, ((pages >>> 7) & 0x7f) | 0x80, pages >>> 14];
  // Section 2 with one import: "env", "memory", a memory (2) that is shared and has a maximum (3), of 0 pages at least.
  const text = (name: string) => [name.length, ...Array.from(name, (letter) => letter.charCodeAt(0))];
  const section = [1, ...text("env"), ...text("memory"), 2, 3, 0, ...leb];
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, section.length, ...section);
}

function newMemory(reserve: number, most: number | undefined, shared = false): WebAssembly.Memory {
  if (typeof WebAssembly === "undefined")
    throw new TypeError(
      "memory: expected one to be given, as there is no WebAssembly here; an ArrayBuffer holds a heap of its size",
    );
  const initial = Math.max(1, Math.ceil(reserve / WASM_PAGE));
  try {
    if (most === undefined) return new WebAssembly.Memory({ initial });
    const maximum = Math.max(initial, Math.ceil(most / WASM_PAGE));
    return new WebAssembly.Memory({ initial, maximum, shared });
  } catch (error) {
    const said = outOfMemory(error);
    throw said === undefined ? error : noMore(initial, said, error);
  }
}

/** An engine sets aside up to 10 GiB of addresses for each memory, and so has few to give, however small they are. */
function noMore(pages: number, said: string, cause: unknown): RangeError {
  return new RangeError(
    `memory: the engine gives no other WebAssembly.Memory of ${pages * WASM_PAGE} bytes (${said}). Each takes GiBs of ` +
      "addresses, so a page has some hundred at most. Drop heaps that have ended, or share a memory: heaps with `base` and " +
      "`size` in one, arenas in one heap, or an ArrayBuffer for each",
    { cause },
  );
}

/** What was given as a WebAssembly.Memory; throws a TypeError if it is none, or one of 64 bits. */
export function checkedWasm(name: string, memory: unknown): WasmMemoryObject {
  if (!isWasmMemory(memory))
    throw new TypeError(`${name}: expected a WebAssembly.Memory, got ${describeOther(memory)}`);
  if (!hasLongAddresses(memory)) return memory;
  throw new TypeError(
    `${name}: expected a WebAssembly.Memory with addresses of 32 bits, got one of memory64 (address: "i64", or of a module for ` +
      "wasm64); a heap's addresses have 32 bits",
  );
}

/** The WebAssembly.Memory behind a Memory that was made here; undefined for any other. */
export function wasmOf(memory: Memory): WasmMemoryObject | undefined {
  return memory instanceof WasmMemory || memory instanceof ModuleMemory ? memory.wasm : undefined;
}

class WasmMemory implements Memory {
  readonly wasm: WebAssembly.Memory;
  private readonly shared: boolean;

  constructor(wasm: WebAssembly.Memory) {
    this.wasm = wasm;
    this.shared = isSharedArrayBuffer(wasm.buffer);
  }

  /** Of what is there already nothing is known: others write to it too, and so may a heap that was here before. */
  get untouched(): number {
    return this.wasm.buffer.byteLength;
  }

  get buffer(): ArrayBufferLike {
    return this.wasm.buffer;
  }

  /** V8 may show the old buffer until it comes by a check of its stack; a growth by nothing is one. */
  settle(): void {
    // Of a memory that is not shared, it would detach the buffer.
    if (this.shared) this.grow(0);
  }

  grow(bytes: number): number {
    try {
      return this.wasm.grow(bytes / WASM_PAGE) * WASM_PAGE;
    } catch (error) {
      // The memory's maximum, or the engine's: `grow` says no with a RangeError.
      if (outOfMemory(error) !== undefined) return 0;
      throw error;
    }
  }
}
