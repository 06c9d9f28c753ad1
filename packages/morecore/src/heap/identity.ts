// Identity: what all windows on one heap have in common in this realm, besides the bytes.
//
// Owns:  by memory and base: who may delete what the heap made, and the arenas that are open in it.
// Needs: nothing of a Heap. A WebAssembly.Memory or a buffer is one Memory, however often it is handed over.
// Cost:  an object for each base at which there was a heap, as long as the memory is there.

import type { Memory } from "../memory/memory.ts";
import { Regions } from "../typed/regions.ts";
import type { Places } from "./thread.ts";

/** As an object, it is the owner of what lives in the heap itself. */
export class HeapIdentity implements Places {
  readonly regions: Regions = new Regions();
  place: Places["place"];
  readonly watched: Places["watched"] = new Map();
}

const known = new WeakMap<Memory, Map<number, HeapIdentity>>();

/** The heap's at an address of a memory. */
export function identityOf(memory: Memory, base: number): HeapIdentity {
  return inMemory(memory).get(base) ?? newIdentity(memory, base);
}

/** From now on there is another heap at the address: what was made in the one before is not its. */
export function newIdentity(memory: Memory, base: number): HeapIdentity {
  const identity = new HeapIdentity();
  inMemory(memory).set(base, identity);
  return identity;
}

function inMemory(memory: Memory): Map<number, HeapIdentity> {
  const heaps = known.get(memory) ?? new Map<number, HeapIdentity>();
  known.set(memory, heaps);
  return heaps;
}
