// Ratios: morecore's figures over those of its peers.
//
// Owns:  which traces enter a mean (whole ones; short ones would count twice), and which peer a figure is over.
// Needs: the results of a run.

import type { PeerName } from "../peers/peer.ts";
import { figure, type PeerResults, type PerPeer } from "./results.ts";
import type { Sample } from "./stats.ts";

/** morecore over the peer; below 1 morecore is the faster. */
export function timeRatio(times: PerPeer<Sample>, peer: PeerName): number | undefined {
  const own = figure(times.morecore);
  const other = figure(times[peer]);
  return own === undefined || other === undefined ? undefined : own.median / other.median;
}

/** The one that goals are stated over, or the next best when it could not be built. */
export function referencePeer(results: PeerResults): PeerName {
  return "dlmalloc" in results.versions ? "dlmalloc" : "tlsf";
}

export function wholeTraces(results: PeerResults): PeerResults["traces"] {
  return results.traces.filter(({ input }) => !input.isShort);
}

/** Peak footprint over peak live bytes, of each whole trace that the peer has played. */
export function spaceRatios(results: PeerResults, peer: PeerName): number[] {
  return wholeTraces(results).flatMap(({ facts, space }) => {
    const measured = figure(space[peer]);
    return measured === undefined ? [] : measured.footprintBytes / facts.peakLiveBytes;
  });
}
