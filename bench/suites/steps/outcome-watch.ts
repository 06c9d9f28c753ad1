// Outcome: what a call did besides serving its caller, told by the heap before and after it.
//
// Needs: the engine. What it looks at is counted as steps, too: ask between two calls.

import { type Heap } from "morecore";
import { asBase, engine } from "morecore/engine";
import { counts } from "./machine.ts";
import type { Outcome } from "./outcome.ts";

export class OutcomeWatch {
  readonly #heap: Heap;
  #words: Uint32Array;
  #growths = 0;
  #refusals = counts.refusals;
  readonly #slabs = new Uint32Array(engine.classCount + 1);

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
    const base = asBase(this.#heap.base);
    let began = false;
    let ended = false;
    for (let sizeClass = 1; sizeClass <= engine.classCount; sizeClass++) {
      const slabs = engine.slabsOf(words, base, sizeClass);
      const before = this.#slabs[sizeClass] as number;
      if (slabs === before) continue;
      this.#slabs[sizeClass] = slabs;
      if (slabs > before) began = true;
      else ended = true;
    }
    const growths = engine.growthsOf(words, base);
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
