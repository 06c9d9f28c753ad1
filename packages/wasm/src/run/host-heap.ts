// Host heap: the heap of a two-module program, and the functions that the program imports.
//
// Owns:  where the heap begins, its options, and whether there is a watch between it and the program.
// Needs: Heap, watch, trace/record.

import { HeapWatch, TraceRecorder } from "@morecore/inspect";
import type { WasmExports, WasmMemoryObject } from "morecore";
import { Heap, type HeapImports } from "morecore";
import { C_FAMILY, PREFIX } from "morecore/engine";
import { type Import, WasmFormatError } from "../format/binary.ts";
import type { Watched } from "./heap-report.ts";
import { KERNEL_MODULE } from "./program.ts";

/** What somebody wants to know of a heap. */
export interface WatchWishes {
  /** Tell of the heap at the end. */
  readonly stats?: boolean;
  /** Record a trace. Only in two-module mode. */
  readonly trace?: boolean;
  /** Check the heap after every so many calls, and at the end; 0: never. In a merged program only at the end. */
  readonly checkEvery?: number;
}

export interface HostHeap {
  /** Undefined: it has not begun. */
  readonly heap: Heap | undefined;
  /** Called when the program has been instantiated, before its _start. */
  begin(program: WasmExports): void;
  readonly functions: Readonly<Record<string, HeapImports[string]>>;
  readonly watched: Watched | undefined;
}

const GRANULE = 16;
const WORD_BYTES = 4;

/** Begins a heap at `heapBase`, or at the memory's end, and wraps its functions if anything is wished to be known. */
export function makeHostHeap(
  heapBase: number | undefined,
  memory: WasmMemoryObject,
  wishes: WatchWishes,
): HostHeap {
  const heap = heapIn(memory, heapBase);
  return hostHeap({ memory, wishes, imports: heap.imports, heap: () => heap, begin: () => undefined });
}

export interface HostHeapParts {
  readonly memory: WasmMemoryObject;
  readonly wishes: WatchWishes;
  readonly imports: HeapImports;
  /** The heap, once it has begun. */
  heap(): Heap | undefined;
  begin(program: WasmExports): void;
}

/** Wraps the functions of a heap if anything is wished to be known of it. */
export function hostHeap({ memory, wishes, imports, heap, begin }: HostHeapParts): HostHeap {
  const { stats = false, trace = false, checkEvery = 0 } = wishes;
  const { morecore, env } = imports;
  const whole = (functions: HostHeap["functions"], watched: Watched | undefined): HostHeap => ({
    get heap() {
      return heap();
    },
    begin,
    functions,
    watched,
  });
  if (!stats && !trace && checkEvery === 0) return whole({ morecore, env }, undefined);
  const recorder = new TraceRecorder(trace ? {} : { maxBytes: 0 });
  const watch = new HeapWatch({
    recorder,
    checkEvery,
    check: () => heap()?.check(),
    words: (at, count) => {
      const { buffer } = memory;
      const most = Math.max(0, Math.floor((buffer.byteLength - at) / WORD_BYTES));
      const bytes = Math.min(count, most) * WORD_BYTES;
      // A copy: where the program keeps its words need not be a multiple of four.
      return bytes === 0 ? new Uint32Array() : new Uint32Array(buffer.slice(at, at + bytes));
    },
  });
  const functions = { morecore: watch.watched(morecore), env: watch.watched(env) };
  return whole(functions, { watch, recorder });
}

function heapIn(memory: WebAssembly.Memory, heapBase: number | undefined): Heap {
  try {
    return Heap.create({
      memory,
      ...(heapBase ? { base: Math.ceil(heapBase / GRANULE) * GRANULE } : {}),
      // As in kernel/program.ts: growing costs nothing here, and a memory cannot shrink.
      advance: 0,
      trimThreshold: Number.POSITIVE_INFINITY,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new WasmFormatError(`its memory has no room for a heap: ${error.message}`);
  }
}

/** Whether an import is one of the malloc family's. */
export function isHeapImport({ module, name }: Import): boolean {
  if (module === KERNEL_MODULE) return name.startsWith(PREFIX);
  const family: readonly string[] = C_FAMILY;
  return module === "env" && family.includes(name.replace(/^_/, ""));
}
