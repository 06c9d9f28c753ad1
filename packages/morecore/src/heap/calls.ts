// Calls: the malloc family of one heap, by the kernel in JavaScript or by the same kernel in WebAssembly.
//
// Owns:  the choice between the two; the compiled module.
// Needs: the kernel, its wasm build (kernel-bytes.ts), a Machine.
//
// Both work on the same bytes, by the same sources. In a WebAssembly.Memory the wasm kernel serves: called from
// JavaScript it plays the traces of real programs in about half the time (docs/DESIGN.md). In any other memory, where
// wasm cannot reach, or where a page's security policy forbids to compile, the JavaScript kernel does.

import { asPtr, type Base } from "../kernel/address.ts";
import * as kernel from "../kernel/family.ts";
import type { Machine } from "../kernel/machine.ts";
import { ledAstray } from "./errors.ts";
import { KERNEL_BYTES } from "./kernel-bytes.ts";

/** The malloc family, its heap known. Numbers are checked words; addresses come back unsigned. */
export interface Calls {
  malloc(bytes: number): number;
  free(ptr: number): void;
  calloc(times: number, bytes: number): number;
  realloc(ptr: number, bytes: number): number;
  reallocInPlace(ptr: number, bytes: number): number;
  reallocarray(ptr: number, times: number, bytes: number): number;
  memalign(alignment: number, bytes: number): number;
  alignedAlloc(alignment: number, bytes: number): number;
  posixMemalign(result: number, alignment: number, bytes: number): number;
  freeSized(ptr: number, bytes: number): void;
  freeAlignedSized(ptr: number, alignment: number, bytes: number): void;
  usableSize(ptr: number): number;
  independentCalloc(times: number, bytes: number): number;
  independentComalloc(times: number, sizes: number): number;
  trim(pad: number): boolean;
}

/** The functions that kernel-bytes.ts exports: C's malloc family under names of their own (tools/kernel.mjs). */
interface KernelExports {
  /** Makes the heap at `base` the one that the others serve. */
  mc_attach(base: number): void;
  mc_malloc(bytes: number): number;
  mc_free(ptr: number): void;
  mc_calloc(times: number, bytes: number): number;
  mc_realloc(ptr: number, bytes: number): number;
  mc_realloc_in_place(ptr: number, bytes: number): number;
  mc_reallocarray(ptr: number, times: number, bytes: number): number;
  mc_memalign(alignment: number, bytes: number): number;
  mc_aligned_alloc(alignment: number, bytes: number): number;
  mc_posix_memalign(result: number, alignment: number, bytes: number): number;
  mc_free_sized(ptr: number, bytes: number): void;
  mc_free_aligned_sized(ptr: number, alignment: number, bytes: number): void;
  mc_malloc_usable_size(ptr: number): number;
  mc_independent_calloc(times: number, bytes: number, result: number): number;
  mc_independent_comalloc(times: number, sizes: number, result: number): number;
  mc_malloc_trim(pad: number): number;
}

/** What the kernel asks of whoever made it. */
export interface Host {
  /** Asks for `bytes` more: an address, or 0. */
  grow(bytes: number): number;
  refuse(code: number, address: number): never;
}

/** The calls of a heap whose bytes wasm can reach: by wasm, if the engine lets us compile; else undefined. */
export function wasmCalls(memory: WebAssembly.Memory, heap: Base, host: Host): WasmCalls | undefined {
  // A shared memory can be imported only by a module that says so.
  if (!(memory.buffer instanceof ArrayBuffer)) return undefined;
  const module = compiled();
  if (module === undefined) return undefined;
  const imports = {
    env: { memory },
    morecore: {
      grow: (bytes: number) => host.grow(bytes >>> 0),
      abort: (code: number, address: number) => host.refuse(code, address >>> 0),
    },
  };
  const { exports } = new WebAssembly.Instance(module, imports);
  return new WasmCalls(exports, heap);
}

let cached: WebAssembly.Module | undefined | null = null;

/** The module, compiled at first use; undefined where a content security policy forbids it. */
function compiled(): WebAssembly.Module | undefined {
  if (cached === null) {
    try {
      cached = new WebAssembly.Module(Uint8Array.from(atob(KERNEL_BYTES), (char) => char.charCodeAt(0)));
    } catch (error) {
      if (!(error instanceof WebAssembly.CompileError)) throw error;
      cached = undefined;
    }
  }
  return cached;
}

/** A trap of the kernel's in words; what it refused by itself as it is. */
function explained(error: unknown, heap: Base): unknown {
  return error instanceof WebAssembly.RuntimeError ? ledAstray(heap, error) : error;
}

/** The kernel in WebAssembly. Its numbers are signed when they come to JavaScript, hence the shifts. */
export class WasmCalls implements Calls {
  /** All that the instance exports, as the engine gives it. */
  readonly all: WebAssembly.Exports;
  private readonly exports: KernelExports;
  private readonly heap: Base;

