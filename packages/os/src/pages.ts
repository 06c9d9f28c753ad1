// Pages: which stretches of a heap hold nothing that anyone needs, so that their OS pages can be given back.
//
// Owns:  nothing.
// Needs: the heap's walk, the kernel's layout.
//
// A free chunk needs its header and two links at its beginning and its size in its last word; a free block of a run needs
// nothing, since its bit lies elsewhere; top needs its header, and behind it nothing up to the heap's limit.

import { type ChunkInfo } from "morecore";
import { FOOTER, HEADER_WORD, PREVIOUS } from "morecore/engine";

/** The first byte of a free chunk that is not the allocator's: behind the second link. */
const BEHIND_LINKS = PREVIOUS + HEADER_WORD;

/** Calls `give` for each stretch of bytes that nobody needs, the longest that there are. `limit`: where the heap's memory ends. O(pieces). */
export function idleStretches(
  inspectAll: (visit: (piece: ChunkInfo) => void) => void,
  limit: number,
  give: (from: number, to: number) => void,
): void {
  let from = 0;
  let to = 0;
  const take = (start: number, end: number): void => {
    if (start !== to) {
      if (from < to) give(from, to);
      from = start;
    }
    to = end;
  };
  inspectAll(({ address, size, state }) => {
    if (state === "free") take(address + BEHIND_LINKS, address + size - FOOTER);
    else if (state === "cached") take(address, address + size);
    else if (state === "top") take(address + HEADER_WORD, limit);
  });
  if (from < to) give(from, to);
}
