// Loop: one play of a pattern of programs/c/patterns.c, slice by slice, each with its time.
//
// Owns:  how long a play is, and that it is warmed up.
// Needs: an instance of its own. Then a slice does the same in each play, and with each allocator.

import { drawnForChurn } from "../../harness/patterns.ts";
import type { Instance } from "./instance.ts";
import type { PatternName, Slices } from "./protocol.ts";

/** A multiple of each pattern's period. */
const SLICE_PAIRS = 6144;
const WARM_UP_SLICES = 4;
const SLICES = 16;
export const PLAY_PAIRS = SLICES * SLICE_PAIRS;
/** Which have a function to fill what they replace, called once. */
const FILLED: readonly PatternName[] = ["churn", "fifo"];

/** Milliseconds of each slice. */
export function playPattern(instance: Instance, name: PatternName): Slices {
  const { slots, sizes } = DRAWN;
  instance.write(instance.call("drawn_slots"), slots);
  instance.write(instance.call("drawn_sizes"), sizes);
  const function_ = name.replace("-", "_");
  if (FILLED.includes(name)) instance.call(`${function_}_fill`);
  const loop = instance.function(function_);
  const times = Array.from({ length: WARM_UP_SLICES + SLICES }, () => {
    const start = performance.now();
    loop(SLICE_PAIRS);
    return performance.now() - start;
  });
  return times.slice(WARM_UP_SLICES);
}

const DRAWN = drawnForChurn();
