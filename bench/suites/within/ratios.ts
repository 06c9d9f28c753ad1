// Ratios: merged over a peer, of patterns and traces whose caller is in WebAssembly.
//
// Owns:  which traces count (whole ones), and that least times are compared.
// Needs: results. What was not measured is NaN, or left out of a list.

import type { Variant } from "../../harness/results.ts";
import type { Kind } from "./protocol.ts";
import type { WithinPattern, WithinResults } from "./results.ts";

/** Of each whole trace that both have played. */
export function ratiosWithin(
  { traces }: Pick<WithinResults, "traces">,
  variant: Variant,
  peer: Kind,
): number[] {
  return traces.flatMap(({ input, nsPerCall }) => {
    const [own, other] = [nsPerCall[variant].merged, nsPerCall[variant][peer]];
    return input.isShort || own === undefined || other === undefined ? [] : own.min / other.min;
  });
}

/** The calls, which merged has as well unless they are inlined, not counted. */
export function patternRatio({ nsPerPair }: WithinPattern, peer: Kind): number {
  return (nsPerPair.merged?.min ?? Number.NaN) / (nsPerPair[peer]?.min ?? Number.NaN);
}

/** What the two calls of a pattern take when they do nothing. NaN: a saved run of when that was not known. */
export function callsOf({ nsPerPair }: WithinPattern): number {
  return (nsPerPair.nothing?.min ?? Number.NaN) - (nsPerPair.loop?.min ?? Number.NaN);
}

/** As a caller in wasm finds them: the calls are part of both. */
export function patternRatioWithCalls(pattern: WithinPattern, peer: Kind): number {
  const { merged, [peer]: other } = pattern.nsPerPair;
  const calls = callsOf(pattern);
  return ((merged?.min ?? Number.NaN) + calls) / ((other?.min ?? Number.NaN) + calls);
}
