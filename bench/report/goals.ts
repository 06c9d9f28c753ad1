// Goals: the figures of the goals T1, T2, T5 and S1, each with what was aimed at; programs/tables.ts has T3 and T4,
// anomalies.ts A1, sizes.ts S2.
//
// Owns:  what was aimed at.
// Needs: the results of a run.

import { referencePeer, spaceRatios, timeRatio, wholeTraces } from "../harness/ratios.ts";
import { figure, type PatternResult, VARIANTS } from "../harness/results.ts";
import { geometricMean, largest } from "../harness/stats.ts";
import type { PeerName } from "../peers/peer.ts";
import { anomalyGoals } from "../suites/patterns/anomalies.ts";
import { programGoals } from "../suites/programs/tables.ts";
import type { GoalFigure } from "./goal-figure.ts";
import type { Results } from "./results.ts";
import { sizeGoals } from "./sizes.ts";

const WASM_PEERS: readonly PeerName[] = ["dlmalloc", "mimalloc", "tlsf"];
const PATTERN_AIMS = { pair: 0.35, churn: 0.3, fifo: 0.5 } as const;
const COLD_AIM = 0.7;
const WARM_AIM = 0.6;
const WORST_AIM = 0.95;
const SPACE_AIM = 1.07;
const SCALE_AIM = 4;

export function goalFigures(results: Results): GoalFigure[] {
  const hasReference = referencePeer(results) === "dlmalloc";
  const overPeers = [
    ...results.patterns.map(patternFigure),
    ...timeFigures(results),
    overPeerFigure(results),
  ];
  const known = overPeers.map((found) => (hasReference ? found : { ...found, aim: undefined }));
  const ofAnomalies = results.anomalies === undefined ? [] : anomalyGoals(results.anomalies);
  const ofSizes = results.sizes === undefined ? [] : sizeGoals(results.sizes);
  const all = [
    ...known,
    ...programGoals(results.wasm),
    scaleFigure(results),
    ...spaceFigures(results),
    ...ofAnomalies,
    ...ofSizes,
  ];
  return all.filter(({ measured }) => Number.isFinite(measured));
}

function patternFigure({ pattern, nsPerPair }: PatternResult): GoalFigure {
  const ratioOf = (peer: PeerName) => timeRatio(nsPerPair, peer) ?? 0;
  const fastest = WASM_PEERS.reduce((best, peer) => (ratioOf(peer) > ratioOf(best) ? peer : best));
  return {
    goal: "T1",
    figure: `${pattern}, over the fastest wasm peer: ${fastest}`,
    measured: timeRatio(nsPerPair, fastest) ?? Number.NaN,
    aim: PATTERN_AIMS[pattern],
  };
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

function scaleFigure({ scale }: Results): GoalFigure {
  const times = scale.flatMap(({ nsPerPair }) => figure(nsPerPair.morecore)?.median ?? []);
  const ratios = times.map((time) => time / (times[0] ?? Number.NaN));
  const name = `${scale[0]?.live} to ${scale.at(-1)?.live} live blocks: slowest over the first`;
  return { goal: "T5", figure: name, measured: largest(ratios), aim: SCALE_AIM };
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
