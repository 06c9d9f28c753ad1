// Typed: what the tests of the typed layer share.

import type { Heap } from "morecore";

/** How many blocks are live. */
export function live(heap: Heap): number {
  let count = 0;
  heap.inspectAll((piece) => {
    if (piece.state === "live") count++;
  });
  return count;
}

/** Runs a function while the heap can get no more memory, and has little left. */
export function starved(heap: Heap, body: () => void): void {
  const limit = heap.options.footprintLimit;
  heap.options.footprintLimit = 0;
  const taken: number[] = [];
  for (let bytes = 1 << 22; bytes >= 1024; bytes >>= 1)
    for (let at = heap.malloc(bytes); at !== 0; at = heap.malloc(bytes)) taken.push(at);
  try {
    body();
  } finally {
    for (const at of taken) heap.free(at);
    heap.options.footprintLimit = limit;
  }
}
