// Heap: one whose steps are counted.
//
// Owns:  a memory that WebAssembly cannot reach, so that the kernel in JavaScript serves.
// Needs: to be bundled by tools/steps.ts; elsewhere the counts stay 0.

import { Heap, type Memory, wasmMemory } from "morecore";
import { counts } from "./machine.ts";

/** As Heap.create() reserves by default. */
const RESERVE_BYTES = 1 << 20;

/** A heap as Heap.create() makes it, on which stepsOf counts. */
export function countedHeap(): Heap {
  const inner = wasmMemory(undefined, RESERVE_BYTES);
  const memory: Memory = {
    get buffer() {
      return inner.buffer;
    },
    grow: (bytes) => inner.grow(bytes),
    untouched: 0,
  };
  return Heap.create({ memory });
}

/** The same in a part of a buffer, which may hold anything: cheap to make again and again. It never leaves it. */
export function countedHeapIn(buffer: ArrayBuffer): Heap {
  return Heap.create({ memory: buffer });
}

/** Loads and stores of all counted heaps, so far. */
export function stepsSoFar(): number {
  return counts.loads + counts.stores;
}
