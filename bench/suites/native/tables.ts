// Tables: native results as text, and the goals.
//
// Owns:  columns, number formats, and which figures are goals.
// Needs: results.
// Note:  a cell of a peer reads "median ±spread (minimum) ratio", the ratio being morecore's median over the peer's.

import { geometricMean, largest, type Sample, scale } from "../../harness/stats.ts";
import { sampleText, type TextTable } from "../../harness/tables.ts";
import { type LocalityResult, localityOver, localityTables } from "./locality.ts";
import type { NativeResult, Taken } from "./measure.ts";
import type { NativePeer } from "./peers.ts";

export interface NativeResults {
  readonly peers: readonly NativePeer[];
  readonly rounds: number;
  readonly programs: readonly NativeResult[];
  readonly traces: readonly NativeResult[];
  readonly locality: readonly LocalityResult[];
  readonly remarks: readonly string[];
  readonly command: string;
  readonly seconds: number;
}

interface Column {
  readonly what: string;
  readonly of: (taken: Taken) => Sample;
  readonly digits: number;
  readonly unit: number;
}

const MS: Column = { what: "processor time, ms", of: ({ time }) => time, digits: 0, unit: 1 };
const NS: Column = { what: "ns for a call", of: ({ time }) => time, digits: 1, unit: 1 };
const PEAK: Column = { what: "peak resident, MB", of: ({ peakBytes }) => peakBytes, digits: 2, unit: 1e6 };

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

function ratiosOf(results: readonly NativeResult[], peer: NativePeer, { of }: Column): number[] {
  return results.flatMap(({ taken }) => {
    const [own, others] = [taken.morecore, taken[peer]];
    return own === undefined || others === undefined ? [] : [of(own).median / of(others).median];
  });
}

export interface NativeGoal {
  readonly figure: string;
  readonly measured: number;
  readonly aim: number;
}

/** The goals, as far as the peers for them were there. */
export function nativeGoals({ programs, locality }: NativeResults): NativeGoal[] {
  const single = programs.filter((program) => program.single);
  const goals: NativeGoal[] = [
    {
      figure: "time of programs with one thread, the largest over glibc",
      measured: largest(ratiosOf(single, "glibc", MS)),
      aim: 1,
    },
    {
      figure: "time of programs with one thread, geometric mean over mimalloc",
      measured: geometricMean(ratiosOf(single, "mimalloc", MS)),
      aim: 1.1,
    },
    {
      figure: "peak of programs with one thread, the largest over glibc",
      measured: largest(ratiosOf(single, "glibc", PEAK)),
      aim: 1,
    },
    {
      figure: "peak of programs, geometric mean over glibc",
      measured: geometricMean(ratiosOf(programs, "glibc", PEAK)),
      aim: 1,
    },
    {
      figure: "misses in the last level of the caches, traces, geometric mean over glibc",
      measured: localityOver("glibc", locality),
      aim: 1,
    },
  ];
  return goals.filter(({ measured }) => !Number.isNaN(measured));
}
