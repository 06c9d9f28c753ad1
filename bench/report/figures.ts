// Figures: what texts for people quote of the results, by name. bench/README.md lists the names.
//
// Owns:  names and number formats.
// Needs: saved results.
// Note:  ratios are morecore's over the other's: below 1 is less time, or less memory.

import {
  footprintRatios,
  scaleRatio,
  spaceRatios,
  timeRatio,
  timeRatios,
  wholeTraces,
} from "../harness/ratios.ts";
import { VARIANTS, type Variant } from "../harness/results.ts";
import { geometricMean, largest } from "../harness/stats.ts";
import { ratioText } from "../harness/tables.ts";
import type { PeerName } from "../peers/peer.ts";
import { THREADED } from "../suites/native/goals.ts";
import { localityOver } from "../suites/native/locality.ts";
import type { NativePeer } from "../suites/native/peers.ts";
import { MS, NS, PEAK, ratiosOf } from "../suites/native/ratios.ts";
import type { NativeResults } from "../suites/native/results.ts";
import type { Results, WasmResults } from "../suites/results.ts";
import type { TypedResults } from "../suites/typed/command.ts";
import { goalTree, treeRatios } from "../suites/typed/goals.ts";
import type { ViewResults } from "../suites/typed/views.ts";
import type { Kind } from "../suites/within/protocol.ts";
import { callsOf, patternRatio, ratiosWithin } from "../suites/within/ratios.ts";
import type { Saved } from "./saved.ts";

export type Figures = ReadonlyMap<string, string>;

const PEERS = [
  "dlmalloc",
  "mimalloc",
  "tlsf",
  "thi.ng",
  "v8-arrays",
  "v8-objects",
] as const satisfies PeerName[];
const LINKED = ["dlmalloc", "mimalloc", "tlsf"] as const;
const NATIVE = ["glibc", "mimalloc", "jemalloc"] as const satisfies NativePeer[];
const WAYS: Readonly<Record<string, Variant>> = {
  warm: "warm untouched",
  cold: "cold untouched",
  "warm-touched": "warm touched",
  "cold-touched": "cold touched",
};

/** Of what was saved: a name whose run, or whose peer, was not there is not in it. */
export function figuresOf(saved: Saved): Figures {
  const { main, typed, views } = saved;
  const all = [
    ...(main === undefined ? [] : [...runFigures(main), ...traceFigures(main), ...patternFigures(main)]),
    ...(main === undefined ? [] : [...programFigures(main.wasm), ...withinFigures(main.wasm)]),
    ...nativeFigures(saved["native-programs"], saved["native-traces"], saved["native-locality"]),
    ...(typed === undefined ? [] : treeFigures(typed)),
    ...(views === undefined ? [] : viewFigures(views)),
  ];
  return new Map(all.filter(([, text]) => !/^–|NaN|undefined/.test(text)));
}

type Named = readonly [name: string, text: string];

function runFigures(results: Results): Named[] {
  const { anomalies, sizes, machine, versions } = results;
  const traces = anomalies?.steps.filter(({ trace }) => !trace.startsWith("scale")) ?? [];
  const found = anomalies?.adversary.find(({ target }) => target === "refill and growth aside")?.worst;
  return [
    ["machine", machine.split(",").slice(0, 2).join(",")],
    ["node", String(versions["node"])],
    ["scale", scaleRatio(results).toFixed(1)],
    ["steps-worst", String(traces.length === 0 ? Number.NaN : largest(traces.map(worstOrdinary)))],
    ["adversary-worst", String(found?.steps)],
    ["kernel-bytes", String(sizes?.kernelBytes).replace(/\B(?=(\d{3})+$)/g, " ")],
    ["heap-kb", ((sizes?.heapGzipBytes ?? Number.NaN) / 1000).toFixed(1)],
  ];
}

function worstOrdinary({ kinds: [all] }: NonNullable<Results["anomalies"]>["steps"][number]): number {
  return all?.ordinary.max ?? 0;
}

function traceFigures(results: Results): Named[] {
  const means = (peer: PeerName) =>
    VARIANTS.map((variant) => geometricMean(timeRatios(results, variant, peer))).filter(Number.isFinite);
  return [
    ["traces-count", String(wholeTraces(results).length)],
    ["space", ratioText(geometricMean(spaceRatios(results, "morecore")))],
    ...PEERS.flatMap((peer): Named[] => [
      ...Object.entries(WAYS).flatMap(([way, variant]): Named[] => [
        [`traces-${way}-${peer}`, ratioText(geometricMean(timeRatios(results, variant, peer)))],
        [`traces-${way}-worst-${peer}`, ratioText(largest(timeRatios(results, variant, peer)))],
      ]),
      [`traces-least-${peer}`, ratioText(-largest(means(peer).map((mean) => -mean)))],
      [`traces-most-${peer}`, ratioText(largest(means(peer)))],
      [`space-${peer}`, ratioText(geometricMean(footprintRatios(results, peer)))],
      [`space-worst-${peer}`, ratioText(largest(footprintRatios(results, peer)))],
    ]),
  ];
}

