// Either: the heap of the package's main entry: served by the kernel in WebAssembly, or in JavaScript where that cannot be.

import type { Machine } from "../kernel/machine.ts";
import type { ModuleParts } from "../memory/module-parts.ts";
import type { WasmExports, WasmGlobalObject } from "../memory/webassembly.ts";
import type { Attachable } from "./begin.ts";
import { HeapCore } from "./heap.ts";
import type { HeapOptions, InsideOptions } from "./options.ts";
import { byEither } from "./serve.ts";

/**
 * malloc and its family in any memory, and typed things made in it. Addresses are numbers of bytes; 0 says
 * that there is no memory. `malloc` and `free` are O(1). Misuse throws a HeapMisuseError, and nothing has
 * changed.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const ptr = heap.malloc(100);
 * heap.u8(ptr, 3).set([1, 2, 3]);
 * console.log(heap.u8(ptr, 3)[2], ptr % 16); // 3 0
 * heap.free(ptr);
 * ```
 */
export class Heap extends HeapCore {
  /** Use Heap.create, Heap.inside or Heap.attach. */
  protected constructor(machine: Machine, base: number) {
    super(machine, base, byEither);
  }

  /**
   * Makes an empty heap: in a WebAssembly.Memory of its own, or where the options say. What lay there is overwritten.
   * Throws a RangeError if there is no room for the header, a TypeError or RangeError for a bad option.
   */
  static create(options: HeapOptions = {}): Heap {
    return new Heap(...HeapCore.made(options)).told(options);
  }

  /**
   * Makes an empty heap inside a WebAssembly module whose own allocator goes on as before. Its memory is what the module's
   * malloc gives, and gives more of when the heap grows. Takes what the module exports, or Emscripten's Module; or the memory
   * and the two functions under the names of ModuleParts. `dispose` gives all back.
   *
   * Throws a TypeError that says what is missing, a RangeError if the module has no memory to give. What its malloc throws,
   * the call throws that needed memory, and the heap is as it was.
   */
  static inside(exports: WasmExports | ModuleParts, options: InsideOptions = {}): Heap {
    return new Heap(...HeapCore.madeInside(exports, options)).told(options);
  }

  /**
   * A window on a heap that is there already: made elsewhere, by another thread or realm, or read back from a file.
   * Throws a HeapFormatError that says why not. O(1): reads the header only; call check() on bytes that you do not trust.
   * The base may be a global that a module exports: morecore_heap, as linked programs do, or its __heap_base.
   * A heap that Heap.inside made grows by its module's malloc only: give its `memory`, not the WebAssembly.Memory.
   *
   * Of a heap that threads share, its handle is all that is needed. The window gives this thread a place of its own in it, until
   * `dispose`; throws a RangeError if there is no memory left for one.
   */
  static attach(memory: Attachable, base?: number | WasmGlobalObject): Heap {
    return new Heap(...HeapCore.found(memory, base));
  }
}
