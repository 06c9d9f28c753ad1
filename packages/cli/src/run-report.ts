// run-report: a program's heap at its end, for people and for machines.
//
// Owns:       the table, and the JSON, whose names are an interface: `format` says which.
// Needs:      cli-table3, inspect/units.

import { CALL_KINDS } from "@morecore/inspect";
import { formatBytes, formatCount } from "@morecore/inspect/pictures";
import {
  type CallReport,
  type ChunkSum,
  type Death,
  type HeapReport,
  type ProgramMode,
  type RunResult,
} from "@morecore/wasm";
import Table from "cli-table3";

const WASM_PAGE = 65_536;

export function tableHeapReport(heap: HeapReport): string {
  const table = new Table({
    colAligns: ["left", "right"],
    style: { head: [], border: [], compact: true },
  });
  table.push(...callRows(heap.calls), ...heapRows(heap));
  return `${table.toString()}\n`;
}

type Row = [string, string];

function callRows(calls: CallReport | undefined): Row[] {
  if (calls === undefined) return [];
  const kinds = CALL_KINDS.filter((kind) => calls.counts[kind] > 0);
  return [
    ["calls", formatCount(calls.total)],
    ...kinds.map((kind): Row => [`  ${kind}`, formatCount(calls.counts[kind])]),
    ["live bytes at the end", exact(calls.liveBytes)],
    ["peak live bytes", exact(calls.peakLiveBytes)],
  ];
}

function heapRows(heap: HeapReport): Row[] {
  return [
    ["live blocks", chunks(heap.live)],
    ["cached chunks", chunks(heap.cached)],
    ["free chunks", chunks(heap.free)],
    ["top", formatBytes(heap.topBytes)],
    ["largest free", formatBytes(heap.largestFree)],
    ["footprint", exact(heap.footprint)],
    ["peak footprint", exact(heap.maxFootprint)],
    ["memory", `${formatCount(heap.memoryPages)} wasm pages, ${formatBytes(heap.memoryPages * WASM_PAGE)}`],
    ["growths", formatCount(heap.growths)],
    ["coalescings", formatCount(heap.coalescings)],
    ["flushes", formatCount(heap.flushes)],
    ["trims", formatCount(heap.trims)],
  ];
}

/** "4.92 MB (4,920,134)" */
function exact(bytes: number): string {
  return bytes < 1000 ? formatBytes(bytes) : `${formatBytes(bytes)} (${formatCount(bytes)})`;
}

function chunks({ count, bytes }: ChunkSum): string {
  return count === 0 ? "0" : `${formatCount(count)}, ${formatBytes(bytes)}`;
}

/** One line. Bytes are bytes; null is "there is none" or "not known": of calls that nobody has watched. */
export function jsonRunReport(
  program: string,
  mode: ProgramMode,
  { exitCode, death, heap, heapFault }: RunResult,
): string {
  const report = {
    format: "morecore-run-1",
    program,
    mode,
    exitCode,
    death: death === undefined ? null : deathFields(death),
    heapFault: heapFault?.message ?? null,
    heap: heap === undefined ? null : heapFields(heap),
  };
  return `${JSON.stringify(report)}\n`;
}

function deathFields({ kind, error, frames, call, thread }: Death): Record<string, unknown> {
  const functions = frames.map(({ name, index, offset }) => ({
    name: name ?? null,
    index,
    offset: offset ?? null,
  }));
  return { kind, message: error.message, call: call ?? null, thread: thread ?? null, frames: functions };
}

function heapFields(heap: HeapReport): Record<string, unknown> {
  const { calls, live, cached, free } = heap;
  return {
    calls: calls === undefined ? null : { total: calls.total, ...calls.counts },
    liveBlocks: live.count,
    liveBytes: calls?.liveBytes ?? null,
    peakLiveBytes: calls?.peakLiveBytes ?? null,
    chunks: { live, cached, free, topBytes: heap.topBytes },
    largestFreeBytes: heap.largestFree,
    footprintBytes: heap.footprint,
    peakFootprintBytes: heap.maxFootprint,
    memoryPages: heap.memoryPages,
    growths: heap.growths,
    coalescings: heap.coalescings,
    flushes: heap.flushes,
    trims: heap.trims,
  };
}
