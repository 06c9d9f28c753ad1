// Play: the calls of a trace on any allocator, and nothing else; for measuring.
//
// Owns:       the loop that is timed, and what can be told from a trace without a heap.
// Needs:      format. A trace that decodeTrace has verified: nothing is verified here.

import { KIND, type Trace } from "../trace/format.ts";

/** The malloc family: all that playing needs. */
export interface Allocator {
  /** As C's malloc: an address, or 0. */
  malloc(bytes: number): number;
  /** As C's calloc: an address, or 0. */
  calloc(count: number, bytes: number): number;
  /** As C's realloc: an address, or 0. */
  realloc(ptr: number, bytes: number): number;
  /** As glibc's memalign: an address, or 0. */
  memalign(alignment: number, bytes: number): number;
  /** As C's free. */
  free(ptr: number): void;
}

/**
 * Plays the calls of a trace and nothing else: for measuring. Leaves in `pointers`, which has trace.slotCount entries,
 * the blocks that are live at the end, and 0 for the others. Returns how many calls found no memory.
 *
 * @example
 *
 * ```ts
 * const trace = decodeTrace(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 10 }]));
 * const pointers = new Uint32Array(trace.slotCount);
 * console.log(playCalls(trace, Heap.create(), pointers)); // 0
 * ```
 */
export function playCalls(trace: Trace, heap: Allocator, pointers: Uint32Array): number {
  const { opCount, kinds, slots, sizes, alignments } = trace;
  let failures = 0;
  for (let index = 0; index < opCount; index++) {
    const slot = slots[index] as number; // index < opCount, and the loop is timed
    const size = sizes[index] as number;
    let ptr = 0;
    switch (kinds[index]) {
      case KIND.malloc:
        ptr = heap.malloc(size);
        break;
      case KIND.calloc:
        ptr = heap.calloc(1, size);
        break;
      case KIND.realloc:
        ptr = heap.realloc(pointers[slot] as number, size);
        break;
      case KIND.aligned:
        ptr = heap.memalign(alignments[index] as number, size);
        break;
      default:
        heap.free(pointers[slot] as number);
        pointers[slot] = 0;
        continue;
    }
    if (ptr === 0) failures++;
    else pointers[slot] = ptr;
  }
  return failures;
}

/**
 * Frees what playCalls left live, lowest slot first.
 *
 * @example
 *
 * ```ts
 * const heap = Heap.create();
 * const pointers = new Uint32Array([heap.malloc(10)]);
 * releaseAll(heap, pointers);
 * console.log(pointers[0]); // 0
 * ```
 */
export function releaseAll(heap: Allocator, pointers: Uint32Array): void {
  pointers.forEach((ptr) => {
    if (ptr !== 0) heap.free(ptr);
  });
  pointers.fill(0);
}

/**
 * The first call after which the live blocks' requested sizes add up to the trace's peak; -1 without calls. O(calls).
 *
 * @example
 *
 * ```ts
 * const trace = decodeTrace(
 *   encodeTrace([
 *     { kind: KIND.malloc, slot: 0, size: 10 },
 *     { kind: KIND.malloc, slot: 1, size: 20 },
 *     { kind: KIND.free, slot: 0 },
 *   ]),
 * );
 * console.log(findPeak(trace)); // 1
 * ```
 */
export function findPeak(trace: Trace): number {
  const live = new Uint32Array(trace.slotCount);
  let liveBytes = 0;
  for (let index = 0; index < trace.opCount; index++) {
    const slot = trace.slots[index] ?? 0;
    const size = trace.sizes[index] ?? 0;
    liveBytes += size - (live[slot] ?? 0);
    live[slot] = size;
    if (liveBytes === trace.peakLiveBytes) return index;
  }
  return -1;
}
