// Live: what callers hold of a heap, counted by walking it.

import type { Heap } from "morecore";

/** How many blocks there are that somebody has got and not freed. */
export function liveBlocks(heap: Heap): number {
  let count = 0;
  heap.inspectAll(({ state }) => {
    if (state === "live") count += 1;
  });
  return count;
}
