// Limits: what a trace may ask for, so that playing it has a bound, too: five bytes of a file can ask for two gigabytes.
//
// Owns:  the two bounds, and what is said of a trace that passes them.
// Needs: format. The figures of a decoded trace, which its records have confirmed.
//
// Recorded programs ask for up to 5 KB with a call, on average, and have at most some hundred megabytes at once.

import type { Trace } from "./format.ts";

/** Bytes that a trace may have live at once: what a player writes to at most. */
export const MOST_LIVE_BYTES = 2 ** 30;
/** Bytes that it may ask for with each call, on average … */
export const MOST_BYTES_A_CALL = 2 ** 16;
/** … and in all, however few its calls are. */
export const ALWAYS_TOTAL_BYTES = 2 ** 36;

/**
 * A sound trace, of a program larger than what is played unasked. The message has the figure and the bound.
 *
 * @example
 *
 * ```ts no-run
 * try {
 *   openTrace("stranger.mct.gz");
 * } catch (error) {
 *   if (error instanceof TraceLimitError) console.log(error.message);
 * }
 * ```
 */
export class TraceLimitError extends Error {
  override readonly name = "TraceLimitError";
}

/**
 * Throws a TraceLimitError for a trace that asks for more than the bounds. O(1).
 *
 * @example
 *
 * ```ts
 * const trace = decodeTrace(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 10 }]));
 * checkLimits(trace); // nothing: it asks for little
 * ```
 */
export function checkLimits(trace: Trace): void {
  const { opCount, peakLiveBytes, totalAllocatedBytes } = trace;
  if (peakLiveBytes > MOST_LIVE_BYTES)
    throw new TraceLimitError(
      `has ${peakLiveBytes} bytes live at once: expected at most ${MOST_LIVE_BYTES}; --unlimited plays it`,
    );
  const most = Math.max(ALWAYS_TOTAL_BYTES, MOST_BYTES_A_CALL * opCount);
  if (totalAllocatedBytes > most)
    throw new TraceLimitError(
      `asks for ${totalAllocatedBytes} bytes in all: expected at most ${most}, for ${opCount} calls; --unlimited plays it`,
    );
}
