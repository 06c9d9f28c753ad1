// Goals: the figures of the goals T1, T2 and S1, each with what was aimed at; programs/tables.ts has T3 and T4.
//
// Owns:  which peer a figure is over, and which traces enter a mean (whole ones; short ones would count twice).
// Needs: the results of a run.

import type { PeerName } from "./peers/peer.ts";
import { programGoals } from "./programs/tables.ts";
import { figure, type PatternResult, type PerPeer, type Results, VARIANTS } from "./results.ts";
import { geometricMean, largest, type Sample } from "./stats.ts";

export interface GoalFigure {
  readonly goal: string;
  readonly figure: string;
  readonly measured: number;
  /** Undefined: none was set, or the peer that it was set over is missing. */
  readonly aim: number | undefined;
}

const WASM_PEERS: readonly PeerName[] = ["dlmalloc", "tlsf"];
const PATTERN_AIMS = { pair: 0.35, churn: 0.3, fifo: 0.5 } as const;
const COLD_AIM = 0.7;
const WARM_AIM = 0.6;
const WORST_AIM = 0.95;
const SPACE_AIM = 1.07;

export function goalFigures(results: Results): GoalFigure[] {
  const hasReference = referencePeer(results) === "dlmalloc";
  const overPeers = [
    ...results.patterns.map(patternFigure),
    ...timeFigures(results),
    overPeerFigure(results),
  ];
  const known = overPeers.map((found) => (hasReference ? found : { ...found, aim: undefined }));
  const all = [...known, ...programGoals(results.wasm), ...spaceFigures(results)];
  return all.filter(({ measured }) => Number.isFinite(measured));
}

/** morecore over the peer; below 1 morecore is the faster. */
export function timeRatio(times: PerPeer<Sample>, peer: PeerName): number | undefined {
  const own = figure(times.morecore);
  const other = figure(times[peer]);
  return own === undefined || other === undefined ? undefined : own.median / other.median;
}

/** The one that goals are stated over, or the next best when it could not be built. */
export function referencePeer(results: Results): PeerName {
  return "dlmalloc" in results.versions ? "dlmalloc" : "tlsf";
}

export function wholeTraces(results: Results): Results["traces"] {
  return results.traces.filter(({ input }) => !input.isShort);
}

/** Peak footprint over peak live bytes, of each whole trace that the peer has played. */
export function spaceRatios(results: Results, peer: PeerName): number[] {
  return wholeTraces(results).flatMap(({ facts, space }) => {
    const measured = figure(space[peer]);
    return measured === undefined ? [] : measured.footprintBytes / facts.peakLiveBytes;
  });
}

function patternFigure({ pattern, nsPerPair }: PatternResult): GoalFigure {
  const ratios = WASM_PEERS.flatMap((peer) => timeRatio(nsPerPair, peer) ?? []);
  const aim = PATTERN_AIMS[pattern];
  return { goal: "T1", figure: `${pattern}, over the fastest wasm peer`, measured: largest(ratios), aim };
}

function timeFigures(results: Results): GoalFigure[] {
  const peer = referencePeer(results);
  return VARIANTS.flatMap((variant) => {
    const ratios = wholeTraces(results).flatMap(({ nsPerCall }) => timeRatio(nsPerCall[variant], peer) ?? []);
    const name = `${ratios.length} traces, ${variant}, over ${peer}`;
    const aim = variant.startsWith("cold") ? COLD_AIM : WARM_AIM;
    return [
      { goal: "T2", figure: `${name}: geometric mean`, measured: geometricMean(ratios), aim },
      { goal: "T2", figure: `${name}: worst`, measured: largest(ratios), aim: WORST_AIM },
    ];
  });
}

function spaceFigures(results: Results): GoalFigure[] {
  const ratios = spaceRatios(results, "morecore");
  const name = `${ratios.length} traces, peak footprint over peak live`;
  return [
    { goal: "S1", figure: `${name}: geometric mean`, measured: geometricMean(ratios), aim: SPACE_AIM },
    { goal: "S1", figure: `${name}: worst`, measured: largest(ratios), aim: undefined },
  ];
}

function overPeerFigure(results: Results): GoalFigure {
  const peer = referencePeer(results);
  const ratios = wholeTraces(results).flatMap(({ space }) => {
    const own = figure(space.morecore);
    const other = figure(space[peer]);
    return own === undefined || other === undefined ? [] : own.footprintBytes / other.footprintBytes;
  });
  return { goal: "S1", figure: `footprint over ${peer}'s: worst trace`, measured: largest(ratios), aim: 1 };
}
