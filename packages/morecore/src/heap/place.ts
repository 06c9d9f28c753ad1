// Place: from what a user says about where a heap should live to a memory, a base and a limit.
//
// Owns:  the rules for memory, base, size and reserve.
// Needs: the memories.

import { asBase } from "../kernel/address.ts";
import { engine } from "../kernel/design.ts";
import {
  ADDRESS_END,
  FIXED_MEMORY,
  FIXED_REGION,
  GRANULE,
  MEMORY_UNIT,
  MODULE_MEMORY,
} from "../kernel/engine.ts";
import type { Machine } from "../kernel/machine.ts";
import { describe, isWord, refuseWord } from "../memory/arguments.ts";
import { bufferMemory } from "../memory/buffer.ts";
import { makeLasting } from "../memory/lasting.ts";
import { bytesOf, type Memory } from "../memory/memory.ts";
import { ModuleMemory } from "../memory/module.ts";
import { type ModuleParts, moduleMemory } from "../memory/module-parts.ts";
import { askMemory, checkMemory } from "../memory/promises.ts";
import { describeOther, isBuffer, isSharedArrayBuffer, isWasmGlobal, isWasmMemory } from "../memory/slots.ts";
import { maximumOf, sharedMemory, wasmMemory, wasmOf } from "../memory/wasm.ts";
import type { WasmExports } from "../memory/webassembly.ts";
import { checkAlone } from "./alone.ts";
import type { HeapOptions, InsideOptions } from "./options.ts";

/** Where a new heap goes: [base, limit), never written from `untouched` on. */
export interface Place {
  readonly memory: Memory;
  readonly base: number;
  readonly limit: number;
  readonly untouched: number;
  /** Flags for the heap's image. */
  readonly flags: number;
  /** Of a heap that threads share: up to where it may come to reach. */
  readonly most?: number;
}

const DEFAULT_RESERVE = 1 << 20;
/** What a shared memory may grow to, if nothing is said. Engines set aside the addresses for all of it at once. */
const DEFAULT_MAXIMUM = 1 << 30;

/** A Memory for whatever a user may pass as one. */
export function memoryOf(memory: unknown): Memory {
  if (isWasmMemory(memory)) return wasmMemory(memory);
  if (isBuffer(memory)) return bufferMemory(memory);
  if (isMemory(memory)) {
    checkMemory(memory);
    return memory;
  }
  throw new TypeError(
    `memory: expected a WebAssembly.Memory, an ArrayBuffer, a SharedArrayBuffer or a Memory, got ${describeOther(memory)}`,
  );
}

function isMemory(memory: unknown): memory is Memory {
  if (typeof memory !== "object" || memory === null) return false;
  return "buffer" in memory && "grow" in memory && typeof memory.grow === "function" && "untouched" in memory;
}

/** Finds room for a new heap, growing the memory if need be. Throws if there is none. */
export function placeHeap(options: HeapOptions): Place {
  const { reserve, size, maximum } = options;
  if (reserve !== undefined) checkBytes("reserve", reserve);
  if (size !== undefined) checkBytes("size", size);
  if (maximum !== undefined) checkMaximum(maximum, options);
  const given = options.memory === undefined ? undefined : memoryOf(options.memory);
  const wasm = given && wasmOf(given);
  if (given instanceof ModuleMemory)
    throw new TypeError("memory: expected no memory of Heap.inside's, which ends with its heap");
  const base = options.base === undefined ? defaultBase(given) : baseOf(options.base);
  if (wasm !== undefined) checkAlone(wasm, options);
  const most = isShared(given, options) ? reachOf(given, base, options) : undefined;
  const least = most === undefined ? engine.minRegion : engine.sharing.least(asBase(base), most);
  if (size !== undefined && size < least) refuseSize(size, least, most);
  const wanted = Math.max(size ?? 0, reserve ?? 0, least);
  if (base + wanted > ADDRESS_END) {
    throw new RangeError(
      `base, size: a heap of ${wanted} bytes at ${base} would reach beyond ${ADDRESS_END}, the last address`,
    );
  }
  const memory = given ?? ownMemory(options, base + wanted);
  if (options.views === "lasting") makeLasting(memory);
  reach(memory, base + wanted, base);
  const end = Math.min(bytesOf(memory), ADDRESS_END);
  const bound = size === undefined ? end : Math.min(base + size, end);
  const limit = bound - (bound % GRANULE);
  return {
    memory,
    base,
    limit,
    // A memory that was made here has never been written.
    untouched: options.memory === undefined ? base : Math.min(Math.max(memory.untouched, base), limit),
    flags: (size === undefined ? 0 : FIXED_REGION) | (memory.fixed === true ? FIXED_MEMORY : 0),
    ...(most === undefined ? {} : { most }),
  };
}

/** Whether threads are to share a heap: where they can, unless the options say otherwise. Throws where they are to and cannot. */
function isShared(memory: Memory | undefined, { shared }: HeapOptions): boolean {
  if (memory === undefined) return shared === true;
  // A Memory of somebody's own need not be in shared memory for all threads alike.
  const can = isSharedArrayBuffer(memory.buffer) && (wasmOf(memory) !== undefined || memory.fixed === true);
  if (shared === true && !can)
    throw new TypeError(
      "shared: expected a shared WebAssembly.Memory or a SharedArrayBuffer as memory, or none, got " +
        describeOther(memory.buffer),
    );
  return can && shared !== false;
}

