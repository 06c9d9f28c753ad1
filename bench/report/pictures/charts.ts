// Charts: what each picture shows.
//
// Owns:  which figures are drawn, and how.
// Needs: results, frame.

import { element, text, translated } from "@morecore/inspect/pictures";
import { scaleBand, scaleLinear, scaleLog } from "d3-scale";
import { line as lineShape, symbolSquare } from "d3-shape";
import { timeRatio, wholeTraces } from "../../harness/ratios.ts";
import { figure, VARIANTS } from "../../harness/results.ts";
import type { Results } from "../../suites/results.ts";
import {
  bottomAxis,
  type Chart,
  type Drawn,
  decades,
  dots,
  drawnPeers,
  type Entry,
  entriesOf,
  equalLine,
  FOOT,
  framed,
  HEAD,
  leftAxis,
  MARGIN,
  mark,
  NAMES_WIDTH,
  ROW,
  ratioScale,
  rows,
  STYLES,
  type Style,
  WIDTH,
} from "./frame.ts";

/** Where the plot of numbers begins. */
const NUMBERS_WIDTH = 64;
const PLOT_WIDTH = WIDTH - NUMBERS_WIDTH - MARGIN;
const ROWS_WIDTH = WIDTH - NAMES_WIDTH - MARGIN;

/** Time of the micro patterns. */
export function patternChart(results: Results): Chart {
  const peers = drawnPeers(results);
  const height = 274;
  const words = {
    title: "Patterns: ns for a malloc and a free, called from JavaScript",
    hint: "lower is better, the axis is logarithmic",
  };
  const bars = results.patterns.flatMap(({ pattern, nsPerPair }) =>
    peers.flatMap((peer) => {
      const ns = figure(nsPerPair[peer])?.median;
      return ns === undefined ? [] : [{ pattern, peer, ns }];
    }),
  );
  const ticks = decades([1, ...bars.map(({ ns }) => ns)]);
  const y = scaleLog([ticks[0] ?? 1, ticks.at(-1) ?? 10], [height, 0]);
  const groups = scaleBand(
    results.patterns.map(({ pattern }) => pattern),
    [0, PLOT_WIDTH],
  ).padding(0.1);
  const inGroup = scaleBand(peers, [0, groups.bandwidth()]).padding(0.1);
  const width = inGroup.bandwidth();
  const drawing = translated(NUMBERS_WIDTH, HEAD, [
    ...leftAxis(y, ticks, PLOT_WIDTH),
    ...bars.map(({ pattern, peer, ns }) => {
      const x = (groups(pattern) ?? 0) + (inGroup(peer) ?? 0);
      const top = y(Math.max(1, ns));
      const bar = element("rect", { x, y: top, width, height: height - top, fill: STYLES[peer].color });
      return bar + text(x + width / 2, top - 5, "tick", shortNumber(ns), { "text-anchor": "middle" });
    }),
    ...results.patterns.map(({ pattern }) =>
      text((groups(pattern) ?? 0) + groups.bandwidth() / 2, height + 22, "label", pattern, {
        "text-anchor": "middle",
      }),
    ),
  ]);
  return { name: "patterns", svg: framed(results, words, entriesOf(peers), HEAD + height + FOOT, [drawing]) };
}

/** Of whole traces there are no figures of others but V8's arrays, which are off the scale. */
const WASM_PEERS: readonly Drawn[] = ["dlmalloc", "mimalloc", "tlsf"];
const PANEL_GAP = 36;
const PANEL_WIDTH = (ROWS_WIDTH - PANEL_GAP) / 2;
const PANEL_TITLE = 26;

