// Measure: one variant of the graph, in this process.
//
// Owns:  warming up, the phases, the collector's runs, resident memory.
// Needs: --expose-gc.

import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { Heap } from "morecore";
import type { GraphAnswer, GraphName } from "../protocol.ts";
import { variant as arrays } from "./arrays.ts";
import { variant as nothing } from "./nothing.ts";
import { variant as objects } from "./objects.ts";
import { blocksVariant, elementsVariant, poolVariant, rawVariant } from "./raw.ts";
import { refsVariant } from "./refs.ts";
import { type GraphVariant, timed } from "./shape.ts";

const WARM_UP_NODES = 20_000;
const WARM_UPS = 15;
const SETTLE_MS = 20;

export const VARIANTS: Readonly<Record<GraphName, () => GraphVariant>> = {
  nothing: () => nothing,
  objects: () => objects,
  arrays: () => arrays,
  raw: () => rawVariant(Heap.create({ checking: true })),
  "raw, unchecked": () => rawVariant(Heap.create({ checking: false })),
  refs: () => refsVariant(Heap.create({ checking: true })),
  "refs, unchecked": () => refsVariant(Heap.create({ checking: false })),
  elements: () => elementsVariant(Heap.create()),
  pool: () => poolVariant(Heap.create()),
  blocks: () => blocksVariant(Heap.create()),
};

export async function measureGraph(name: GraphName, nodes: number): Promise<GraphAnswer> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("measureGraph: expected node --expose-gc");
  const variant = VARIANTS[name]();
  for (let i = 0; i < WARM_UPS; i++) {
    timed(() => variant.build(WARM_UP_NODES));
    timed(() => variant.walk());
    timed(() => variant.drop());
  }
  gc();
  await setTimeout(SETTLE_MS);
  let longestGcMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestGcMs = Math.max(longestGcMs, duration);
  });
  observer.observe({ entryTypes: ["gc"] });
  const before = process.memoryUsage.rss();

  let sum = 0;
  const build = timed(() => variant.build(nodes));
  const walk = timed(() => {
    sum = variant.walk();
  });
  const drop = timed(() => {
    variant.drop();
    if (variant.collected) gc();
  });
  const residentBytes = process.resourceUsage().maxRSS * 1024 - before;
  // The observer is told later.
  await setTimeout(SETTLE_MS);
  observer.disconnect();
  return { build, walk, drop, sum, residentBytes, longestGcMs };
}
