// Made by `npm run abi -- --write` from src/abi/family.ts: the malloc family of one heap, by the kernel in
// WebAssembly and by the same kernel in JavaScript.
//
// Each call is written out, so that an engine sees one place for each, of one shape.

import type { CName, ExportName, ImportName } from "../abi/family.ts";
import { asPtr, type Base } from "../kernel/address.ts";
import * as kernel from "../kernel/family.ts";
import type { Machine } from "../kernel/machine.ts";
import { isErrorOf } from "../memory/slots.ts";
import type { WasmExports } from "../memory/webassembly.ts";
import { ledAstray } from "./errors.ts";

/** C's and POSIX's malloc family, and BSD's and dlmalloc's extensions, under C's names. */
export const C_FAMILY = [
  "malloc",
  "free",
  "calloc",
  "realloc",
  "reallocarray",
  "aligned_alloc",
  "posix_memalign",
  "free_sized",
  "free_aligned_sized",
  "memalign",
  "malloc_usable_size",
  "malloc_good_size",
  "malloc_trim",
  "malloc_footprint",
  "malloc_max_footprint",
  "malloc_footprint_limit",
  "malloc_set_footprint_limit",
  "realloc_in_place",
  "independent_calloc",
  "independent_comalloc",
  "bulk_free",
] as const satisfies readonly CName[];

/** What lib/morecore.c makes mallinfo and malloc_inspect_all of: a walk over the pieces, and sums by their state. */
export const WALK = [
  "count_of",
  "bytes_of",
  "first_piece",
  "next_piece",
  "piece_state",
  "piece_bytes",
] as const satisfies readonly ImportName[];

/** The malloc family, its heap known. Numbers are checked words; addresses come back unsigned. */
export interface Calls {
  /** What the instance of the kernel exports that serves; missing: it is the kernel in JavaScript. */
  readonly all?: WasmExports;
  malloc(bytes: number): number;
  free(ptr: number): void;
  calloc(count: number, bytes: number): number;
  realloc(ptr: number, bytes: number): number;
  reallocarray(ptr: number, count: number, bytes: number): number;
  alignedAlloc(alignment: number, bytes: number): number;
  posixMemalign(result: number, alignment: number, bytes: number): number;
  freeSized(ptr: number, bytes: number): void;
  freeAlignedSized(ptr: number, alignment: number, bytes: number): void;
  memalign(alignment: number, bytes: number): number;
  usableSize(ptr: number): number;
  trim(pad: number): boolean;
  reallocInPlace(ptr: number, bytes: number): number;
  independentCalloc(count: number, bytes: number): number;
  independentComalloc(count: number, sizes: number): number;
}

/** The functions that kernel-bytes.ts exports, and, those for threads, threads-bytes.ts. Their numbers are signed when they come to JavaScript. */
export interface KernelExports {
  mc_malloc(bytes: number): number;
  mc_free(ptr: number): void;
  mc_calloc(count: number, bytes: number): number;
  mc_realloc(ptr: number, bytes: number): number;
  mc_reallocarray(ptr: number, count: number, bytes: number): number;
  mc_aligned_alloc(alignment: number, bytes: number): number;
  mc_posix_memalign(result: number, alignment: number, bytes: number): number;
  mc_free_sized(ptr: number, bytes: number): void;
  mc_free_aligned_sized(ptr: number, alignment: number, bytes: number): void;
  mc_memalign(alignment: number, bytes: number): number;
  mc_malloc_usable_size(ptr: number): number;
  mc_malloc_good_size(bytes: number): number;
  mc_malloc_trim(pad: number): number;
  mc_malloc_footprint(): number;
  mc_malloc_max_footprint(): number;
  mc_malloc_footprint_limit(): number;
  mc_malloc_set_footprint_limit(bytes: number): void;
  mc_realloc_in_place(ptr: number, bytes: number): number;
  mc_independent_calloc(count: number, bytes: number, chunks: number): number;
  mc_independent_comalloc(count: number, sizes: number, chunks: number): number;
  mc_bulk_free(array: number, count: number): void;
  mc_count_of(state: number): number;
  mc_bytes_of(state: number): number;
  mc_first_piece(): number;
  mc_next_piece(at: number): number;
  mc_piece_state(at: number): number;
  mc_piece_bytes(at: number): number;
  mc_attach(heap: number): void;
  mc_begin(start: number): number;
  mc_share(start: number, most: number): number;
  mc_leave(): void;
}

type Unexported = Exclude<ExportName, keyof KernelExports>;
/** Does not compile if an export is missing above. */
export type AllExported = Unexported extends never ? KernelExports : never;

/** A trap of the kernel's in words; what it refused by itself as it is. */
function explained(error: unknown, heap: Base): unknown {
  return isErrorOf(error, "RuntimeError") ? ledAstray(heap, error) : error;
}

/** The kernel in WebAssembly. */
export class WasmCalls implements Calls {
  /** All that the instance exports, as the engine gives it. */
  readonly all: WasmExports;
  private readonly exports: KernelExports;
  private readonly heap: Base;

  constructor(exports: WasmExports, heap: Base) {
    this.all = exports;
    this.heap = heap;
    // The engine knows an instance's exports as a record only; tools/bind.ts makes sure that they are these.
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

  calloc(count: number, bytes: number): number {
    try {
      return this.exports.mc_calloc(count, bytes) >>> 0;
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

  reallocarray(ptr: number, count: number, bytes: number): number {
    try {
      return this.exports.mc_reallocarray(ptr, count, bytes) >>> 0;
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

  memalign(alignment: number, bytes: number): number {
    try {
      return this.exports.mc_memalign(alignment, bytes) >>> 0;
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

  trim(pad: number): boolean {
    try {
      return this.exports.mc_malloc_trim(pad) !== 0;
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

  independentCalloc(count: number, bytes: number): number {
    try {
      return this.exports.mc_independent_calloc(count, bytes, 0) >>> 0;
    } catch (error) {
      throw explained(error, this.heap);
    }
  }

  independentComalloc(count: number, sizes: number): number {
    try {
      return this.exports.mc_independent_comalloc(count, sizes, 0) >>> 0;
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

  calloc(count: number, bytes: number): number {
    return kernel.calloc(this.machine.fresh(this.heap), this.heap, count, bytes);
  }

  realloc(ptr: number, bytes: number): number {
    return kernel.realloc(this.machine.fresh(this.heap), this.heap, asPtr(ptr), bytes);
  }

  reallocarray(ptr: number, count: number, bytes: number): number {
    return kernel.reallocarray(this.machine.fresh(this.heap), this.heap, asPtr(ptr), count, bytes);
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

  memalign(alignment: number, bytes: number): number {
    return kernel.memalign(this.machine.fresh(this.heap), this.heap, alignment, bytes);
  }

  usableSize(ptr: number): number {
    return kernel.usableSize(this.machine.fresh(this.heap), this.heap, asPtr(ptr));
  }

  trim(pad: number): boolean {
    return kernel.trim(this.machine.fresh(this.heap), this.heap, pad);
  }

  reallocInPlace(ptr: number, bytes: number): number {
    return kernel.reallocInPlace(this.machine.fresh(this.heap), this.heap, asPtr(ptr), bytes);
  }

  independentCalloc(count: number, bytes: number): number {
    return kernel.independentCalloc(this.machine.fresh(this.heap), this.heap, count, bytes, asPtr(0));
  }

  independentComalloc(count: number, sizes: number): number {
    return kernel.independentComalloc(
      this.machine.fresh(this.heap),
      this.heap,
      count,
      asPtr(sizes),
      asPtr(0),
    );
  }
}
