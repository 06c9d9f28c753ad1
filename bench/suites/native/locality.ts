// Locality: how often the traces miss the caches with each allocator. Goal L1.
//
// Owns:  what cachegrind is asked, and the table.
// Needs: valgrind (Debian's), and replay.c compiled.
// Note:  cachegrind counts in a model of the caches: no time is measured, so one run says it all, on a busy machine too.
//
// The peer that the goal names, dlmalloc, is no native library of Debian's; glibc's malloc is its descendant and stands for it.

import { spawnSync } from "node:child_process";
import path from "node:path";
import type { TraceInput } from "../../harness/inputs.ts";
import { geometricMean } from "../../harness/stats.ts";
import type { TextTable } from "../../harness/tables.ts";
import { unpacked } from "./measure.ts";
import { LIBRARIES, type NativePeer } from "./peers.ts";

/** Misses of one trace's calls, data only. */
export interface Misses {
  readonly first: number;
  readonly last: number;
  readonly calls: number;
}

export interface LocalityResult {
  readonly name: string;
  readonly remarks: readonly string[];
  readonly misses: Readonly<Partial<Record<NativePeer, Misses>>>;
}

/** What locality needs besides the peers, if it is missing. */
export function missingValgrind(): string | undefined {
  const found = spawnSync("valgrind", ["--version"]).status === 0;
  return found ? undefined : "locality is left out: apt-get install valgrind";
}

/** The misses of a trace with each peer, or why there are none. */
export function measureLocality(
  trace: TraceInput,
  peers: readonly NativePeer[],
  folder: string,
): LocalityResult | string {
  const file = unpacked(trace, folder);
  const misses: Partial<Record<NativePeer, Misses>> = {};
  for (const peer of peers) {
    const asked = ["--tool=cachegrind", "--cache-sim=yes", "--cachegrind-out-file=/dev/null"];
    const command = [...asked, path.join(folder, "replay"), file, "touch"];
    const { stdout, stderr, status } = spawnSync("valgrind", command, {
      encoding: "utf8",
      env: { ...process.env, LD_PRELOAD: LIBRARIES[peer] },
    });
    if (status !== 0) return `${trace.name} with ${peer} ended with ${status}: ${stderr.slice(-200)}`;
    misses[peer] = {
      first: counted(stderr, "D1  misses"),
      last: counted(stderr, "LLd misses"),
      calls: Number(stdout),
    };
  }
  return { name: trace.name, remarks: [], misses };
}

/** A figure of cachegrind's summary. */
function counted(summary: string, name: string): number {
  const [, digits = ""] = new RegExp(`${name}: +([0-9,]+)`).exec(summary) ?? [];
  return Number(digits.replaceAll(",", ""));
}

export function localityTables(
  peers: readonly NativePeer[],
  results: readonly LocalityResult[],
): TextTable[] {
  if (results.length === 0) return [];
  return [
    tableOf("last level", peers, results, ({ last }) => last),
    tableOf("first level", peers, results, ({ first }) => first),
  ];
}

/** The geometric mean of our misses in the last level over a peer's. */
export function localityOver(peer: NativePeer, results: readonly LocalityResult[]): number {
  return geometricMean(ratiosOf(peer, results, ({ last }) => last));
}

function tableOf(
  level: string,
  peers: readonly NativePeer[],
  results: readonly LocalityResult[],
  of: (misses: Misses) => number,
): TextTable {
  const rows = results.map(({ name, misses }) => [
    name,
    ...peers.map((peer) => {
      const [own, theirs] = [misses.morecore, misses[peer]];
      if (theirs === undefined) return "";
      const text = (of(theirs) / theirs.calls).toFixed(3);
      return peer === "morecore" || own === undefined ? text : `${text} ${(of(own) / of(theirs)).toFixed(3)}`;
    }),
  ]);
  const means = peers.map((peer) => {
    const ratios = peer === "morecore" ? [] : ratiosOf(peer, results, of);
    return ratios.length === 0 ? "" : geometricMean(ratios).toFixed(3);
  });
  return {
    title: `Locality: misses of data in the ${level} for a call, morecore's over the peer's`,
    head: ["", ...peers],
    rows: [...rows, ["geometric mean", ...means]],
  };
}

function ratiosOf(
  peer: NativePeer,
  results: readonly LocalityResult[],
  of: (misses: Misses) => number,
): number[] {
  return results.flatMap(({ misses }) => {
    const [own, theirs] = [misses.morecore, misses[peer]];
    return own === undefined || theirs === undefined ? [] : [of(own) / of(theirs)];
  });
}
