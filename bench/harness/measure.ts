// Measure: the order in which things are run.
//
// Owns:       rounds, the alternation of the peers within each, and the subtraction of the empty loop.
// Needs:      workers, of which it lets one run at a time while the clock does.
// Invariants: M1  within a round every peer runs once, next to the others; who is first changes from round to round
//             M2  what a peer could not do is recorded with its reason, never left out silently

import type { PeerName } from "../peers/peer.ts";
import { Collector } from "./collector.ts";
import { readFacts, type TraceInput } from "./inputs.ts";
import type { PatternName } from "./patterns.ts";
import { type Task, whyNot } from "./policy.ts";
import type { Request } from "./protocol.ts";
import type { PatternResult, PerPeer, ScaleResult, Space, TraceResult, Variant } from "./results.ts";
import type { Sample } from "./stats.ts";
import type { Workers } from "./workers.ts";

/** How long and with whom to measure. */
export interface Plan {
  /** The allocators that take part. */
  readonly peers: readonly PeerName[];
  /** How often each figure is measured. */
  readonly rounds: number;
  /** About how long one measurement is to take, in milliseconds. */
  readonly targetMs: number;
  /** How often a trace is played before the clock starts, for the warm figures. */
  readonly warmPlays: number;
  /** Whether what is slow by its nature is tried, too. */
  readonly patient: boolean;
  /** Told after every step, of which there are as many as stepCount says. */
  readonly onStep: (what: string) => void;
}

/** Short traces are over in a millisecond, so that one sample says little. */
const SHORT_FACTOR = 8;

export interface Counts {
  readonly patterns: number;
  readonly scale: number;
  readonly traces: number;
}

export function stepCount(plan: Plan, { patterns, scale, traces }: Counts): number {
  return (patterns + scale) * plan.rounds + traces * (2 * plan.rounds + 1);
}

export async function measurePattern(
  workers: Workers,
  plan: Plan,
  pattern: PatternName,
): Promise<PatternResult> {
  const collected = new Collector(plan.peers);
  await samplePairs(workers, plan, collected, { job: "pattern", pattern, targetMs: plan.targetMs }, pattern);
  return { pattern, nsPerPair: collected.net("time", 1) };
}

export async function measureScale(workers: Workers, plan: Plan, live: number): Promise<ScaleResult> {
  const collected = collectorFor(plan, { do: "scale", live });
  const request: Request = { job: "scale", live, targetMs: plan.targetMs };
  await samplePairs(workers, plan, collected, request, `${live} live blocks`);
  return { live, nsPerPair: collected.net("time", 1) };
}

async function samplePairs(
  workers: Workers,
  plan: Plan,
  collected: Collector,
  request: Request,
  what: string,
): Promise<void> {
  for (let round = 0; round < plan.rounds; round++) {
    for (const peer of inTurn(collected.remaining(), round)) {
      collected.add(peer, await workers.ask(peer, request), (answer) =>
        answer.kind === "pattern" ? { time: [answer.nsPerPair] } : {},
      );
    }
    plan.onStep(what);
  }
}

/** Of all peers; those that are spared the task are skipped, with the reason. */
function collectorFor(plan: Plan, task: Task): Collector {
  const collected = new Collector(plan.peers);
  for (const peer of plan.peers) {
    const reason = whyNot(peer, task, plan.patient);
    if (reason !== undefined) collected.skip(peer, reason);
  }
  return collected;
}

/** Times of one trace; `space` comes from measureSpace. */
export async function measureTrace(
  workers: Workers,
  plan: Plan,
  input: TraceInput,
  space: PerPeer<Space>,
): Promise<TraceResult> {
  const facts = readFacts(input.file);
  const task = { do: "replay", isWhole: !input.isShort, touched: false } as const;
  const players = plan.peers.filter((peer) => whyNot(peer, task, plan.patient) === undefined);
  await workers.askAll(players, { job: "load", file: input.file });
  const untouched = await measureReplays(workers, plan, input, false);
  const touched = await measureReplays(workers, plan, input, true);
  const perCall = 1e6 / facts.opCount;
  const nsPerCall: Record<Variant, PerPeer<Sample>> = {
    "cold untouched": untouched.net("cold", perCall),
    "cold touched": touched.net("cold", perCall),
    "warm untouched": untouched.net("warm", perCall),
    "warm touched": touched.net("warm", perCall),
  };
  return { input, facts, nsPerCall, space };
}

async function measureReplays(
  workers: Workers,
  plan: Plan,
  { name, file, isShort }: TraceInput,
  touched: boolean,
): Promise<Collector> {
  const collected = collectorFor(plan, { do: "replay", isWhole: !isShort, touched });
  const request: Request = {
    job: "replay",
    file,
    touched,
    warmPlays: plan.warmPlays * (isShort ? SHORT_FACTOR : 1),
  };
  for (let round = 0; round < plan.rounds; round++) {
    for (const peer of inTurn(collected.remaining(), round)) {
      collected.add(peer, await workers.ask(peer, request), (answer) =>
        answer.kind === "replay" ? { cold: [answer.coldMs], warm: answer.warmMs } : {},
      );
    }
    plan.onStep(name);
  }
  return collected;
}

/** Not timed, so all peers at once. The workers must be another one: growing memories slow a process down for good. */
export async function measureSpace(workers: Workers, plan: Plan, input: TraceInput): Promise<PerPeer<Space>> {
  const space: PerPeer<Space> = {};
  await Promise.all(
    plan.peers.map(async (peer) => {
      if (peer === "nothing") return;
      const reason = whyNot(peer, { do: "space", isWhole: !input.isShort }, plan.patient);
      if (reason !== undefined) {
        space[peer] = { skipped: reason };
        return;
      }
      const answer = await workers.ask(peer, { job: "space", file: input.file });
      if (answer.kind === "space") space[peer] = answer;
      else space[peer] = { skipped: answer.kind === "skipped" ? answer.reason : answer.kind };
    }),
  );
  plan.onStep(`${input.name}, space`);
  return space;
}

function inTurn(peers: readonly PeerName[], round: number): PeerName[] {
  const first = peers.length === 0 ? 0 : round % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}
