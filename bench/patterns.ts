// Patterns: the three micro patterns.
//
// Owns:       their loops, and the random choices of churn, which are drawn beforehand and the same for all peers.
// Needs:      a peer.
// Invariants: P1  every pattern returns with no block live
// Note:       counts are malloc+free pairs; filling and draining the live set is not counted, nor timed.

import type { Peer } from "./peers/peer.ts";

export const PATTERN_NAMES = ["pair", "churn", "fifo"] as const;
export type PatternName = (typeof PATTERN_NAMES)[number];

const CHURN_SLOTS = 16384;
const FIFO_LIVE = 1024;
const DRAWN_COUNT = 1 << 18;
const SEED = 0x6d6f7265;

/** Milliseconds that the pattern took, without what surrounds it. */
export function runPattern(name: PatternName, peer: Peer, pairCount: number): number {
  if (name === "churn") return runChurn(peer, pairCount);
  return name === "pair" ? runPair(peer, pairCount) : runFifo(peer, pairCount);
}

function runPair(peer: Peer, pairCount: number): number {
  const start = performance.now();
  pair(peer, pairCount);
  return performance.now() - start;
}

/** malloc(16 + (i & 15) * 16), free at once. */
function pair(peer: Peer, pairCount: number): void {
  for (let i = 0; i < pairCount; i++) peer.free(peer.malloc(16 + (i & 15) * 16));
}

function runChurn(peer: Peer, pairCount: number): number {
  const { slots, sizes } = drawn();
  const ptrs = new Uint32Array(CHURN_SLOTS);
  for (let i = 0; i < CHURN_SLOTS; i++) ptrs[i] = allocate(peer, sizes[i] as number);
  const start = performance.now();
  churn(peer, ptrs, slots, sizes, pairCount);
  const elapsed = performance.now() - start;
  for (const ptr of ptrs) peer.free(ptr);
  return elapsed;
}

/** Replaces a random one of 16384 blocks, 16 to 1000 bytes. */
function churn(
  peer: Peer,
  ptrs: Uint32Array,
  slots: Uint32Array,
  sizes: Uint32Array,
  pairCount: number,
): void {
  for (let i = 0; i < pairCount; i++) {
    const drawing = i & (DRAWN_COUNT - 1);
    const slot = slots[drawing] as number; // in bounds by the mask
    peer.free(ptrs[slot] as number);
    ptrs[slot] = peer.malloc(sizes[drawing] as number);
  }
}

function runFifo(peer: Peer, pairCount: number): number {
  const ptrs = new Uint32Array(FIFO_LIVE);
  for (let i = 0; i < FIFO_LIVE; i++) ptrs[i] = allocate(peer, 16 + (i & 15) * 16);
  const start = performance.now();
  fifo(peer, ptrs, pairCount);
  const elapsed = performance.now() - start;
  for (const ptr of ptrs) peer.free(ptr);
  return elapsed;
}

/** 1024 live, the oldest freed first; sizes as in pair. */
function fifo(peer: Peer, ptrs: Uint32Array, pairCount: number): void {
  for (let i = 0; i < pairCount; i++) {
    const oldest = i & (FIFO_LIVE - 1);
    peer.free(ptrs[oldest] as number);
    ptrs[oldest] = peer.malloc(16 + (i & 15) * 16);
  }
}

function allocate(peer: Peer, bytes: number): number {
  const ptr = peer.malloc(bytes);
  if (ptr === 0) throw new Error("out of memory while filling the live set");
  return ptr;
}

/** xorshift32, so that every process draws the same. */
function drawn(): { slots: Uint32Array; sizes: Uint32Array } {
  const slots = new Uint32Array(DRAWN_COUNT);
  const sizes = new Uint32Array(DRAWN_COUNT);
  let state = SEED;
  const next = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  for (let i = 0; i < DRAWN_COUNT; i++) {
    slots[i] = next(CHURN_SLOTS);
    sizes[i] = 16 + next(985);
  }
  return { slots, sizes };
}