/** Up to where a heap that threads share may come to reach. */
function reachOf(memory: Memory | undefined, base: number, { size, maximum }: HeapOptions): number {
  if (memory === undefined) return Math.min(maximum ?? DEFAULT_MAXIMUM, ADDRESS_END);
  const wasm = wasmOf(memory);
  const most = wasm === undefined ? bytesOf(memory) : maximumOf(wasm);
  return Math.min(size === undefined ? most : base + size, most, ADDRESS_END);
}

function checkMaximum(maximum: number, { memory, reserve = 0, size = 0 }: HeapOptions): void {
  const most = ADDRESS_END + MEMORY_UNIT;
  if (typeof maximum !== "number")
    throw new TypeError(`maximum: expected a number, got ${describe(maximum)}`);
  if (!Number.isInteger(maximum) || maximum < MEMORY_UNIT || maximum > most)
    throw new RangeError(`maximum: expected an integer from ${MEMORY_UNIT} to ${most}, got ${maximum}`);
  if (memory !== undefined)
    throw new TypeError("maximum: expected no memory beside it, as a memory that is given has its own");
  if (maximum < Math.max(reserve, size))
    throw new RangeError(`maximum: expected at least reserve and size, got ${maximum}`);
}

function refuseSize(size: number, least: number, most: number | undefined): never {
  const kind = most === undefined ? "the smallest heap" : "the smallest heap that threads share";
  throw new RangeError(`size: expected at least ${least} bytes, ${kind}, got ${size}`);
}

/** Room for a new heap in memory that a module's allocator gives. Throws if it has none. */
export function placeInside(exports: WasmExports | ModuleParts, { reserve = 0 }: InsideOptions): Place {
  checkBytes("reserve", reserve);
  const bytes = Math.max(1, Math.ceil(reserve / MEMORY_UNIT)) * MEMORY_UNIT;
  const memory = moduleMemory(exports);
  const base = memory.grow(bytes);
  if (base === 0) throw new RangeError(`exports: the module's allocator has no ${bytes} bytes for a heap`);
  return { memory, base, limit: base + bytes, untouched: base, flags: MODULE_MEMORY };
}

/** Throws if a heap that is there could grow by this memory in a way that harms others. */
export function checkWays(m: Machine, base: number): void {
  const { memory } = m;
  if ((engine.flags(m, asBase(base)) & MODULE_MEMORY) === 0) return;
  if (memory instanceof ModuleMemory || memory.fixed === true) return;
  throw new TypeError(
    "memory: the heap there grows by a module's own malloc; expected the `memory` of the heap that Heap.inside made",
  );
}

function ownMemory({ reserve, views, shared = false, maximum }: HeapOptions, least: number): Memory {
  const bytes = Math.max(
    reserve === undefined ? Math.min(DEFAULT_RESERVE, maximum ?? DEFAULT_RESERVE) : 0,
    least,
  );
  if (shared) return sharedMemory(bytes, maximum ?? DEFAULT_MAXIMUM);
  // A buffer that can be resized has to know how far.
  return wasmMemory(undefined, bytes, maximum ?? (views === "lasting" ? ADDRESS_END : undefined));
}

/** Behind all that a module may have in its memory; in any other, right behind address 0. */
function defaultBase(memory: Memory | undefined): number {
  if (memory === undefined || wasmOf(memory) === undefined) return GRANULE;
  return Math.max(memory.buffer.byteLength, GRANULE);
}

/** Grows the memory until it reaches an address; throws if it will not. */
function reach(memory: Memory, end: number, base: number): void {
  const has = bytesOf(memory);
  if (has >= end) return;
  const missing = Math.ceil((end - has) / MEMORY_UNIT) * MEMORY_UNIT;
  // The first bytes of a memory that had none begin at 0: only its size tells whether it has grown.
  const from = has === 0 ? memory.grow(missing) : askMemory(memory, missing, has);
  if (bytesOf(memory) < end) {
    throw new RangeError(
      `memory: a heap at ${base} needs bytes up to ${end}, but the memory ends at ${has} and does not grow`,
    );
  }
  if (from !== has)
    throw new RangeError(
      `memory: a heap at ${base} needs bytes up to ${end}, but those from ${has} to ${from} are others'`,
    );
}

function checkBytes(name: string, bytes: number): void {
  if (!isWord(bytes)) refuseWord(name, bytes);
  if (name === "size" && bytes < engine.minRegion) refuseSize(bytes, engine.minRegion, undefined);
}

/**
 * The address where a heap begins: a number as it is; of a module's global, such as __heap_base, what it holds, rounded
 * up to a multiple of 16. Throws if no heap can begin there.
 */
export function baseOf(base: unknown): number {
  const address = isWasmGlobal(base) ? roundedUp(base.value) : base;
  if (typeof address === "bigint" && typeof base === "object")
    throw new TypeError(`base: expected a global of type i32, got one of 64 bits (${describe(address)})`);
  if (typeof address !== "number" || !isWord(address)) refuseWord("base", address);
  if (address === 0 || address % GRANULE !== 0)
    throw new RangeError(`base: expected a multiple of ${GRANULE} that is not 0, got ${address}`);
  return address;
}

/** WebAssembly's 32-bit numbers come signed to JavaScript. */
function roundedUp(value: unknown): unknown {
  return typeof value === "number" ? Math.ceil((value >>> 0) / GRANULE) * GRANULE : value;
}
