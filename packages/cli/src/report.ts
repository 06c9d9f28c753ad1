// report: what a replay found, for people and for machines.
//
// Owns:       the table, and the JSON, whose names are an interface: `format` says which.
// Needs:      cli-table3, inspect/units.

import type { ReplayResult } from "@morecore/inspect";
import { CHUNK_STATES, formatBytes, formatCount, type HeapMap } from "@morecore/inspect/pictures";
import Table from "cli-table3";

export interface Played {
  readonly file: string;
  readonly name: string;
  readonly result: ReplayResult;
  /** Of a run without verification; undefined if there was none. */
  readonly callsPerSecond: number | undefined;
}

/** A file that could not be read or drawn. */
export interface Failure {
  readonly file: string;
  readonly message: string;
  readonly offset?: number;
  readonly layer?: "trace" | "file";
}

const COLUMNS = [
  "trace",
  "calls",
  "calls/s",
  "peak\nlive",
  "peak\nfootprint",
  "footprint\n/ live",
  "chunks",
  "coalescings",
  "growths",
  "errors",
];

const NONE = "–";

export function tableReport(played: readonly Played[]): string {
  const table = new Table({
    head: COLUMNS,
    colAligns: COLUMNS.map((_, column) => (column === 0 ? "left" : "right")),
    style: { head: process.stdout.isTTY ? ["bold"] : [], border: [], compact: true },
  });
  for (const { name, result, callsPerSecond } of played) {
    const ratio = footprintOverLive(result);
    table.push([
      name,
      formatCount(result.calls),
      callsPerSecond === undefined ? NONE : formatRate(callsPerSecond),
      formatBytes(result.peakLiveBytes),
      formatBytes(result.peakFootprint),
      ratio === null ? NONE : ratio.toFixed(3),
      result.peakMap === undefined ? NONE : formatCount(result.peakMap.sizes.length),
      formatCount(result.coalesceCount),
      formatCount(result.growthCount),
      formatCount(result.errorCount),
    ]);
  }
  return `${table.toString()}\n`;
}

/** Bytes are bytes, rates per second; null is "not known". */
export function jsonReport(played: readonly Played[], failures: readonly Failure[]): string {
  const traces = played.map(({ file, name, result, callsPerSecond }) => ({
    file,
    name,
    calls: result.calls,
    callsPerSecond: callsPerSecond ?? null,
    verifySeconds: result.seconds,
    peakLiveBytes: result.peakLiveBytes,
    peakCall: result.peakCall,
    peakFootprintBytes: result.peakFootprint,
    footprintOverLive: footprintOverLive(result),
    chunksAtPeak: result.peakMap === undefined ? null : chunkCounts(result.peakMap),
    coalescings: result.coalesceCount,
    growths: result.growthCount,
    errorCount: result.errorCount,
    errors: result.errors,
    stopped: result.stopped,
  }));
  return `${JSON.stringify({ format: "morecore-replay-1", traces, failures }, null, 2)}\n`;
}

function chunkCounts(map: HeapMap): Record<string, { count: number; bytes: number }> {
  return Object.fromEntries(
    CHUNK_STATES.map((state) => [state, { count: map.counts[state], bytes: map.bytes[state] }]),
  );
}

function footprintOverLive(result: ReplayResult): number | null {
  return result.peakLiveBytes === 0 ? null : result.peakFootprint / result.peakLiveBytes;
}

/** "12.3 M" */
function formatRate(perSecond: number): string {
  return perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(1)} M` : `${(perSecond / 1e3).toFixed(0)} K`;
}
