// Tables: traces of real programs, called from JavaScript: time in four ways, and space.
//
// Owns:  their columns, means and worst rows.
// Needs: results.

import { footnote, peersOf, timeCells } from "../../harness/peer-cells.ts";
import { spaceRatios, timeRatios, wholeTraces } from "../../harness/ratios.ts";
import {
  isSkipped,
  type PeerResults,
  type PerPeer,
  type Space,
  type TraceResult,
  VARIANTS,
  type Variant,
} from "../../harness/results.ts";
import { geometricMean, largest } from "../../harness/stats.ts";
import { ratioText, type TextTable } from "../../harness/tables.ts";
import type { PeerName } from "../../peers/peer.ts";

export function traceTables(results: PeerResults): TextTable[] {
  if (results.traces.length === 0) return [];
  return [...VARIANTS.map((variant) => timeTable(results, variant)), spaceTable(results)];
}

function timeTable(results: PeerResults, variant: Variant): TextTable {
  const names = peersOf(results);
  const row = ({ input, facts, nsPerCall }: TraceResult) => [
    input.name,
    String(facts.opCount),
    ...timeCells(names, nsPerCall[variant]),
  ];
  const ratios = (peer: PeerName) => timeRatios(results, variant, peer);
  const summary = (label: string, of: (values: readonly number[]) => number) => [
    label,
    "",
    ...names.map((peer) => (peer === "morecore" ? "" : ratioText(of(ratios(peer))))),
  ];
  const rows = results.traces.map(row);
  if (wholeTraces(results).length > 0) {
    rows.push(summary("whole traces: mean", geometricMean), summary("whole traces: worst", largest));
  }
  return {
    title: `Traces, ${variant}: net ns for a call, median ±spread (minimum) morecore/peer`,
    head: ["trace", "calls", ...names],
    rows,
  };
}

function spaceTable(results: PeerResults): TextTable {
  const names = peersOf(results);
  const rows = results.traces.map(({ input, facts, space }) => [
    input.name,
    bytesText(facts.peakLiveBytes),
    (facts.floorBytes / facts.peakLiveBytes).toFixed(3),
    ...names.map((peer) => spaceCell(space, peer, facts.peakLiveBytes)),
    reservedCell(space, facts.peakLiveBytes),
  ]);
  const floors = wholeTraces(results).map(({ facts }) => facts.floorBytes / facts.peakLiveBytes);
  const summary = (label: string, of: (values: readonly number[]) => number) => [
    label,
    "",
    ratioText(of(floors)),
    ...names.map((peer) => ratioText(of(spaceRatios(results, peer)))),
    "",
  ];
  if (wholeTraces(results).length > 0) {
    rows.push(summary("whole traces: mean", geometricMean), summary("whole traces: worst", largest));
  }
  return {
    title: "Space: peak footprint over peak live bytes",
    head: ["trace", "peak live", "floor", ...names, "morecore reserved"],
    rows,
  };
}

function spaceCell(space: PerPeer<Space>, peer: PeerName, liveBytes: number): string {
  const measured = space[peer];
  if (measured === undefined) return "–";
  return isSkipped(measured) ? footnote(measured.skipped) : ratioText(measured.footprintBytes / liveBytes);
}

function reservedCell(space: PerPeer<Space>, liveBytes: number): string {
  const measured = space.morecore;
  return measured === undefined || isSkipped(measured) ? "–" : ratioText(measured.reservedBytes / liveBytes);
}

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
