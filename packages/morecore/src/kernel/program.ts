// Program: the heap of a program in WebAssembly, begun by the kernel alone, without JavaScript.
//
// Owns:  the options that such a heap has.
// Needs: image, options.
//
// heap/options.ts has the options of heaps that are made from JavaScript. Two differ here. `memory.grow` costs no view
// anew in wasm, so nothing is asked for in advance; and the memory cannot shrink, so top is never trimmed.

import { asBase, Base, Word } from "./address.ts";
import { formatHeap } from "./image.ts";
import { GRANULE, MEMORY_UNIT, MIN_REGION, NO_ADVANCE, SMALL_MAX } from "./layout.ts";
import { Machine } from "./machine.ts";
import { setAdvanceLog2, setSmallLimit } from "./options.ts";

const GROWTH_STEP: Word = 4096;

/** Where a heap can begin, if memory is zero from `from` to its end; 0 asks for memory. The address; 0: no memory. */
export function placeFor(m: Machine, from: Word): Base {
  if (from === 0) return asBase(m.grow(MEMORY_UNIT));
  const base: Word = (from + (GRANULE - 1)) & ~(GRANULE - 1);
  const size = m.size();
  // Of a memory that ends too soon, what is got must follow it.
  if (size < base + MIN_REGION && m.grow(MEMORY_UNIT) !== size) return asBase(0);
  return asBase(base);
}

/** Begins an empty heap at an address that placeFor gave. `from` is what that was given. */
export function beginHeap(m: Machine, heap: Base, from: Word): void {
  const limit: Word = from === 0 ? heap + MEMORY_UNIT : m.size();
  formatHeap(m, heap, limit, heap, 0, GROWTH_STEP);
  setAdvanceLog2(m, heap, NO_ADVANCE);
  setSmallLimit(m, heap, SMALL_MAX);
}
