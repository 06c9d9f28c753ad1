// Torn container: a call on a container is cut short after each of its stores; what is found then.

import type { Heap } from "morecore";
import { expect } from "vitest";
import { eachPrefix, openTorn, storesOf } from "./torn-stores.ts";

/** A container in a heap that others open again. */
export interface Torn {
  /** Attaches to it, as whoever opens the file does. */
  readonly attach: (heap: Heap) => void;
  /** The same, and says in what state it is; then uses it, ends it and finds the heap sound. */
  readonly stateOf: (heap: Heap) => string;
}

/** One of so many states in which a repair is cut short, too. */
const REPAIRS = 9;

function bytesOf(heap: Heap): ArrayBuffer {
  return (heap.memory.buffer as ArrayBuffer).slice(0);
}

/** Makes a call, and finds that after any prefix of its stores there is what was before it, or after it. Gives how many prefixes. */
export function expectWhole(heap: Heap, { attach, stateOf }: Torn, call: string, act: () => void): number {
  const before = bytesOf(heap);
  const stores = storesOf(heap, act);
  const states = [before, bytesOf(heap)].map((bytes) => stateOf(openTorn(bytes.slice(0), heap.base)));
  eachPrefix(before, stores, (copy, count) => {
    const place = `${call}, cut short after ${count} of ${stores.length} stores`;
    try {
      expect(states).toContain(stateOf(openTorn(copy.slice(0), heap.base)));
      if (count % REPAIRS === 0) expectRepairWhole(copy, heap.base, { attach, stateOf }, states);
    } catch (error) {
      throw new Error(`${place}: ${String(error)}`, { cause: error });
    }
  });
  return stores.length;
}

/** Who finishes such a call may be cut short, too. */
function expectRepairWhole(
  torn: ArrayBuffer,
  base: number,
  { attach, stateOf }: Torn,
  states: readonly string[],
): void {
  const heap = openTorn(torn, base);
  const before = bytesOf(heap);
  const stores = storesOf(heap, () => attach(heap));
  eachPrefix(before, stores, (copy) => expect(states).toContain(stateOf(openTorn(copy, base))));
}
