// Bounded machine: the kernel's Machine with a number of steps that a call may take. A loop without an end is then an error,
// in the same place in each slab, and no test waits for a clock.
//
// vi.mock puts what boundedMachine makes in the place of kernel/machine.ts (test/fuzz/images.test.ts).

import type * as plain from "../../packages/morecore/src/kernel/machine.ts";

/** A call took more loads and stores than it may. */
export class TooManySteps extends Error {
  override readonly name = "TooManySteps";
}

const steps = { left: Number.POSITIVE_INFINITY };

/** So many loads and stores, words copied and zeroed among them, may follow. */
export function allowSteps(count: number): void {
  steps.left = count;
}

function step(count = 1): void {
  steps.left -= count;
  if (steps.left < 0)
    throw new TooManySteps("expected a call that ends, got more steps than its heap allows");
}

export async function boundedMachine(original: () => Promise<typeof plain>): Promise<typeof plain> {
  const machine = await original();
  class Machine extends machine.Machine {
    override load32(address: number): number {
      step();
      return super.load32(address);
    }

    override store32(address: number, value: number): void {
      step();
      super.store32(address, value);
    }

    override copy(to: number, from: number, bytes: number): void {
      step(Math.min(bytes, this.u8.length) >>> 2);
      super.copy(to, from, bytes);
    }

    override zero(at: number, bytes: number): void {
      step(Math.min(bytes, this.u8.length) >>> 2);
      super.zero(at, bytes);
    }
  }
  return {
    ...machine,
    Machine,
    load32(words, address) {
      step();
      return machine.load32(words, address);
    },
    store32(words, address, value) {
      step();
      machine.store32(words, address, value);
    },
  };
}
