// Collector: the samples of one measurement, by peer, over the rounds.
//
// Owns:       samples by peer and label, and the reasons of the peers that dropped out.
// Invariants: L1  a peer that was skipped once is not measured again: its few samples would not compare

import type { PeerName } from "../peers/peer.ts";
import type { Answer } from "./protocol.ts";
import type { PerPeer } from "./results.ts";
import { net, type Sample, scale, summarize } from "./stats.ts";

/** Samples of one answer, by label. */
type Labelled = Readonly<Record<string, readonly number[]>>;

export class Collector {
  readonly #samples = new Map<PeerName, Map<string, number[]>>();
  readonly #reasons = new Map<PeerName, string>();

  constructor(peers: readonly PeerName[]) {
    for (const peer of peers) this.#samples.set(peer, new Map());
  }

  remaining(): PeerName[] {
    return [...this.#samples.keys()].filter((peer) => !this.#reasons.has(peer));
  }

  add(peer: PeerName, answer: Answer, samplesOf: (answer: Answer) => Labelled): void {
    if (answer.kind === "skipped") {
      this.skip(peer, answer.reason);
      return;
    }
    for (const [label, values] of Object.entries(samplesOf(answer))) {
      const known = this.#samples.get(peer)?.get(label) ?? [];
      this.#samples.get(peer)?.set(label, [...known, ...values]);
    }
  }

  skip(peer: PeerName, reason: string): void {
    this.#reasons.set(peer, reason);
  }

  /** Per peer, what is left of the samples after those of "nothing" are taken off, times the factor. */
  net(label: string, factor: number): PerPeer<Sample> {
    const result: PerPeer<Sample> = {};
    const empty = summarize(this.#samples.get("nothing")?.get(label) ?? [0]);
    for (const [peer, reason] of this.#reasons) result[peer] = { skipped: reason };
    for (const peer of this.remaining()) {
      const values = this.#samples.get(peer)?.get(label);
      if (peer === "nothing" || values === undefined) continue;
      result[peer] = scale(net(summarize(values), empty), factor);
    }
    return result;
  }
}
