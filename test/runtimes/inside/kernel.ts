// Kernel: which of the two serves a heap of its own here.

import { Heap } from "morecore";

/** The calls of a heap can be exported to wasm if they are wasm's own. */
export function servingKernel(heap: Heap = Heap.create({ reserve: 0 })): "wasm" | "js" {
  try {
    return typeof heap.exports === "object" ? "wasm" : "js";
  } catch (error) {
    if (error instanceof TypeError) return "js";
    throw error;
  }
}