  constructor(exports: WebAssembly.Exports, heap: Base) {
    this.all = exports;
    this.heap = heap;
    // The engine knows an instance's exports as a record only; tools/kernel.mjs makes sure that they are these.
    this.exports = exports as unknown as KernelExports;
    this.exports.mc_attach(heap);
  }

  malloc(bytes: number): number {
    try {
      return this.exports.mc_malloc(bytes) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  free(ptr: number): void {
    try {
      this.exports.mc_free(ptr);
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  calloc(times: number, bytes: number): number {
    try {
      return this.exports.mc_calloc(times, bytes) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  realloc(ptr: number, bytes: number): number {
    try {
      return this.exports.mc_realloc(ptr, bytes) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  reallocInPlace(ptr: number, bytes: number): number {
    try {
      return this.exports.mc_realloc_in_place(ptr, bytes) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  reallocarray(ptr: number, times: number, bytes: number): number {
    try {
      return this.exports.mc_reallocarray(ptr, times, bytes) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  memalign(alignment: number, bytes: number): number {
    try {
      return this.exports.mc_memalign(alignment, bytes) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  alignedAlloc(alignment: number, bytes: number): number {
    try {
      return this.exports.mc_aligned_alloc(alignment, bytes) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  posixMemalign(result: number, alignment: number, bytes: number): number {
    try {
      return this.exports.mc_posix_memalign(result, alignment, bytes);
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  freeSized(ptr: number, bytes: number): void {
    try {
      this.exports.mc_free_sized(ptr, bytes);
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  freeAlignedSized(ptr: number, alignment: number, bytes: number): void {
    try {
      this.exports.mc_free_aligned_sized(ptr, alignment, bytes);
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  usableSize(ptr: number): number {
    try {
      return this.exports.mc_malloc_usable_size(ptr) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  independentCalloc(times: number, bytes: number): number {
    try {
      return this.exports.mc_independent_calloc(times, bytes, 0) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  independentComalloc(times: number, sizes: number): number {
    try {
      return this.exports.mc_independent_comalloc(times, sizes, 0) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  trim(pad: number): boolean {
    try {
      return this.exports.mc_malloc_trim(pad) !== 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }
}

/** The kernel in JavaScript. Asks before each call whether the memory has grown: one comparison. */
export class JavaScriptCalls implements Calls {
  private readonly machine: Machine;
  private readonly heap: Base;

  constructor(machine: Machine, heap: Base) {
    this.machine = machine;
    this.heap = heap;
  }

  malloc(bytes: number): number {
    return kernel.malloc(this.machine.fresh(this.heap), this.heap, bytes);
  }

  free(ptr: number): void {
    kernel.free(this.machine.fresh(this.heap), this.heap, asPtr(ptr));
  }

  calloc(times: number, bytes: number): number {
    return kernel.calloc(this.machine.fresh(this.heap), this.heap, times, bytes);
  }

  realloc(ptr: number, bytes: number): number {
    return kernel.realloc(this.machine.fresh(this.heap), this.heap, asPtr(ptr), bytes);
  }

  reallocInPlace(ptr: number, bytes: number): number {
    return kernel.reallocInPlace(this.machine.fresh(this.heap), this.heap, asPtr(ptr), bytes);
  }

  reallocarray(ptr: number, times: number, bytes: number): number {
    return kernel.reallocarray(this.machine.fresh(this.heap), this.heap, asPtr(ptr), times, bytes);
  }

  memalign(alignment: number, bytes: number): number {
    return kernel.memalign(this.machine.fresh(this.heap), this.heap, alignment, bytes);
  }

  alignedAlloc(alignment: number, bytes: number): number {
    return kernel.alignedAlloc(this.machine.fresh(this.heap), this.heap, alignment, bytes);
  }

  posixMemalign(result: number, alignment: number, bytes: number): number {
    return kernel.posixMemalign(this.machine.fresh(this.heap), this.heap, asPtr(result), alignment, bytes);
  }

  freeSized(ptr: number, bytes: number): void {
    kernel.freeSized(this.machine.fresh(this.heap), this.heap, asPtr(ptr), bytes);
  }

  freeAlignedSized(ptr: number, alignment: number, bytes: number): void {
    kernel.freeAlignedSized(this.machine.fresh(this.heap), this.heap, asPtr(ptr), alignment, bytes);
  }

  usableSize(ptr: number): number {
    return kernel.usableSize(this.machine.fresh(this.heap), this.heap, asPtr(ptr));
  }

  independentCalloc(times: number, bytes: number): number {
    return kernel.independentCalloc(this.machine.fresh(this.heap), this.heap, times, bytes, asPtr(0));
  }

  independentComalloc(times: number, sizes: number): number {
    return kernel.independentComalloc(
      this.machine.fresh(this.heap),
      this.heap,
      times,
      asPtr(sizes),
      asPtr(0),
    );
  }

  trim(pad: number): boolean {
    return kernel.trim(this.machine.fresh(this.heap), this.heap, pad);
  }
}
