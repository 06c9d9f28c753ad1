// Shape: a random binary tree, the same in every variant, and the clock's ticks while it is built, walked and dropped.
//
// Owns:  the numbers drawn; the longest gap between two ticks.
// Needs: random.
//
// A tree of `count` nodes: one, and the rest shared out at random to its left and its right. It is some dozens of levels deep,
// so recursion builds it, children first, with no table of nodes beside it; each node's value is the size of its tree.

import { fractionsFrom } from "../../../harness/random.ts";

/** One way to keep the tree. What it holds, it holds itself. */
export interface GraphVariant {
  build(count: number): void;
  /** The sum of all values, modulo 2^32. */
  walk(): number;
  drop(): void;
  /** Whether it is the collector that frees what was dropped: its run then belongs to the drop. */
  readonly collected: boolean;
}

const SEED = 0x6d6f7265;
/** A power of two: numbers that are drawn beforehand, and taken in turn; they fit into the second cache. */
const DRAWN = 1 << 14;
/** Nodes between two looks at the clock: few enough to find a pause, enough that looking costs nothing. */
const TICK_NODES = 256;

const random = fractionsFrom(SEED);
const fractions = Float64Array.from({ length: DRAWN }, random);
let drawing = 0;
let countdown = TICK_NODES;
let last = 0;
let longest = 0;

/** Of `rest` nodes, those that go to the left. Called once for each node: it is the tick, too. */
export function share(rest: number): number {
  countdown--;
  if (countdown === 0) look();
  drawing = (drawing + 1) & (DRAWN - 1);
  return Math.floor((fractions[drawing] as number) * (rest + 1)); // in bounds by the mask
}

/** The tick of a walk. */
export function tick(): void {
  countdown--;
  if (countdown === 0) look();
}

function look(): void {
  const now = performance.now();
  if (now - last > longest) longest = now - last;
  last = now;
  countdown = TICK_NODES;
}

/** Runs a phase; milliseconds that it took, and its longest gap. */
export function timed(phase: () => void): { ms: number; longestMs: number } {
  drawing = 0;
  countdown = TICK_NODES;
  longest = 0;
  const start = performance.now();
  last = start;
  phase();
  look();
  return { ms: last - start, longestMs: longest };
}
