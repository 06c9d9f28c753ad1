// Player: a trace played by programs/c/replay.c, slice by slice, each with its time.
//
// Owns:  the packed records, and what surrounds the timed calls.
// Needs: an instance of its own.

import type { Trace } from "@morecore/inspect";
import type { Instance } from "./instance.ts";
import type { Slices } from "./protocol.ts";

const PLAYS = { untouched: "play", touched: "play_touched", checked: "play_checked" } as const;
export type Play = keyof typeof PLAYS;

export interface PackedTrace {
  readonly opCount: number;
  readonly slotCount: number;
  /** Two words for each record, as replay.c has them. */
  readonly records: Uint32Array;
}

export function packed({ opCount, slotCount, kinds, slots, sizes, alignments }: Trace): PackedTrace {
  const records = new Uint32Array(2 * opCount);
  for (let i = 0; i < opCount; i++) {
    const exponent = 31 - Math.clz32((alignments[i] ?? 0) | 1);
    records[2 * i] = (kinds[i] ?? 0) | (exponent << 3) | ((slots[i] ?? 0) << 8);
    records[2 * i + 1] = sizes[i] ?? 0;
  }
  return { opCount, slotCount, records };
}

export class Player {
  readonly #instance: Instance;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** Milliseconds of each slice. What is live at the end is freed afterwards, without the clock. */
  play({ records, slotCount }: PackedTrace, how: Play): Slices {
    const most = this.#instance.call("most_slots");
    if (slotCount > most) throw new Error(`more than ${most} blocks are live at once`);
    const play = this.#instance.function(PLAYS[how]);
    const at = this.#instance.call("records");
    const sliceWords = 2 * this.#instance.call("most_records");
    const times: number[] = [];
    for (let begin = 0; begin < records.length; begin += sliceWords) {
      const slice = records.subarray(begin, begin + sliceWords);
      this.#instance.write(at, slice);
      const start = performance.now();
      const played = play(slice.length / 2);
      times.push(performance.now() - start);
      if (played < slice.length / 2) throw new Error(`returned 0 at record ${begin / 2 + played}`);
    }
    this.#instance.call("release", slotCount);
    return times;
  }

  /** Of what the checked play before has read of its blocks: the same with every sound allocator. */
  checksum(): number {
    return this.#instance.call("checksum");
  }
}
