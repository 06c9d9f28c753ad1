// Tables: native results as text.
//
// Owns:  number formats, and the tables' order.
// Needs: results.
// Note:  a cell of a peer reads "median ±spread (minimum) ratio", the ratio being morecore's median over the peer's.

import { geometricMean, scale } from "../../harness/stats.ts";
import { ratioText, sampleText, type TextTable } from "../../harness/tables.ts";
import { localityTables } from "./locality.ts";
import type { NativeResult } from "./measure.ts";
import type { NativePeer } from "./peers.ts";
import { type Column, MS, NS, PEAK, ratiosOf, WALL } from "./ratios.ts";
import type { NativeResults } from "./results.ts";
import { besideOverAlone, IDLE_LOOPS } from "./threads.ts";

export function nativeTables({
  peers,
  programs,
  traces,
  locality,
  threads = [],
}: NativeResults): TextTable[] {
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
  return [...tables, ...localityTables(peers, locality), ...threadsTables(peers, threads)];
}

function threadsTables(peers: readonly NativePeer[], threads: readonly NativeResult[]): TextTable[] {
  if (threads.length === 0) return [];
  const beside = IDLE_LOOPS.map((loop) => [
    loop,
    ...peers.map((peer) => ratioText(besideOverAlone(threads, loop, peer))),
  ]);
  return [
    tableOf("Patterns with threads", peers, threads, WALL),
    tableOf("Patterns with threads", peers, threads, PEAK),
    {
      title: "One thread beside one that only waits: its time over the same alone",
      head: ["", ...peers],
      rows: beside,
    },
  ];
}

function tableOf(
  title: string,
  peers: readonly NativePeer[],
  results: readonly NativeResult[],
  column: Column,
): TextTable {
  const isMixed = results.some(({ single }) => single) && results.some(({ single }) => !single);
  const rows = results.map((result) => [
    isMixed && !result.single ? `${result.name} *` : result.name,
    ...peers.map((peer) => cellOf(result, peer, column)),
  ]);
  const means = peers.map((peer) => {
    const ratios = peer === "morecore" ? [] : ratiosOf(results, peer, column);
    return ratios.length === 0 ? "" : geometricMean(ratios).toFixed(3);
  });
  const stars = isMixed ? "; * has threads" : "";
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
