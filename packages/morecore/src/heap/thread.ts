// Thread: this thread's place in a heap that threads share: the heap that is its own, in the heap that is common to all.
//
// Owns:  which of the threads' heaps is this thread's, for all windows on one heap in this realm.
// Needs: the engine's sharing.
//
// A place is a thread's, not a window's: all windows of a thread allocate from it. It is given up when the last one is disposed of.

import type { Base } from "../kernel/address.ts";
import { engine } from "../kernel/design.ts";
import type { Machine } from "../kernel/machine.ts";
import type { WasmMemoryObject } from "../memory/webassembly.ts";

/** What another thread needs to use a heap: postMessage and workerData can carry it. */
export interface HeapHandle {
  /** The shared memory that the heap lies in. */
  readonly memory: WasmMemoryObject | SharedArrayBuffer;
  /** The address of its image there. */
  readonly base: number;
}

/** Where windows on one heap meet. */
export interface Places {
  place?: Place | undefined;
}

/** This thread's heap, and how many windows it serves. */
interface Place {
  readonly thread: Base;
  windows: number;
}

/** Gives a machine this thread's heap in the shared heap at a base. Throws a RangeError if there is no memory for one. */
export function joinThread(machine: Machine, base: Base, places: Places): Base {
  const place = places.place ?? { thread: joined(machine, base), windows: 0 };
  places.place = place;
  place.windows += 1;
  machine.thread = place.thread;
  return place.thread;
}

function joined(machine: Machine, base: Base): Base {
  const thread = engine.sharing.join(machine, base);
  if (thread === 0)
    throw new RangeError("attach: the shared heap has no memory left for another thread's place in it");
  return thread;
}

/** A window ends; with the last one, the thread's heap is left to the next thread that comes. */
export function leaveThread(machine: Machine, places: Places): void {
  const { place } = places;
  if (place === undefined) return;
  place.windows -= 1;
  if (place.windows > 0) return;
  places.place = undefined;
  engine.sharing.leave(machine, place.thread);
}
