// Ratios: morecore's figures over those of its peers.
//
// Owns:  which traces enter a mean (whole ones; short ones would count twice), and which peer a figure is over.
// Needs: the results of a run.

import type { PeerName } from "../peers/peer.ts";
import { figure, type PeerResults, type PerPeer, type Variant } from "./results.ts";
import { largest, type Sample } from "./stats.ts";

/** morecore over the peer; below 1 morecore is the faster. */
export function timeRatio(times: PerPeer<Sample>, peer: PeerName): number | undefined {
  const own = figure(times.morecore);
  const other = figure(times[peer]);
  return own === undefined || other === undefined ? undefined : own.median / other.median;
}

export function wholeTraces(results: PeerResults): PeerResults["traces"] {
  return results.traces.filter(({ input }) => !input.isShort);
}

/** Of each whole trace that both have played this way. */
export function timeRatios(results: PeerResults, variant: Variant, peer: PeerName): number[] {
  return wholeTraces(results).flatMap(({ nsPerCall }) => timeRatio(nsPerCall[variant], peer) ?? []);
}

/** morecore's footprint over the peer's, of each whole trace that both have played. */
export function footprintRatios(results: PeerResults, peer: PeerName): number[] {
  return wholeTraces(results).flatMap(({ space }) => {
    const [own, other] = [figure(space.morecore), figure(space[peer])];
    return own === undefined || other === undefined ? [] : own.footprintBytes / other.footprintBytes;
  });
}

/** morecore's slowest of the live sets over its first. */
export function scaleRatio({ scale }: PeerResults): number {
  const times = scale.flatMap(({ nsPerPair }) => figure(nsPerPair.morecore)?.median ?? []);
  return largest(times) / (times[0] ?? Number.NaN);
}

/** Peak footprint over peak live bytes, of each whole trace that the peer has played. */
export function spaceRatios(results: PeerResults, peer: PeerName): number[] {
  return wholeTraces(results).flatMap(({ facts, space }) => {
    const measured = figure(space[peer]);
    return measured === undefined ? [] : measured.footprintBytes / facts.peakLiveBytes;
  });
}