function patternFigures({ patterns, wasm }: Results): Named[] {
  return [
    ...patterns.flatMap(({ pattern, nsPerPair }) =>
      PEERS.map((peer): Named => [`${pattern}-${peer}`, ratioText(timeRatio(nsPerPair, peer) ?? Number.NaN)]),
    ),
    ...wasm.patterns.flatMap((pattern) =>
      LINKED.map(
        (peer): Named => [`wasm-${pattern.pattern}-${peer}`, ratioText(patternRatio(pattern, peer))],
      ),
    ),
  ];
}

function programFigures({ programs }: WasmResults): Named[] {
  return programs.flatMap(({ program, ms, heapBytes }) =>
    LINKED.flatMap((peer): Named[] => [
      [`${program}-${peer}`, ratioText(ms.merged.median / (ms[peer]?.median ?? Number.NaN))],
      [`${program}-memory-${peer}`, ratioText(heapBytes.merged / (heapBytes[peer] ?? Number.NaN))],
    ]),
  );
}

function withinFigures({ patterns, traces = [] }: WasmResults): Named[] {
  const ratios = (variant: Variant, peer: Kind) => ratiosWithin({ traces }, variant, peer);
  const [calls = Number.NaN] = patterns.filter(({ pattern }) => pattern === "pair").map(callsOf);
  return [
    ["wasm-calls", calls.toFixed(1)],
    ...(["dlmalloc", "mimalloc"] as const).flatMap((peer) =>
      Object.entries(WAYS).flatMap(([way, variant]): Named[] => [
        [`within-${way}-${peer}`, ratioText(geometricMean(ratios(variant, peer)))],
        [`within-${way}-worst-${peer}`, ratioText(largest(ratios(variant, peer)))],
      ]),
    ),
  ];
}

function nativeFigures(
  programs: NativeResults | undefined,
  traces: NativeResults | undefined,
  locality: NativeResults | undefined,
): Named[] {
  const single = programs?.programs.filter((program) => program.single) ?? [];
  const threaded = programs?.programs.filter(({ name }) => name === THREADED) ?? [];
  return NATIVE.flatMap((peer): Named[] => [
    [`native-traces-${peer}`, ratioText(geometricMean(ratiosOf(traces?.traces ?? [], peer, NS)))],
    [`native-programs-${peer}`, ratioText(geometricMean(ratiosOf(single, peer, MS)))],
    [`native-programs-worst-${peer}`, ratioText(largest(ratiosOf(single, peer, MS)))],
    [`native-threads-${peer}`, ratioText(largest(ratiosOf(threaded, peer, MS)))],
    [`native-peak-${peer}`, ratioText(geometricMean(ratiosOf(single, peer, PEAK)))],
    [`locality-${peer}`, ratioText(localityOver(peer, locality?.locality ?? []))],
  ]);
}

function treeFigures({ graphs }: TypedResults): Named[] {
  const tree = goalTree(graphs);
  const ratios = tree && treeRatios(tree);
  if (tree === undefined || ratios === undefined) return [];
  const { raw, objects } = tree.figures;
  return [
    ["tree-nodes", `${tree.nodes / 1e6} million`],
    ["tree-time-objects", ratioText(ratios.time)],
    ["tree-time-net-objects", ratioText(ratios.netTime)],
    ["tree-memory-objects", ratioText(ratios.memory)],
    ["tree-pause", String(raw?.pauseMs.median.toFixed(0))],
    ["tree-pause-objects", String(objects?.pauseMs.median.toFixed(0))],
  ];
}

const VIEW_LOOPS: Readonly<Record<string, string>> = {
  "read an element of a view": "read",
  "write one": "write",
  "get a view of four, and read one": "get",
  "read a reference's field": "reference-read",
  "write one of an i32": "reference-write",
  "get an element of a Vec": "vec",
  "malloc and free": "malloc",
};

function viewFigures({ node, ns }: ViewResults): Named[] {
  const loops = Object.entries(VIEW_LOOPS).map(([loop, name]): Named => {
    const ratio = (ns.lasting?.[loop] ?? Number.NaN) / (ns["until-growth"]?.[loop] ?? Number.NaN);
    return [`views-${name}`, ratio.toFixed(1)];
  });
  return [["views-node", node], ...loops];
}
