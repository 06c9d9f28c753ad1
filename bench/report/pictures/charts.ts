// Charts: what each picture shows, in the words of echarts.
//
// Owns:  which figures are drawn, and how.
// Needs: results, frame.

import type { EChartsOption, SeriesOption } from "echarts";
import { timeRatio, wholeTraces } from "../../harness/ratios.ts";
import { figure, VARIANTS } from "../../harness/results.ts";
import type { Results } from "../results.ts";
import {
  type Chart,
  type Drawn,
  decadeBelow,
  dots,
  drawnPeers,
  FOOT,
  GRID_LINE,
  HEAD,
  legend,
  lineAt,
  NAMES_WIDTH,
  QUIET,
  ROW,
  ratioAxis,
  rows,
  STYLES,
  TEXT,
  title,
  WIDTH,
} from "./frame.ts";

/** Time of the micro patterns. */
export function patternChart(results: Results): Chart {
  const peers = drawnPeers(results);
  const words = {
    title: "Patterns: ns for a malloc and a free, called from JavaScript",
    hint: "lower is better, the axis is logarithmic",
  };
  const bars = peers.map(
    (peer): SeriesOption => ({
      name: peer,
      type: "bar",
      itemStyle: { color: STYLES[peer].color },
      label: { ...QUIET, show: true, position: "top", formatter: ({ value }) => shortNumber(Number(value)) },
      data: results.patterns.map(({ nsPerPair }) => figure(nsPerPair[peer])?.median ?? "-"),
    }),
  );
  const option: EChartsOption = {
    title: title(results, words),
    legend: legend(peers),
    grid: { left: 64, right: 24, top: HEAD, bottom: FOOT },
    xAxis: {
      type: "category",
      data: results.patterns.map(({ pattern }) => pattern),
      axisLabel: TEXT,
      axisTick: { show: false },
    },
    yAxis: { type: "log", min: 1, axisLabel: QUIET, splitLine: GRID_LINE },
    series: bars,
  };
  return { name: "patterns", width: WIDTH, height: 430, option };
}

/** Of whole traces there are no figures of others but V8's arrays, which are off the scale. */
const WASM_PEERS: readonly Drawn[] = ["dlmalloc", "mimalloc", "tlsf"];
const PANEL_GAP = 36;
const PANEL_WIDTH = (WIDTH - NAMES_WIDTH - PANEL_GAP - 24) / 2;
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
  const axis = ratioAxis(all);
  const words = {
    title: "Traces of real programs: time of morecore over that of a peer",
    hint: "left of 1 morecore is the faster, the axis is logarithmic",
  };
  const option: EChartsOption = {
    title: [
      title(results, words),
      ...panels.map(({ variant, left, top }) => ({
        text: variant,
        left,
        top: top - PANEL_TITLE,
        padding: 0,
        textStyle: { ...TEXT, fontWeight: "bold" as const },
      })),
    ],
    legend: legend(peers.map((peer) => `over ${peer}`)),
    grid: panels.map(({ left, top }) => ({ left, top, width: PANEL_WIDTH, height })),
    xAxis: panels.map((_, gridIndex) => ({ ...axis, gridIndex })),
    yAxis: panels.map(({ isFirst }, gridIndex) => ({ ...rows(names, isFirst), gridIndex })),
    series: panels.flatMap(({ ratios }, panel) =>
      peers.map((peer, index) => ({
        ...dots(`over ${peer}`, STYLES[peer], ratios[index] ?? []),
        xAxisIndex: panel,
        yAxisIndex: panel,
        markLine: lineAt(1),
      })),
    ),
  };
  const last = panels.at(-1)?.top ?? HEAD;
  return { name: "traces", width: WIDTH, height: last + height + FOOT, option };
}

/** Peak footprint over peak live bytes, and the floor. */
export function spaceChart(results: Results): Chart {
  const traces = wholeTraces(results);
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
  const floor = {
    ...dots("floor: 4-byte headers and rounding to 16", { color: "#222222", symbol: "rect" }, floors),
    symbolSize: [3, 18],
  };
  const words = {
    title: "Space: peak footprint over peak live bytes",
    hint: `1 would be no overhead at all${missing}`,
  };
  const option: EChartsOption = {
    title: title(results, words),
    legend: legend([...peers, String(floor.name)]),
    grid: { left: NAMES_WIDTH, right: 30, top: HEAD, height: traces.length * ROW },
    yAxis: rows(traces.map(({ input }) => input.name)),
    xAxis: { type: "value", min: 1, axisLabel: QUIET, splitLine: GRID_LINE },
    series: [floor, ...peers.map((peer) => dots(peer, STYLES[peer], ratios(peer)))],
  };
  return { name: "space", width: WIDTH, height: HEAD + traces.length * ROW + FOOT, option };
}

