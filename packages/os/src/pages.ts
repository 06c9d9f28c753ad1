// Pages: which stretches of a heap hold nothing that anyone needs, so that their OS pages can be given back.
//
// Gives:  stretches of bytes, whole OS pages of which may be given back.
// Needs:  the heap's walk; the engine knows what the kernel keeps in a free piece.

import { type ChunkInfo } from "morecore";
import { engine } from "morecore/engine";

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
    if (state === "live" || state === "overhead") return;
    // Behind top there is nothing up to the limit.
    const { from: start, to: end } = engine.idlePart(
      state,
      address,
      state === "top" ? limit : address + size,
    );
    take(start, end);
  });
  if (from < to) give(from, to);
}
