// Peer cells: a column for each peer.
//
// Owns:  which peers have a column, and what a cell of time says: "median ±spread (minimum) ratio", the ratio being
//        morecore's median over the peer's.
// Needs: results.

import { PEER_NAMES, type PeerName } from "../peers/peer.ts";
import { timeRatio } from "./ratios.ts";
import { isSkipped, type PeerResults, type PerPeer } from "./results.ts";
import type { Sample } from "./stats.ts";
import { ratioText, sampleText } from "./tables.ts";

export function timeCells(names: readonly PeerName[], times: PerPeer<Sample>): string[] {
  return names.map((peer) => {
    const measured = times[peer];
    if (measured === undefined) return "–";
    if (isSkipped(measured)) return footnote(measured.skipped);
    const own = sampleText(measured, 1);
    const ratio = timeRatio(times, peer);
    return peer === "morecore" || ratio === undefined ? own : `${own} ${ratioText(ratio)}`;
  });
}

/** In the order of the columns; only those that took part. */
export function peersOf(results: PeerResults): PeerName[] {
  return PEER_NAMES.filter((peer) => results.versions[peer] !== undefined);
}

/** In place of a figure: time was what it took, or a dash. */
export function footnote(reason: string): string {
  return reason.startsWith("too slow") ? reason : "–";
}
