// Patterns: the three micro patterns, and the one for scale.
//
// Owns:       their loops, and the random choices, which are drawn beforehand and the same for all peers.
// Needs:      a peer.
// Invariants: P1  every pattern returns with no block live
// Note:       counts are malloc+free pairs; filling and draining the live set is not counted, nor timed.

import type { Peer } from "../peers/peer.ts";
import { countsFrom } from "./random.ts";

/** The small patterns: pairs of malloc and free, churn, first in first out. */
export const PATTERN_NAMES = ["pair", "churn", "fifo"] as const;
export type PatternName = (typeof PATTERN_NAMES)[number];

const CHURN_SLOTS = 16384;
const CHURN_BYTES = { least: 16, most: 1000 };
const FIFO_LIVE = 1024;
/** Powers of two. */
const CHURN_DRAWN = 1 << 18;
const SCALE_DRAWN = 1 << 20;
/** From a live set that fits into the first cache to one that fits into none. */
export const SCALE_LIVE = [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20] as const;
const SCALE_BYTES = { least: 16, most: 144 };
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
  return runReplacing(peer, CHURN_SLOTS, drawnForChurn(), pairCount);
}

/** What churn replaces, here and in programs/c/patterns.c. */
export function drawnForChurn(): Drawn {
  return drawn(CHURN_DRAWN, CHURN_SLOTS, CHURN_BYTES);
}

/** churn with so many live blocks, which are small, so that a million of them fit anywhere. */
export function runScale(peer: Peer, live: number, pairCount: number): number {
  return runReplacing(peer, live, drawn(SCALE_DRAWN, live, SCALE_BYTES), pairCount);
}

function runReplacing(peer: Peer, live: number, { slots, sizes }: Drawn, pairCount: number): number {
  const ptrs = new Uint32Array(live);
  for (let i = 0; i < live; i++) ptrs[i] = allocate(peer, sizes[i] as number);
  const start = performance.now();
  replace(peer, ptrs, slots, sizes, pairCount);
  const elapsed = performance.now() - start;
  for (const ptr of ptrs) peer.free(ptr);
  return elapsed;
}

/** Replaces a random block by one of a random size, pairCount times. */
function replace(
  peer: Peer,
  ptrs: Uint32Array,
  slots: Uint32Array,
  sizes: Uint32Array,
  pairCount: number,
): void {
  const mask = slots.length - 1;
  for (let i = 0; i < pairCount; i++) {
    const drawing = i & mask;
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

interface Range {
  readonly least: number;
  readonly most: number;
}

/** What the loop of churn takes in turn. */
export interface Drawn {
  readonly slots: Uint32Array;
  readonly sizes: Uint32Array;
}

/** Drawn from one seed, so that every process draws the same. */
function drawn(count: number, slotCount: number, { least, most }: Range): Drawn {
  const slots = new Uint32Array(count);
  const sizes = new Uint32Array(count);
  const random = countsFrom(SEED);
  for (let i = 0; i < count; i++) {
    slots[i] = random(slotCount);
    sizes[i] = least + random(most - least + 1);
  }
  return { slots, sizes };
}
