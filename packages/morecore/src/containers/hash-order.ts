// Hash order: where an iterator goes on when entries have got other numbers.
//
// Owns:  what has been renumbered, as far back as an iterator may be.
// Needs: nothing.
//
// As in V8: each renumbering leaves behind what it did, and an iterator that comes to it goes through all of them. Nobody keeps
// a list of iterators; what none of them needs any more is collected.

/** Entries as they are numbered between two renumberings. */
export interface Epoch {
  /** The holes that were closed, in order; "all": everything was removed; "lost": by whom is not known here. */
  closed?: Uint32Array | "all" | "lost";
  next?: Epoch;
}

export class Order {
  epoch: Epoch = {};
  /** How many iterators have begun and not ended. One that is dropped in the middle counts on: that costs time, not memory. */
  iterating = 0;

  /** Entries are about to get other numbers. `closed` is asked only if there may be an iterator that needs it. */
  renumber(closed: () => Uint32Array | "all" | "lost"): void {
    if (this.iterating === 0) return;
    const next: Epoch = {};
    this.epoch.closed = closed();
    this.epoch.next = next;
    this.epoch = next;
  }
}

/** The number, after a renumbering, of the first entry that an iterator has not seen. Throws if nobody knows. */
export function renumbered(index: number, { closed }: Epoch, name: string): number {
  if (closed === "all" || closed === undefined) return 0;
  if (closed === "lost")
    throw new Error(
      `${name}: cannot iterate on: entries were moved through another HashMap on the same memory`,
    );
  let low = 0;
  let high = closed.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((closed[middle] as number) < index) low = middle + 1;
    else high = middle;
  }
  return index - low;
}
