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

const GROWTH_STEP: Word = 65_536;

/**
 * Begins an empty heap in memory that is zero from `from` to the memory's end, or, with 0, in memory that is asked for.
 * The heap's address; 0: no memory.
 */
export function beginHeap(m: Machine, from: Word): Base {
  let base: Word = (from + (GRANULE - 1)) & ~(GRANULE - 1);
  let limit: Word = m.size();
  if (from === 0) {
    base = m.grow(MEMORY_UNIT);
    limit = base + MEMORY_UNIT;
    if (base === 0) return asBase(0);
  } else if (limit < base + MIN_REGION) {
    // Of a memory that ends too soon, what is got must follow it.
    if (m.grow(MEMORY_UNIT) !== limit) return asBase(0);
    limit += MEMORY_UNIT;
  }
  const heap = asBase(base);
  formatHeap(m, heap, limit, base, 0, GROWTH_STEP);
  setAdvanceLog2(m, heap, NO_ADVANCE);
  setSmallLimit(m, heap, SMALL_MAX);
  return heap;
}
