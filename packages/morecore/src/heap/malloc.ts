// Malloc: the malloc family and nothing else, by the kernel in WebAssembly: a quarter of what a page carries for Heap.
//
// Holds: a WebAssembly.Memory and a base. What lies there is a heap as any other: Heap.attach gives the rest of the library.
// Needs: calls.ts; the kernel's own way to begin a heap.
//
// Why a class of its own: Heap's methods lead to all that a heap can be asked, and no bundler can drop a method.

import { MISUSE } from "../abi/codes.ts";
import { asBase } from "../kernel/address.ts";
import {
  checkKeys,
  checkPowerOfTwo,
  checkWord,
  describe,
  hex,
  isWord,
  refuseWord,
} from "../memory/arguments.ts";
import type { WasmMemoryObject } from "../memory/webassembly.ts";
import { wasmCalls } from "./calls.ts";
import { embeddedModule } from "./embedded.ts";
import { HeapCorruptError, HeapMisuseError } from "./errors.ts";
import type { KernelExports, WasmCalls } from "./family-calls.ts";

/** What Malloc.create can be told. */
export interface MallocOptions {
  /** Where the heap lives; nobody else may take memory there. Default: a WebAssembly.Memory of its own. */
  readonly memory?: WasmMemoryObject;
  /**
   * From which address on the memory is zero and nobody's, to its end: a module's `__heap_base`. Rounded up to a multiple of 16.
   * Default: 16 in a memory of its own; in one that is given, its end, which is moved by 64 KiB.
   */
  readonly base?: number;
  /** The most bytes that the heap may have, header included. Default: no limit. */
  readonly limit?: number;
}

const WASM_PAGE = 65_536;
const GRANULE = 16;

/**
 * The malloc family on a heap in a WebAssembly.Memory: the functions of C by their camel-case names, each with C's rules. Out of
 * memory is 0. Misuse throws a HeapMisuseError and changes nothing; a bad number throws a RangeError or TypeError.
 *
 * @example
 * const heap = Malloc.create();
 * const ptr = heap.malloc(100);
 * new Uint8Array(heap.buffer, ptr, 100).fill(1);
 * heap.free(ptr);
 */
export class Malloc {
  /** The memory that the heap lives in. */
  readonly memory: WasmMemoryObject;
  /** The address of the heap's image. */
  readonly base: number;
  private readonly calls: WasmCalls;
  private readonly exports: KernelExports;

  private constructor(memory: WasmMemoryObject, base: number, from?: number) {
    const calls = wasmCalls(embeddedModule, memory, asBase(base), false, {
      grow: (bytes) => grown(memory, bytes),
      refuse,
    });
    if (calls === undefined)
      throw new TypeError(
        "memory: expected a WebAssembly.Memory that is not shared, in an engine that may compile WebAssembly",
      );
    this.memory = memory;
    this.calls = calls;
    // The names are those that tools/bind.ts gives the kernel's exports.
    this.exports = calls.all as unknown as KernelExports;
    this.base = from === undefined ? base : this.exports.mc_begin(from) >>> 0;
    if (this.base === 0) throw new RangeError("memory: it has no room for a heap, and gives no more");
  }

  /** An empty heap. Throws a RangeError if there is no room for its header, a TypeError or RangeError for a bad option. O(1). */
  static create(options: MallocOptions = {}): Malloc {
    checkKeys(options, ["memory", "base", "limit"]);
    const { memory = new WebAssembly.Memory({ initial: 1 }), base, limit } = options;
    if (base !== undefined) checkWord("base", base);
    if (limit !== undefined) checkWord("limit", limit);
    if (base === 0) throw new RangeError("base: expected an address that is not 0, which is nobody's");
    const from = base ?? (options.memory === undefined ? GRANULE : 0);
    const heap = new Malloc(memory, 0, from);
    if (limit !== undefined) heap.footprintLimit = limit;
    return heap;
  }

  /** A window on a heap that is there already. Nothing is looked at: a base where none lies leads anywhere in the memory. O(1). */
  static attach(memory: WasmMemoryObject, base: number): Malloc {
    checkWord("base", base);
    if (base === 0 || base % GRANULE !== 0)
      throw new RangeError(`base: expected a multiple of ${GRANULE} that is not 0, got ${describe(base)}`);
    return new Malloc(memory, base);
  }

