// Run: all that is measured of the peers that JavaScript calls, in one go.
//
// Owns:  the order: space first, by workers of its own, since growing memories slow a process down for good.
// Needs: workers, measure.

import os from "node:os";
import type { PeerInfo } from "../peers/peer.ts";
import type { TraceInput } from "./inputs.ts";
import { measurePattern, measureScale, measureSpace, measureTrace, type Plan, stepCount } from "./measure.ts";
import type { PatternName } from "./patterns.ts";
import type { PatternResult, PeerResults, PerPeer, ScaleResult, Space, TraceResult } from "./results.ts";
import { Workers } from "./workers.ts";

/** What to measure. */
export interface Work {
  /** The patterns, by name. */
  readonly patterns: readonly PatternName[];
  /** Counts of live blocks. */
  readonly scale: readonly number[];
  /** The traces. */
  readonly traces: readonly TraceInput[];
  /** A trace on which loops and allocators are compiled before the clock starts. */
  readonly warmUpFile: string | undefined;
}

/**
 * How often the plan's onStep will be called.
 *
 * @example
 *
 * ```ts
 * const plan: Plan = { peers: [], rounds: 3, targetMs: 50, warmPlays: 1, patient: false, onStep: () => {} };
 * console.log(stepsOf(plan, { patterns: [], scale: [], traces: [], warmUpFile: undefined })); // 0
 * ```
 */
export function stepsOf(plan: Plan, { patterns, scale, traces }: Work): number {
  const counts = { patterns: patterns.length, scale: scale.length, traces: traces.length };
  return stepCount(plan, counts);
}

/**
 * Measures all the work, round by round, with peers in an order drawn anew each time. Takes minutes.
 *
 * @example
 *
 * ```ts no-run
 * const { peers } = await installedPeers("build/peers");
 * const plan: Plan = {
 *   peers: peers.map(({ name }) => name),
 *   rounds: 3,
 *   targetMs: 50,
 *   warmPlays: 1,
 *   patient: false,
 *   onStep: () => {},
 * };
 * const work: Work = { patterns: PATTERN_NAMES, scale: [], traces: [], warmUpFile: undefined };
 * for (const table of peerTables(await measurePeers(peers, plan, work))) console.log(toTerminal(table));
 * ```
 */
export async function measurePeers(peers: readonly PeerInfo[], plan: Plan, work: Work): Promise<PeerResults> {
  const spaces = await withWorkers(peers, async (workers) => {
    const found: PerPeer<Space>[] = [];
    for (const trace of work.traces) found.push(await measureSpace(workers, plan, trace));
    return found;
  });
  const times = await withWorkers(peers, (workers) => timesOf(workers, plan, work, spaces));
  const versions: Record<string, string> = { node: process.versions.node, v8: process.versions.v8 };
  for (const { name, version } of peers) if (name !== "nothing") versions[name] = version;
  return { versions, ...times };
}

async function timesOf(
  workers: Workers,
  plan: Plan,
  work: Work,
  spaces: readonly PerPeer<Space>[],
): Promise<Omit<PeerResults, "versions">> {
  if (work.warmUpFile !== undefined)
    await workers.askAll(plan.peers, { job: "warm-up", file: work.warmUpFile });
  const patterns: PatternResult[] = [];
  const scale: ScaleResult[] = [];
  const traces: TraceResult[] = [];
  for (const pattern of work.patterns) patterns.push(await measurePattern(workers, plan, pattern));
  for (const live of work.scale) scale.push(await measureScale(workers, plan, live));
  for (const [index, trace] of work.traces.entries())
    traces.push(await measureTrace(workers, plan, trace, spaces[index] ?? {}));
  return { patterns, scale, traces };
}

async function withWorkers<T>(
  peers: readonly PeerInfo[],
  work: (workers: Workers) => Promise<T>,
): Promise<T> {
  const workers = new Workers(peers);
  try {
    return await work(workers);
  } finally {
    workers.stop();
  }
}

/**
 * The machine, as a reader of figures wants to know it.
 *
 * @example
 *
 * ```ts
 * console.log(machineText().length > 0); // true
 * ```
 */
export function machineText(): string {
  const cpus = os.cpus();
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  return `${cpus[0]?.model.trim() ?? "?"}, ${cpus.length} cores, ${memory}, ${os.type()} ${os.release()}`;
}
