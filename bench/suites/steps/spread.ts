// Spread: how many steps calls took: mean, percentiles, and the worst one.
//
// Owns:  the counts of calls by steps.
// Needs: nothing.

import type { Outcome } from "./outcome.ts";

/** One call, and where it stands. */
export interface CountedCall {
  /** From 0: the trace's record, or the call of a sequence. */
  readonly call: number;
  readonly kind: string;
  /** Asked for; of a free, what the block was asked for. */
  readonly bytes: number;
  readonly steps: number;
  readonly work: Outcome;
}

export interface Spread {
  readonly calls: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** The first call that took `max` steps; undefined: there was none at all. */
  readonly worst: CountedCall | undefined;
}

export class SpreadCounter {
  readonly #callsBySteps = new Map<number, number>();
  #calls = 0;
  #steps = 0;
  #worst: CountedCall | undefined;

  add(call: number, kind: string, bytes: number, steps: number, work: Outcome): void {
    this.#calls++;
    this.#steps += steps;
    this.#callsBySteps.set(steps, (this.#callsBySteps.get(steps) ?? 0) + 1);
    if (this.#worst === undefined || steps > this.#worst.steps)
      this.#worst = { call, kind, bytes, steps, work };
  }

  spread(): Spread {
    const ascending = [...this.#callsBySteps].sort(([a], [b]) => a - b);
    const percentile = (fraction: number): number => {
      let seen = 0;
      for (const [steps, calls] of ascending) {
        seen += calls;
        if (seen >= fraction * this.#calls) return steps;
      }
      return 0;
    };
    return {
      calls: this.#calls,
      mean: this.#calls === 0 ? 0 : this.#steps / this.#calls,
      p50: percentile(0.5),
      p99: percentile(0.99),
      p999: percentile(0.999),
      max: this.#worst?.steps ?? 0,
      worst: this.#worst,
    };
  }
}