/** morecore's time over its peers', a panel for each way of playing. */
export function traceChart(results: Results): Chart {
  const traces = wholeTraces(results);
  const names = traces.map(({ input }) => input.name);
  const peers = drawnPeers(results).filter((peer) => WASM_PEERS.includes(peer));
  const height = names.length * ROW;
  const panels = VARIANTS.map((variant, index) => ({
    variant,
    isFirst: index % 2 === 0,
    left: NAMES_WIDTH + (index % 2) * (PANEL_WIDTH + PANEL_GAP),
    top: HEAD + PANEL_TITLE + Math.floor(index / 2) * (height + FOOT + PANEL_TITLE),
    ratios: peers.map((peer) => traces.map(({ nsPerCall }) => timeRatio(nsPerCall[variant], peer))),
  }));
  const all = panels.flatMap(({ ratios }) => ratios.flat()).filter((ratio) => ratio !== undefined);
  const { scale, ticks } = ratioScale(all, PANEL_WIDTH);
  const words = {
    title: "Traces of real programs: time of morecore over that of a peer",
    hint: "left of 1 morecore is the faster, the axis is logarithmic",
  };
  const drawing = panels.map(({ variant, isFirst, left, top, ratios }) =>
    translated(left, top, [
      text(0, -10, "heading", variant),
      ...rows(names, PANEL_WIDTH, isFirst),
      ...bottomAxis(scale, ticks, height),
      equalLine(scale, height),
      ...peers.flatMap((peer, index) => dots(STYLES[peer], ratios[index] ?? [], scale)),
    ]),
  );
  const bottom = (panels.at(-1)?.top ?? HEAD) + height + FOOT;
  const entries = peers.map((peer): Entry => ({ name: `over ${peer}`, style: STYLES[peer] }));
  return { name: "traces", svg: framed(results, words, entries, bottom, drawing) };
}

const FLOOR: Style = { color: "#222222", symbol: symbolSquare };

/** Peak footprint over peak live bytes, and the floor. */
export function spaceChart(results: Results): Chart {
  const traces = wholeTraces(results);
  const names = traces.map(({ input }) => input.name);
  const height = names.length * ROW;
  const ratios = (peer: Drawn) =>
    traces.map(({ facts, space }) => {
      const found = figure(space[peer]);
      return found === undefined ? undefined : found.footprintBytes / facts.peakLiveBytes;
    });
  const measured = drawnPeers(results).filter((peer) => ratios(peer).some((ratio) => ratio !== undefined));
  // It begins with tens of MB, so that next to it no other could be told from the next.
  const peers = measured.filter((peer) => peer !== "mimalloc");
  const missing = measured.length > peers.length ? "; mimalloc is off the scale, see the table" : "";
  const floors = traces.map(({ facts }) => facts.floorBytes / facts.peakLiveBytes);
  const all = [...floors, ...peers.flatMap(ratios).filter((ratio) => ratio !== undefined)];
  const scale = scaleLinear([1, Math.max(...all)], [0, ROWS_WIDTH]).nice();
  const words = {
    title: "Space: peak footprint over peak live bytes",
    hint: `1 would be no overhead at all${missing}`,
  };
  const drawing = translated(NAMES_WIDTH, HEAD, [
    ...rows(names, ROWS_WIDTH),
    ...bottomAxis(scale, scale.ticks(8), height),
    ...floors.map((ratio, row) =>
      element("rect", {
        x: scale(ratio) - 1.5,
        y: row * ROW + 4,
        width: 3,
        height: ROW - 8,
        fill: FLOOR.color,
      }),
    ),
    ...[...peers].reverse().flatMap((peer) => dots(STYLES[peer], ratios(peer), scale)),
  ]);
  const floor: Entry = { name: "the floor: 4-byte headers, rounding to 16", style: FLOOR };
  const entries = [...entriesOf(peers), floor];
  return { name: "space", svg: framed(results, words, entries, HEAD + height + FOOT, [drawing]) };
}

