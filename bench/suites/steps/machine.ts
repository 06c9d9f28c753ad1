// Machine: kernel/machine.ts with a counter at every way to memory. tools/steps.ts builds the kernel with this in its
// place; nothing else imports it.
//
// Owns:       the counts. One set for all heaps of a bundle: there is one caller at a time.
// Needs:      kernel/machine.ts, which does the work.
// Invariants: N1  every load and store of the kernel is counted, once (test/unit/steps/machine.test.ts)
//
// Why a twin, not a Proxy over the words: that took some 600 ns for each access, a hundred times as long.

import {
  Machine as PlainMachine,
  load32 as plainLoad,
  store32 as plainStore,
  type Words,
} from "../../../packages/morecore/src/kernel/machine.ts";

// What is not replaced below: what does not touch memory.
export * from "../../../packages/morecore/src/kernel/machine.ts";

export interface Counts {
  loads: number;
  stores: number;
  /** Words zeroed or copied by one call each of Machine.zero and Machine.copy: payloads, mostly. No steps. */
  bulkWords: number;
  /** How often the Memory was asked for more and had none. */
  refusals: number;
}

export const counts: Counts = { loads: 0, stores: 0, bulkWords: 0, refusals: 0 };

export function load32(words: Words, address: number): number {
  counts.loads++;
  return plainLoad(words, address);
}

export function store32(words: Words, address: number, value: number): void {
  counts.stores++;
  plainStore(words, address, value);
}

export class Machine extends PlainMachine {
  override load32(address: number): number {
    counts.loads++;
    return super.load32(address);
  }

  override store32(address: number, value: number): void {
    counts.stores++;
    super.store32(address, value);
  }

  override copy(to: number, from: number, bytes: number): void {
    counts.bulkWords += bytes >>> 2;
    super.copy(to, from, bytes);
  }

  override zero(at: number, bytes: number): void {
    counts.bulkWords += bytes >>> 2;
    super.zero(at, bytes);
  }

  override grow(bytes: number): number {
    const from = super.grow(bytes);
    if (from === 0) counts.refusals++;
    return from;
  }
}
