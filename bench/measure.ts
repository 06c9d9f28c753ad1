// Measure: the order in which things are run.
//
// Owns:       rounds, the alternation of the peers within each, and the subtraction of the empty loop.
// Needs:      a crew, of which it lets one worker run at a time while the clock does.
// Invariants: M1  within a round every peer runs once, next to the others; who is first changes from round to round
//             M2  what a peer could not do is recorded with its reason, never left out silently

import { Collector } from "./collector.ts";
import type { Crew } from "./crew.ts";
import { readFacts, type TraceInput } from "./inputs.ts";
import type { PatternName } from "./patterns.ts";
import type { PeerName } from "./peers/peer.ts";
import type { Request } from "./protocol.ts";
import {
  type PatternResult,
  type PerPeer,
  QUADRATIC,
  type Space,
  type TraceResult,
  type Variant,
} from "./results.ts";
import type { Sample } from "./stats.ts";

export interface Plan {
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  readonly targetMs: number;
  readonly warmPlays: number;
  /** Told after every step, of which there are as many as stepCount says. */
  readonly onStep: (what: string) => void;
}

/** Short traces are over in a millisecond, so that one sample says little. */
const SHORT_FACTOR = 8;

export function stepCount(plan: Plan, patternCount: number, traceCount: number): number {
  return patternCount * plan.rounds + traceCount * (2 * plan.rounds + 1);
}

export async function measurePattern(crew: Crew, plan: Plan, pattern: PatternName): Promise<PatternResult> {
  const collected = new Collector(plan.peers);
  const request: Request = { job: "pattern", pattern, targetMs: plan.targetMs };
  for (let round = 0; round < plan.rounds; round++) {
    for (const peer of inTurn(collected.remaining(), round)) {
      collected.add(peer, await crew.ask(peer, request), (answer) =>
        answer.kind === "pattern" ? { time: [answer.nsPerPair] } : {},
      );
    }
    plan.onStep(pattern);
  }
  return { pattern, nsPerPair: collected.net("time", 1) };
}

/** Times of one trace; `space` comes from measureSpace. */
export async function measureTrace(
  crew: Crew,
  plan: Plan,
  input: TraceInput,
  space: PerPeer<Space>,
): Promise<TraceResult> {
  const facts = readFacts(input.file);
  const peers = plan.peers.filter((peer) => plays(peer, input));
  await crew.askAll(peers, { job: "load", file: input.file });
  const untouched = await measureReplays(crew, plan, peers, input, false);
  const touched = await measureReplays(crew, plan, peers, input, true);
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
  crew: Crew,
  plan: Plan,
  peers: readonly PeerName[],
  { name, file, isShort }: TraceInput,
  touched: boolean,
): Promise<Collector> {
  const collected = new Collector(peers);
  const request: Request = {
    job: "replay",
    file,
    touched,
    warmPlays: plan.warmPlays * (isShort ? SHORT_FACTOR : 1),
  };
  for (let round = 0; round < plan.rounds; round++) {
    for (const peer of inTurn(collected.remaining(), round)) {
      collected.add(peer, await crew.ask(peer, request), (answer) =>
        answer.kind === "replay" ? { cold: [answer.coldMs], warm: answer.warmMs } : {},
      );
    }
    plan.onStep(name);
  }
  for (const peer of plan.peers) if (!peers.includes(peer)) collected.skip(peer, QUADRATIC);
  return collected;
}

/** Not timed, so all peers at once. The crew must be another one: growing memories slow a process down for good. */
export async function measureSpace(crew: Crew, plan: Plan, input: TraceInput): Promise<PerPeer<Space>> {
  const space: PerPeer<Space> = {};
  await Promise.all(
    plan.peers.map(async (peer) => {
      if (peer === "nothing") return;
      if (!plays(peer, input)) {
        space[peer] = { skipped: QUADRATIC };
        return;
      }
      const answer = await crew.ask(peer, { job: "space", file: input.file });
      if (answer.kind === "space") space[peer] = answer;
      else space[peer] = { skipped: answer.kind === "skipped" ? answer.reason : answer.kind };
    }),
  );
  plan.onStep(`${input.name}, space`);
  return space;
}

function plays(peer: PeerName, input: TraceInput): boolean {
  return peer !== "thi.ng" || input.isShort;
}

function inTurn(peers: readonly PeerName[], round: number): PeerName[] {
  const first = peers.length === 0 ? 0 : round % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}