/** Time of a call as the live set grows. */
export function scaleChart(results: Results): Chart {
  const peers = drawnPeers(results);
  const height = 290;
  const words = {
    title: "Scale: ns to replace one of so many live blocks of 16 to 144 bytes",
    hint: "lower is better, both axes are logarithmic",
  };
  const lives = results.scale.map(({ live }) => live);
  const points = (peer: Drawn) =>
    results.scale.flatMap(({ live, nsPerPair }): [number, number][] => {
      const median = figure(nsPerPair[peer])?.median;
      return median === undefined ? [] : [[live, median]];
    });
  const ticks = decades(peers.flatMap(points).map(([, ns]) => ns));
  const x = scaleLog([lives[0] ?? 1, lives.at(-1) ?? 2], [0, PLOT_WIDTH]);
  const y = scaleLog([ticks[0] ?? 1, ticks.at(-1) ?? 10], [height, 0]);
  const path = lineShape<[number, number]>(
    ([live]) => x(live),
    ([, ns]) => y(ns),
  ).digits(1);
  const drawing = translated(NUMBERS_WIDTH, HEAD, [
    ...leftAxis(y, ticks, PLOT_WIDTH),
    ...bottomAxis(x, lives, height, blockCount),
    ...[...peers].reverse().flatMap((peer) => {
      const style = STYLES[peer];
      const width = peer === "morecore" ? 3 : 1.5;
      const d = path(points(peer)) ?? "";
      return [
        element("path", { d, fill: "none", stroke: style.color, "stroke-width": width }),
        ...points(peer).map(([live, ns]) => mark(style, x(live), y(ns))),
      ];
    }),
    text(PLOT_WIDTH / 2, height + 40, "note", "live blocks", { "text-anchor": "middle" }),
  ]);
  return { name: "scale", svg: framed(results, words, entriesOf(peers), HEAD + height + 60, [drawing]) };
}

/** Whole programs in wasm: time and peak memory over dlmalloc's. */
export function programChart(results: Results): Chart {
  const { programs } = results.wasm;
  const height = programs.length * ROW;
  const besides: Style = { ...STYLES.morecore, isHollow: true };
  const measures: (Entry & { readonly values: (number | undefined)[] })[] = [
    {
      name: "time, mimalloc",
      style: STYLES.mimalloc,
      values: programs.map(({ ms }) => ms.mimalloc && ms.mimalloc.median / ms.dlmalloc.median),
    },
    {
      name: "time, merged",
      style: STYLES.morecore,
      values: programs.map(({ ms }) => ms.merged.median / ms.dlmalloc.median),
    },
    {
      name: "time, beside",
      style: besides,
      values: programs.map(({ ms }) => ms.beside.median / ms.dlmalloc.median),
    },
    {
      name: "peak memory, merged",
      style: STYLES.tlsf,
      values: programs.map(({ heapBytes }) => heapBytes.merged / heapBytes.dlmalloc),
    },
  ];
  const drawn = measures.filter(({ values }) => values.some((value) => value !== undefined));
  const all = drawn.flatMap(({ values }) => values).filter((value) => value !== undefined);
  // A mark on the very edge would be cut.
  const from = Math.floor(Math.min(1, ...all) * 20 - 0.5) / 20;
  const to = Math.ceil(Math.max(1, ...all) * 20 + 0.5) / 20;
  const scale = scaleLinear([from, to], [0, ROWS_WIDTH]);
  const words = {
    title: "Whole programs in wasm on morecore, over the same on dlmalloc",
    hint: "left of 1 is better than dlmalloc",
  };
  const drawing = translated(NAMES_WIDTH, HEAD, [
    ...rows(
      programs.map(({ program }) => program),
      ROWS_WIDTH,
    ),
    ...bottomAxis(scale, scale.ticks(8), height),
    equalLine(scale, height),
    ...drawn.flatMap(({ style, values }) => dots(style, values, scale)),
  ]);
  return { name: "programs", svg: framed(results, words, drawn, HEAD + height + FOOT, [drawing]) };
}

/** "12", "1.2k", "85k" */
function shortNumber(value: number): string {
  if (value < 1000) return value.toFixed(0);
  return `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)}k`;
}

/** "1 K", "1 M": powers of two. */
function blockCount(live: number): string {
  return live >= 1 << 20 ? `${live >>> 20} M` : `${live >>> 10} K`;
}
