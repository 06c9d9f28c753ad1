// Outcome: what a call did besides serving its caller, told from the heap's header before and after it.
//
// Owns:  nothing.
// Needs: the header's layout. Reads the bytes past the Machine, so it counts no steps.

import { type Heap } from "morecore";
import { AT_CLASSES, AT_GROWTH_COUNT, CLASS_BYTES_LOG2, CLASS_COUNT, CLASS_SLABS } from "morecore/engine";
import { counts } from "./machine.ts";
import type { Outcome } from "./outcome.ts";

export class OutcomeWatch {
  readonly #heap: Heap;
  #words: Uint32Array;
  #growths = 0;
  #refusals = counts.refusals;
  readonly #slabs = new Uint32Array(CLASS_COUNT + 1);

  constructor(heap: Heap) {
    this.#heap = heap;
    this.#words = new Uint32Array(heap.buffer);
    this.since();
  }

  /** What has been done since the last time that this was asked. O(classes). */
  since(): Outcome {
    // A memory that has grown leaves the old view empty.
    if (this.#words.length === 0) this.#words = new Uint32Array(this.#heap.buffer);
    const words = this.#words;
    const base = this.#heap.base >>> 2;
    let began = false;
    let ended = false;
    for (let sizeClass = 1; sizeClass <= CLASS_COUNT; sizeClass++) {
      const at = base + ((AT_CLASSES + (sizeClass << CLASS_BYTES_LOG2) + CLASS_SLABS) >>> 2);
      const slabs = words[at] as number; // the header lies inside the memory
      const before = this.#slabs[sizeClass] as number;
      if (slabs === before) continue;
      this.#slabs[sizeClass] = slabs;
      if (slabs > before) began = true;
      else ended = true;
    }
    const growths = words[base + (AT_GROWTH_COUNT >>> 2)] as number;
    const grew = growths !== this.#growths;
    this.#growths = growths;
    const wasRefused = counts.refusals !== this.#refusals;
    this.#refusals = counts.refusals;
    if (wasRefused) return "refused";
    if (grew) return "growth";
    if (began) return "refill";
    return ended ? "gave back" : "plain";
  }
}
