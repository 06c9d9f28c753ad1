// Heap report: what there is to tell of a program's heap when the program has ended.
//
// Owns:  the figures, in bytes and counts. cli/run-report.ts prints them.
// Needs: Heap; a watch, if there was one.

import { type CallKind, type HeapWatch, type TraceRecorder } from "@morecore/inspect";
import { type Heap } from "morecore";

export interface ChunkSum {
  readonly count: number;
  /** Headers included. */
  readonly bytes: number;
}

/** What only a watch can know. */
export interface CallReport {
  readonly total: number;
  readonly counts: Readonly<Record<CallKind, number>>;
  /** Bytes that were asked for with the blocks that are live at the end. */
  readonly liveBytes: number;
  /** The most that were at any time. */
  readonly peakLiveBytes: number;
}

export interface HeapReport {
  readonly calls: CallReport | undefined;
  readonly live: ChunkSum;
  readonly cached: ChunkSum;
  readonly free: ChunkSum;
  readonly topBytes: number;
  /** The largest payload among free chunks, top among them: what can be had without growing. */
  readonly largestFree: number;
  readonly footprint: number;
  readonly maxFootprint: number;
  readonly memoryPages: number;
  readonly growths: number;
  readonly coalescings: number;
  readonly flushes: number;
  readonly trims: number;
}

export interface Watched {
  readonly watch: HeapWatch;
  readonly recorder: TraceRecorder;
}

const WASM_PAGE = 65_536;

/** The figures of a sound heap. O(chunks). */
export function reportHeap(heap: Heap, memory: WebAssembly.Memory, watched?: Watched): HeapReport {
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
