// Report: why there is no figure where there is none.
//
// Owns:  the sentences.
// Needs: results.

import { POLICIES } from "./policy.ts";
import { isSkipped, type PeerResults, type PerPeer, VARIANTS } from "./results.ts";

/**
 * Each reason once, with the peer and what it was asked for.
 *
 * @example
 *
 * ```ts
 * console.log(skippedReasons({ versions: {}, patterns: [], traces: [], scale: [] })); // []
 * ```
 */
export function skippedReasons(results: PeerResults): string[] {
  const reasons = new Set<string>();
  const collect = (label: string, cells: PerPeer<object>) => {
    for (const [peer, measured] of Object.entries(cells)) {
      if (!isSkipped(measured)) continue;
      // What is so by rule is so for all of them.
      const isPolicy = POLICIES.has(measured.skipped);
      reasons.add(isPolicy ? `${peer}: ${measured.skipped}` : `${peer}, ${label}: ${measured.skipped}`);
    }
  };
  for (const { pattern, nsPerPair } of results.patterns) collect(pattern, nsPerPair);
  for (const { live, nsPerPair } of results.scale) collect(`${live} live blocks`, nsPerPair);
  for (const { input, nsPerCall, space } of results.traces) {
    for (const variant of VARIANTS) collect(`${input.name} ${variant}`, nsPerCall[variant]);
    collect(`${input.name} space`, space);
  }
  return [...reasons];
}
