// Ratios: morecore over its peers, several threads over one, a shared heap over one that is not.
//
// Owns:  that least times are compared. What was not measured is NaN, or left out of a list.

import type { Variant } from "../../harness/results.ts";
import type { ThreadAllocator } from "../../programs/threads.ts";
import type { Kind, PerKind } from "../within/protocol.ts";
import type { Shape } from "./protocol.ts";
import type { OneThread, ThreadsPattern } from "./results.ts";

/** Below 1 morecore is the faster. */
export function overPeer({ nsPerBlock }: ThreadsPattern, shape: Shape, peer: ThreadAllocator): number {
  return least(nsPerBlock.merged?.[shape]) / least(nsPerBlock[peer]?.[shape]);
}

/** How many times the blocks of one thread so many take in the same time. */
export function speedUp(
  { nsPerBlock }: ThreadsPattern,
  shape: Shape,
  kind: ThreadAllocator = "merged",
): number {
  return least(nsPerBlock[kind]?.["1"]) / least(nsPerBlock[kind]?.[shape]);
}

/** What is left of the throughput that so many threads have whose memories are apart: of what the machine gives. */
export function ofApart(pattern: ThreadsPattern, shape: "2" | "4"): number {
  return speedUp(pattern, shape) / speedUp(pattern, `${shape} apart`);
}

/** Of a pattern, or of a trace played in one way. */
export function sharedOverAlone(times: PerKind<{ readonly min: number }>): number {
  return least(times.shared) / least(times.merged);
}

/** Of each whole trace. */
export function tracesSharedOverAlone({ traces }: OneThread, variant: Variant): number[] {
  return traces.flatMap(({ input, nsPerCall }) => {
    const ratio = sharedOverAlone(nsPerCall[variant]);
    return input.isShort || Number.isNaN(ratio) ? [] : ratio;
  });
}

/** Those kinds of within/ that are told of one thread. */
export const ONE_THREAD: readonly Kind[] = ["merged", "shared"];

function least(sample: { readonly min: number } | undefined): number {
  return sample?.min ?? Number.NaN;
}
