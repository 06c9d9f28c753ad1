// Frame: what all charts have in common.
//
// Owns:  colours and symbols of the peers, the title, the legend, axes.
// Needs: results; d3 for scales and symbols, and the SVG of @morecore/inspect.

import { element, line, sheet, text, translated } from "@morecore/inspect/pictures";
import { type ScaleLinear, type ScaleLogarithmic, scaleLog } from "d3-scale";
import { type SymbolType, symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from "d3-shape";
import { PEER_NAMES, type PeerName } from "../../peers/peer.ts";
import type { Results } from "../../suites/results.ts";

export interface Chart {
  /** Of the file, without its extension. */
  readonly name: string;
  readonly svg: string;
}

/** The peers that have figures. */
export type Drawn = Exclude<PeerName, "nothing">;

export interface Style {
  readonly color: string;
  readonly symbol: SymbolType;
  /** Only the outline. */
  readonly isHollow?: true;
}

/** Told apart without colours, too. The hues are Okabe and Ito's. */
export const STYLES: Readonly<Record<Drawn, Style>> = {
  morecore: { color: "#0072b2", symbol: symbolCircle },
  dlmalloc: { color: "#d55e00", symbol: symbolDiamond },
  mimalloc: { color: "#56b4e9", symbol: symbolDiamond, isHollow: true },
  tlsf: { color: "#009e73", symbol: symbolTriangle },
  "thi.ng": { color: "#cc79a7", symbol: symbolSquare },
  "v8-arrays": { color: "#767676", symbol: symbolCircle, isHollow: true },
  "v8-objects": { color: "#e69f00", symbol: symbolSquare, isHollow: true },
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
/** From the plot to the right edge. */
export const MARGIN = 30;

const LEFT = 14;
const MARK_AREA = 80;

export interface Words {
  readonly title: string;
  /** How to read it. */
  readonly hint: string;
}

export interface Entry {
  readonly name: string;
  readonly style: Style;
}

/** The file of a chart: title, hint, legend, and what is drawn. */
export function framed(
  results: Results,
  { title, hint }: Words,
  entries: readonly Entry[],
  height: number,
  drawing: readonly string[],
): string {
  const machine = results.machine.split(",").slice(0, 2).join(",");
  const description = `${hint} (${machine}, Node ${results.versions["node"]}, ${results.rounds} rounds)`;
  return sheet({ width: WIDTH, height, title, description }, [
    text(LEFT, 28, "title", title),
    text(LEFT, 50, "note", description),
    translated(LEFT, 78, [legend(entries)]),
    ...drawing,
  ]);
}

function legend(entries: readonly Entry[]): string {
  // A width for any font: what stands side by side must not run into one another.
  let x = 0;
  const drawn = entries.map(({ name, style }) => {
    const entry = translated(x, 0, [mark(style, 6, 0), text(18, 4, "note", name)]);
    x += 38 + name.length * 7;
    return entry;
  });
  return element("g", {}, drawn);
}

/** Those that took part, in the order of the tables. */
export function drawnPeers(results: Results): Drawn[] {
  return PEER_NAMES.filter(
    (peer): peer is Drawn => peer !== "nothing" && results.versions[peer] !== undefined,
  );
}

export function entriesOf(peers: readonly Drawn[]): Entry[] {
  return peers.map((peer) => ({ name: peer, style: STYLES[peer] }));
}

export function mark({ color, symbol: type, isHollow }: Style, x: number, y: number): string {
  const paint = isHollow
    ? { fill: "#ffffff", stroke: color, "stroke-width": 1.8 }
    : { fill: color, "fill-opacity": 0.9 };
  const d = symbol(type, MARK_AREA).digits(1)() ?? "";
  return element("path", { d, transform: `translate(${hundredths(x)} ${hundredths(y)})`, ...paint });
}

/** Names of rows, the first on top, each with a line; in a box whose left edge is where the plot begins. */
export function rows(names: readonly string[], width: number, isLabelled = true): string[] {
  return names.map((name, row) => {
    const y = middle(row);
    const label = isLabelled ? text(-10, y + 4, "label", name, { "text-anchor": "end" }) : "";
    return line(0, y, width, y, "grid") + label;
  });
}

/** Of a row. */
export function middle(row: number): number {
  return (row + 0.5) * ROW;
}

type Scale = ScaleLinear<number, number> | ScaleLogarithmic<number, number>;

/** Ticks below a plot of this height, with lines through it. */
export function bottomAxis(
  scale: Scale,
  ticks: readonly number[],
  height: number,
  label: (tick: number) => string = String,
): string[] {
  return ticks.map((tick) => {
    const words = text(scale(tick), height + 18, "tick", label(tick), { "text-anchor": "middle" });
    return line(scale(tick), 0, scale(tick), height, "grid") + words;
  });
}

/** Ticks left of a plot of this width, with lines through it. */
export function leftAxis(scale: Scale, ticks: readonly number[], width: number): string[] {
  return ticks.map((tick) => {
    const words = text(-8, scale(tick) + 4, "tick", tick.toLocaleString("en"), { "text-anchor": "end" });
    return line(0, scale(tick), width, scale(tick), "grid") + words;
  });
}

/** A line where two are equal. */
export function equalLine(scale: Scale, height: number): string {
  return line(scale(1), 0, scale(1), height, "axis");
}

/** One mark in each row that has a value. */
export function dots(style: Style, values: readonly (number | undefined)[], scale: Scale): string[] {
  return values.flatMap((value, row) => (value === undefined ? [] : mark(style, scale(value), middle(row))));
}

/** Ticks of ratios: about equally far from each other on a logarithmic axis. */
const RATIO_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.4, 2, 3, 5, 10];

/** An axis of ratios: half and double are equally far from 1. */
export function ratioScale(ratios: readonly number[], width: number): RatioScale {
  const least = Math.min(1, ...ratios);
  const most = Math.max(1, ...ratios);
  const from = RATIO_TICKS.findLast((tick) => tick <= least) ?? least;
  const to = RATIO_TICKS.find((tick) => tick >= most) ?? most;
  return {
    scale: scaleLog([from, to], [0, width]),
    ticks: RATIO_TICKS.filter((tick) => tick >= from && tick <= to),
  };
}

export interface RatioScale {
  readonly scale: ScaleLogarithmic<number, number>;
  readonly ticks: readonly number[];
}

/** The powers of ten from the one at or below all values to the one at or above. */
export function decades(values: readonly number[]): number[] {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: Math.max(2, to - from + 1) }, (_, index) => 10 ** (from + index));
}

export function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
