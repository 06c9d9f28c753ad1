// Heap report: what there is to tell of a program's heap when the program has ended.
//
// Owns:  the figures, in bytes and counts. cli/run-report.ts prints them.
// Needs: Heap; a watch, if there was one.

import { type CallKind, type HeapWatch, type TraceRecorder } from "@morecore/inspect";
import type { WasmMemoryObject } from "morecore";
import { type Heap } from "morecore";

/** Pieces of one kind. */
export interface ChunkSum {
  /** How many there are. */
  readonly count: number;
  /** Headers included. */
  readonly bytes: number;
}

/** What only a watch can know. */
export interface CallReport {
  /** How many calls there were. */
  readonly total: number;
  /** How many of each kind. */
  readonly counts: Readonly<Record<CallKind, number>>;
  /** Bytes that were asked for with the blocks that are live at the end. */
  readonly liveBytes: number;
  /** The most that were at any time. */
  readonly peakLiveBytes: number;
}

/** The figures of a program's heap at its end. */
export interface HeapReport {
  /** What was called, if the calls were watched. */
  readonly calls: CallReport | undefined;
  /** Blocks that the program has not freed. */
  readonly live: ChunkSum;
  /** Free blocks of slabs. */
  readonly cached: ChunkSum;
  /** Free chunks, without top. */
  readonly free: ChunkSum;
  /** Bytes of the free end of the heap. */
  readonly topBytes: number;
  /** The largest payload among free chunks, top among them: what can be had without growing. */
  readonly largestFree: number;
  /** Bytes that the heap has got from the memory. */
  readonly footprint: number;
  /** The largest footprint there was. */
  readonly maxFootprint: number;
  /** The memory's size in wasm pages of 64 KiB. */
  readonly memoryPages: number;
  /** How often the heap asked for more. */
  readonly growths: number;
  /** How often free neighbours were merged. */
  readonly coalescings: number;
  /** How often slabs gave their free blocks back. */
  readonly flushes: number;
  /** How often the heap gave memory back. */
  readonly trims: number;
}

export interface Watched {
  readonly watch: HeapWatch;
  readonly recorder: TraceRecorder;
}

const WASM_PAGE = 65_536;

/** The figures of a sound heap. O(chunks). */
export function reportHeap(heap: Heap, memory: WasmMemoryObject, watched?: Watched): HeapReport {
  const sums = {
    live: { count: 0, bytes: 0 },
    cached: { count: 0, bytes: 0 },
    free: { count: 0, bytes: 0 },
    top: { count: 0, bytes: 0 },
    overhead: { count: 0, bytes: 0 },
  };
  let largestFree = 0;
  heap.inspectAll(({ state, size, usable }) => {
    sums[state].count++;
    sums[state].bytes += size;
    if (state === "free" || state === "top") largestFree = Math.max(largestFree, usable);
  });
  const { growthCount, coalesceCount, flushCount, trimCount } = heap.statistics();
  return {
    calls: watched && reportCalls(watched),
    live: sums.live,
    cached: sums.cached,
    free: sums.free,
    topBytes: sums.top.bytes,
    largestFree,
    footprint: heap.footprint,
    maxFootprint: heap.maxFootprint,
    memoryPages: memory.buffer.byteLength / WASM_PAGE,
    growths: growthCount,
    coalescings: coalesceCount,
    flushes: flushCount,
    trims: trimCount,
  };
}

function reportCalls({ watch, recorder }: Watched): CallReport {
  return {
    total: watch.calls,
    counts: { ...watch.counts },
    liveBytes: recorder.liveBytes,
    peakLiveBytes: recorder.peakLiveBytes,
  };
}
