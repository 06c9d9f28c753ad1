// Frame: what all charts have in common.
//
// Owns:  colours and symbols of the peers, texts, axes, the title.
// Needs: results.

import type {
  EChartsOption,
  LegendComponentOption,
  MarkLineComponentOption,
  ScatterSeriesOption,
  TitleComponentOption,
  XAXisComponentOption,
  YAXisComponentOption,
} from "echarts";
import { PEER_NAMES, type PeerName } from "../../peers/peer.ts";
import type { Results } from "../results.ts";

export interface Chart {
  /** Of the file, without its extension. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly option: EChartsOption;
}

/** The peers that have figures. */
export type Drawn = Exclude<PeerName, "nothing">;

interface Style {
  readonly color: string;
  readonly symbol: string;
}

/** Told apart without colours, too. The hues are Okabe and Ito's. */
export const STYLES: Readonly<Record<Drawn, Style>> = {
  morecore: { color: "#0072b2", symbol: "circle" },
  dlmalloc: { color: "#d55e00", symbol: "diamond" },
  mimalloc: { color: "#56b4e9", symbol: "emptyDiamond" },
  tlsf: { color: "#009e73", symbol: "triangle" },
  "thi.ng": { color: "#cc79a7", symbol: "rect" },
  "v8-arrays": { color: "#767676", symbol: "emptyCircle" },
  "v8-objects": { color: "#e69f00", symbol: "emptyRect" },
};

export const WIDTH = 900;
/** Of one trace or program. */
export const ROW = 26;
/** Where the names of traces and programs end, and the plot begins. */
export const NAMES_WIDTH = 130;
/** Where the plot begins, under title and legend. */
export const HEAD = 112;
/** Room for the labels of the axis at the bottom. */
export const FOOT = 44;

const FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif";
const INK = "#222222";
export const TEXT = { color: INK, fontFamily: FONT, fontSize: 13 };
export const QUIET = { ...TEXT, color: "#555555", fontSize: 12 };
export const GRID_LINE = { show: true, lineStyle: { color: "#e6e6e6" } };

export interface Words {
  readonly title: string;
  /** How to read it. */
  readonly hint: string;
}

/** Those that took part, in the order of the tables. */
export function drawnPeers(results: Results): Drawn[] {
  return PEER_NAMES.filter(
    (peer): peer is Drawn => peer !== "nothing" && results.versions[peer] !== undefined,
  );
}

export function title(results: Results, { title, hint }: Words): TitleComponentOption {
  const machine = results.machine.split(",").slice(0, 2).join(",");
  const source = `${machine}, Node ${results.versions["node"]}, ${results.rounds} rounds`;
  return {
    text: title,
    subtext: `${hint} (${source})`,
    left: 14,
    top: 12,
    textStyle: { ...TEXT, fontSize: 17, fontWeight: "bold" },
    subtextStyle: QUIET,
  };
}

export function legend(names: readonly string[]): LegendComponentOption {
  return { data: [...names], top: 68, left: 14, itemGap: 20, itemWidth: 18, itemHeight: 12, textStyle: TEXT };
}

/** A row for each name, the first on top. */
export function rows(names: readonly string[], isLabelled = true): YAXisComponentOption {
  return {
    type: "category",
    data: [...names],
    inverse: true,
    axisLabel: { ...TEXT, show: isLabelled, interval: 0 },
    axisTick: { show: false },
    axisLine: { show: false },
    splitLine: GRID_LINE,
  };
}

/** Ticks of ratios: about equally far from each other on a logarithmic axis. */
const RATIO_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.4, 2, 3, 5, 10];

/** An axis of ratios: half and double are equally far from 1. */
export function ratioAxis(ratios: readonly number[]): XAXisComponentOption {
  const least = Math.min(1, ...ratios);
  const most = Math.max(1, ...ratios);
  const min = RATIO_TICKS.findLast((tick) => tick <= least) ?? least;
  const max = RATIO_TICKS.find((tick) => tick >= most) ?? most;
  const customValues = RATIO_TICKS.filter((tick) => tick >= min && tick <= max);
  return {
    type: "log",
    logBase: 2,
    min,
    max,
    axisTick: { show: true, customValues },
    axisLabel: { ...QUIET, customValues },
    splitLine: { show: false },
  };
}

/** The power of ten at or below all values: where a logarithmic axis can begin. */
export function decadeBelow(values: readonly number[]): number {
  return 10 ** Math.floor(Math.log10(Math.min(...values)));
}

/** One mark in each row that has a value. */
export function dots(
  name: string,
  style: Style,
  values: readonly (number | undefined)[],
): ScatterSeriesOption {
  return {
    name,
    type: "scatter",
    symbol: style.symbol,
    symbolSize: 11,
    itemStyle: { color: style.color, opacity: 0.9 },
    data: values.flatMap((value, row) => (value === undefined ? [] : [[value, row]])),
  };
}

/** A line where two are equal. */
export function lineAt(value: number): MarkLineComponentOption {
  return {
    silent: true,
    symbol: "none",
    label: { show: false },
    lineStyle: { color: INK, type: "solid", width: 1 },
    data: [{ xAxis: value }],
  };
}
