// Tables: native results as text.
//
// Owns:  columns, number formats, what is a ratio.
// Needs: results.
// Note:  a cell of a peer reads "median ±spread (minimum) ratio", the ratio being morecore's median over the peer's.

import { geometricMean, type Sample, scale } from "../../harness/stats.ts";
import { sampleText, type TextTable } from "../../harness/tables.ts";
import { localityTables } from "./locality.ts";
import type { NativeResult, Taken } from "./measure.ts";
import type { NativePeer } from "./peers.ts";
import type { NativeResults } from "./results.ts";

export interface Column {
  readonly what: string;
  readonly of: (taken: Taken) => Sample;
  readonly digits: number;
  readonly unit: number;
}

export const MS: Column = { what: "processor time, ms", of: ({ time }) => time, digits: 0, unit: 1 };
export const NS: Column = { what: "ns for a call", of: ({ time }) => time, digits: 1, unit: 1 };
export const PEAK: Column = {
  what: "peak resident, MB",
  of: ({ peakBytes }) => peakBytes,
  digits: 2,
  unit: 1e6,
};

export function nativeTables({ peers, programs, traces, locality }: NativeResults): TextTable[] {
  const tables: TextTable[] = [];
  if (programs.length > 0)
    tables.push(
      tableOf("Native programs", peers, programs, MS),
      tableOf("Native programs", peers, programs, PEAK),
    );
  if (traces.length > 0)
    tables.push(
      tableOf("Traces played natively", peers, traces, NS),
      tableOf("Traces played natively", peers, traces, PEAK),
    );
  return [...tables, ...localityTables(peers, locality)];
}

function tableOf(
  title: string,
  peers: readonly NativePeer[],
  results: readonly NativeResult[],
  column: Column,
): TextTable {
  const rows = results.map((result) => [
    result.single ? result.name : `${result.name} *`,
    ...peers.map((peer) => cellOf(result, peer, column)),
  ]);
  const means = peers.map((peer) => {
    const ratios = peer === "morecore" ? [] : ratiosOf(results, peer, column);
    return ratios.length === 0 ? "" : geometricMean(ratios).toFixed(3);
  });
  const stars = results.some(({ single }) => !single) ? "; * has threads" : "";
  return {
    title: `${title}: ${column.what}, median ±spread (minimum), morecore's over the peer's${stars}`,
    head: ["", ...peers],
    rows: [...rows, ["geometric mean", ...means]],
  };
}

function cellOf({ taken }: NativeResult, peer: NativePeer, { of, digits, unit }: Column): string {
  const own = taken[peer];
  if (own === undefined) return "";
  const text = sampleText(scale(of(own), 1 / unit), digits);
  if (peer === "morecore" || taken.morecore === undefined) return text;
  return `${text} ${(of(taken.morecore).median / of(own).median).toFixed(3)}`;
}

/** Of those that both have run. */
export function ratiosOf(results: readonly NativeResult[], peer: NativePeer, { of }: Column): number[] {
  return results.flatMap(({ taken }) => {
    const [own, others] = [taken.morecore, taken[peer]];
    return own === undefined || others === undefined ? [] : [of(own).median / of(others).median];
  });
}
