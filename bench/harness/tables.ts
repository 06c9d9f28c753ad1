// Tables: the results as text, for a terminal and for RESULTS.md.
//
// Owns:  columns and number formats.
// Needs: results; cli-table3 for the terminal.
// Note:  a cell of a peer reads "median ±spread (minimum) ratio", the ratio being morecore's median over the peer's.

import Table from "cli-table3";
import { PEER_NAMES, type PeerName } from "../peers/peer.ts";
import { spaceRatios, timeRatio, wholeTraces } from "./ratios.ts";
import {
  isSkipped,
  type PeerResults,
  type PerPeer,
  type Space,
  type TraceResult,
  VARIANTS,
  type Variant,
} from "./results.ts";
import { geometricMean, largest, type Sample, spread } from "./stats.ts";

export interface TextTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One for each thing that was measured. */
export function peerTables(results: PeerResults): TextTable[] {
  const tables: TextTable[] = [];
  if (results.patterns.length > 0) tables.push(patternTable(results));
  if (results.scale.length > 0) tables.push(scaleTable(results));
  if (results.traces.length > 0) {
    for (const variant of VARIANTS) tables.push(timeTable(results, variant));
    tables.push(spaceTable(results));
  }
  return tables;
}

export function toTerminal({ title, head, rows }: TextTable): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push([...row]);
  return `\n${title}\n${table.toString()}\n`;
}

export function toMarkdown({ title, head, rows }: TextTable): string {
  // Heads are broken into lines for the terminal's sake; a bar would begin another cell.
  const cell = (text: string) => text.replaceAll("\n", " ").replaceAll("|", "\\|");
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const rule = line(head.map((_, index) => (index === 0 ? "---" : "--:")));
  return [`## ${title}`, "", line(head), rule, ...rows.map(line), ""].join("\n");
}

/** "12.3 ±2% (12.1)": the median, its spread where there is one, and the minimum. */
export function sampleText(sample: Sample, digits: number): string {
  const part = spread(sample);
  const around = part === undefined ? "" : ` ±${Math.round(part * 100)}%`;
  return `${sample.median.toFixed(digits)}${around} (${sample.min.toFixed(digits)})`;
}

function patternTable(results: PeerResults): TextTable {
  const names = peersOf(results);
  const rows = results.patterns.map(({ pattern, nsPerPair }) => [pattern, ...timeCells(names, nsPerPair)]);
  return {
    title: "Patterns: net ns for a malloc and a free, median ±spread (minimum) morecore/peer",
    head: ["pattern", ...names],
    rows,
  };
}

function scaleTable(results: PeerResults): TextTable {
  const names = peersOf(results);
  const rows = results.scale.map(({ live, nsPerPair }) => [String(live), ...timeCells(names, nsPerPair)]);
  return {
    title:
      "Scale: net ns to replace one of so many live blocks, 16 to 144 bytes, median ±spread (minimum) morecore/peer",
    head: ["live", ...names],
    rows,
  };
}

function timeTable(results: PeerResults, variant: Variant): TextTable {
  const names = peersOf(results);
  const row = ({ input, facts, nsPerCall }: TraceResult) => [
    input.name,
    String(facts.opCount),
    ...timeCells(names, nsPerCall[variant]),
  ];
  const ratios = (peer: PeerName) =>
    wholeTraces(results).flatMap(({ nsPerCall }) => timeRatio(nsPerCall[variant], peer) ?? []);
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

function timeCells(names: readonly PeerName[], times: PerPeer<Sample>): string[] {
  return names.map((peer) => {
    const measured = times[peer];
    if (measured === undefined) return "–";
    if (isSkipped(measured)) return footnote(measured.skipped);
    const own = sampleText(measured, 1);
    const ratio = timeRatio(times, peer);
    return peer === "morecore" || ratio === undefined ? own : `${own} ${ratioText(ratio)}`;
  });
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

/** In the order of the columns; only those that took part. */
function peersOf(results: PeerResults): PeerName[] {
  return PEER_NAMES.filter((peer) => results.versions[peer] !== undefined);
}

function footnote(reason: string): string {
  return reason.startsWith("too slow") ? reason : "–";
}

function ratioText(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : "–";
}

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