  /** All bytes of the memory, as they are now. Another object after a growth. */
  get buffer(): ArrayBuffer {
    return this.memory.buffer as ArrayBuffer;
  }

  /** ISO C `malloc`: the address of at least `bytes` bytes, a multiple of 16; 0: no memory. malloc(0) is unique. O(1). */
  malloc(bytes: number): number {
    if (!isWord(bytes)) refuseWord("bytes", bytes);
    return this.calls.malloc(bytes);
  }

  /** ISO C `free`. 0 does nothing; what is no live block throws. O(1). */
  free(ptr: number): void {
    if (!isWord(ptr)) refuseWord("ptr", ptr);
    this.calls.free(ptr);
  }

  /** ISO C `calloc`: `count` times `bytes` bytes, all zero; 0: no memory, or the product is too large. */
  calloc(count: number, bytes = 1): number {
    checkWord("count", count);
    checkWord("bytes", bytes);
    return this.calls.calloc(count, bytes);
  }

  /** ISO C `realloc`: the block with another size, perhaps elsewhere; 0: no memory, and the block is as it was. */
  realloc(ptr: number, bytes: number): number {
    checkWord("ptr", ptr);
    checkWord("bytes", bytes);
    return this.calls.realloc(ptr, bytes);
  }

  /** POSIX `reallocarray`: realloc to `count` times `bytes`; 0 also when the product is too large. */
  reallocarray(ptr: number, count: number, bytes: number): number {
    checkWord("ptr", ptr);
    checkWord("count", count);
    checkWord("bytes", bytes);
    return this.calls.reallocarray(ptr, count, bytes);
  }

  /** ISO C `aligned_alloc`, with any size as in C23. An alignment that is no power of two throws a RangeError. */
  alignedAlloc(alignment: number, bytes: number): number {
    checkPowerOfTwo("alignment", alignment);
    checkWord("bytes", bytes);
    return this.calls.alignedAlloc(alignment, bytes);
  }

  /** C23 `free_sized`: free, of a block that was asked for with this size. Another size throws, nothing is freed. */
  freeSized(ptr: number, bytes: number): void {
    checkWord("ptr", ptr);
    checkWord("bytes", bytes);
    this.calls.freeSized(ptr, bytes);
  }

  /** glibc `malloc_usable_size`: the bytes that may be used at `ptr`, at least those asked for. 0 for 0. O(1). */
  usableSize(ptr: number): number {
    checkWord("ptr", ptr);
    return this.calls.usableSize(ptr);
  }

  /** glibc `malloc_trim`: gives back unused slabs and what top has beyond `pad` bytes. True if there was any. */
  trim(pad = 0): boolean {
    checkWord("pad", pad);
    return this.calls.trim(pad);
  }

  /** Bytes that the heap has got from its memory and uses, header included. O(1). */
  get footprint(): number {
    return this.exports.mc_malloc_footprint() >>> 0;
  }

  /** The largest footprint since the heap was made, in bytes. O(1). */
  get maxFootprint(): number {
    return this.exports.mc_malloc_max_footprint() >>> 0;
  }

  /** The bytes that the footprint may not exceed; 2^32 - 1: no limit. O(1). */
  get footprintLimit(): number {
    return this.exports.mc_malloc_footprint_limit() >>> 0;
  }

  set footprintLimit(bytes: number) {
    checkWord("footprintLimit", bytes);
    this.exports.mc_malloc_set_footprint_limit(bytes);
  }
}

/** The kernel asks for wasm pages. The address of the first new byte; 0: there are none. */
function grown(memory: WasmMemoryObject, bytes: number): number {
  try {
    return memory.grow(Math.ceil(bytes / WASM_PAGE)) * WASM_PAGE;
  } catch {
    // The memory's maximum, or the engine's. Whatever is thrown must not pass through the kernel, in the middle of a call.
    return 0;
  }
}

function refuse(code: number, address: number): never {
  const misuse = Object.values(MISUSE).find(({ number }) => number === code);
  if (misuse === undefined)
    throw new HeapCorruptError(
      "link",
      address,
      `heap corrupted at ${hex(address)}: what the heap keeps there has been overwritten (link)`,
    );
  const { is, words, byHeader } = misuse;
  throw new HeapMisuseError(is, address, `${hex(address)}: ${byHeader ?? words} (${is})`);
}