/** Time of a call as the live set grows. */
export function scaleChart(results: Results): Chart {
  const peers = drawnPeers(results);
  const words = {
    title: "Scale: ns to replace one of so many live blocks of 16 to 144 bytes",
    hint: "lower is better, both axes are logarithmic",
  };
  const times = results.scale.flatMap(({ nsPerPair }) =>
    peers.flatMap((peer) => figure(nsPerPair[peer])?.median ?? []),
  );
  const lines = peers.map(
    (peer): SeriesOption => ({
      name: peer,
      type: "line",
      symbol: STYLES[peer].symbol,
      symbolSize: 9,
      lineStyle: { color: STYLES[peer].color, width: peer === "morecore" ? 3 : 1.5 },
      itemStyle: { color: STYLES[peer].color },
      data: results.scale.flatMap(({ live, nsPerPair }) => {
        const median = figure(nsPerPair[peer])?.median;
        return median === undefined ? [] : [[live, median]];
      }),
    }),
  );
  const option: EChartsOption = {
    title: title(results, words),
    legend: legend(peers),
    grid: { left: 64, right: 40, top: HEAD, bottom: FOOT + 16 },
    xAxis: {
      type: "log",
      logBase: 4,
      min: results.scale[0]?.live ?? 1,
      max: results.scale.at(-1)?.live ?? 1,
      name: "live blocks",
      nameLocation: "middle",
      nameGap: 28,
      nameTextStyle: QUIET,
      axisLabel: { ...QUIET, formatter: blockCount },
      splitLine: GRID_LINE,
    },
    yAxis: { type: "log", min: decadeBelow(times), axisLabel: QUIET, splitLine: GRID_LINE },
    series: lines,
  };
  return { name: "scale", width: WIDTH, height: 470, option };
}

/** Whole programs in wasm: time and peak memory over dlmalloc's. */
export function programChart(results: Results): Chart {
  const { programs } = results.wasm;
  const ofMimalloc = programs.map(({ ms }) => ms.mimalloc && ms.mimalloc.median / ms.dlmalloc.median);
  const measures = [
    ...(ofMimalloc.some(Number.isFinite) ? [dots("time, mimalloc", STYLES.mimalloc, ofMimalloc)] : []),
    dots(
      "time, merged",
      STYLES.morecore,
      programs.map(({ ms }) => ms.merged.median / ms.dlmalloc.median),
    ),
    dots(
      "time, beside",
      { ...STYLES.morecore, symbol: "emptyCircle" },
      programs.map(({ ms }) => ms.beside.median / ms.dlmalloc.median),
    ),
    dots(
      "peak memory, merged",
      STYLES.tlsf,
      programs.map(({ heapBytes }) => heapBytes.merged / heapBytes.dlmalloc),
    ),
  ];
  const words = {
    title: "Whole programs in wasm on morecore, over the same on dlmalloc",
    hint: "left of 1 is better than dlmalloc",
  };
  const option: EChartsOption = {
    title: title(results, words),
    legend: legend(measures.map(({ name }) => String(name))),
    grid: { left: NAMES_WIDTH, right: 30, top: HEAD, height: programs.length * ROW },
    yAxis: rows(programs.map(({ program }) => program)),
    xAxis: {
      type: "value",
      // A mark on the very edge would be cut.
      min: ({ min }) => Math.floor(Math.min(min, 1) * 20 - 0.5) / 20,
      max: ({ max }) => Math.ceil(Math.max(max, 1) * 20 + 0.5) / 20,
      axisLabel: QUIET,
      splitLine: GRID_LINE,
    },
    series: measures.map((measure) => ({ ...measure, markLine: lineAt(1) })),
  };
  return { name: "programs", width: WIDTH, height: HEAD + programs.length * ROW + FOOT, option };
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
