// Chart: live bytes and footprint over the calls of a replay.
//
// Owns:       the upper half of a replay's picture.
// Needs:      d3-scale for axes, d3-shape for curves, the samples of a replay.
// Invariants: H1  footprint and the top edge of the live area are the largest values between two samples, so that no
//                 peak is lost however many calls lie between them

import { scaleLinear } from "d3-scale";
import { area, curveStepBefore, line as lineShape } from "d3-shape";
import type { ReplayResult, ReplaySample } from "../replay/replay.ts";
import { element, line, text, translated } from "./svg.ts";
import { formatCount, formatShort, unitFor } from "./units.ts";

const TICK_COUNT = 6;
/** Room that the words "peak live" need beside their line. */
const LABEL_WIDTH = 160;

/** The chart in a box of this size, axes' labels below and left of it. */
export function drawChart(result: ReplayResult, width: number, height: number): string {
  const samples = result.samples;
  const most = Math.max(1, result.peakFootprint, result.peakLiveBytes);
  const unit = unitFor(most);
  const x = scaleLinear([0, Math.max(1, result.calls)], [0, width]);
  const y = scaleLinear([0, most / unit.bytes], [height, 0]).nice(TICK_COUNT);
  const atX = (sample: ReplaySample): number => x(sample.calls);
  const atY = (bytes: number): number => y(bytes / unit.bytes);
  const band = (from: (sample: ReplaySample) => number, to: (sample: ReplaySample) => number): string =>
    area<ReplaySample>(atX, from, to).curve(curveStepBefore).digits(1)(samples) ?? "";
  const floor = (): number => atY(0);
  const least = (sample: ReplaySample): number => atY(sample.leastLiveBytes);
  const live = (sample: ReplaySample): number => atY(sample.liveBytes);
  const footprint = lineShape<ReplaySample>(atX, (sample) => atY(sample.footprint)).curve(curveStepBefore);
  const rows = y.ticks(TICK_COUNT).map((tick) => {
    const label = text(-8, y(tick) + 4, "tick", String(tick), { "text-anchor": "end" });
    return line(0, y(tick), width, y(tick), "grid") + label;
  });
  const columns = x.ticks(TICK_COUNT).map((tick) => {
    const label = text(x(tick), height + 18, "tick", formatShort(tick), { "text-anchor": "middle" });
    return line(x(tick), height, x(tick), height + 5, "axis") + label;
  });
  return element("g", {}, [
    ...rows,
    element("path", { d: band(floor, least), class: "live" }),
    element("path", { d: band(least, live), class: "range" }),
    element("path", { d: footprint.digits(1)(samples) ?? "", class: "footprint" }),
    ...columns,
    line(0, height, width, height, "axis"),
    ...drawPeak(result, x(result.peakCall + 1), width, height),
    text(width / 2, height + 38, "note", "calls played", { "text-anchor": "middle" }),
    text(0, 0, "note", unit.name, {
      transform: `translate(-52 ${height / 2}) rotate(-90)`,
      "text-anchor": "middle",
    }),
  ]);
}

/** What the chart's colours mean, to the left of x = 0. */
export function drawChartLegend(): string {
  const entry = (x: number, mark: string, words: string): string =>
    translated(x, 0, [mark, text(24, 4, "note", words)]);
  const box = (what: string): string => element("rect", { y: -6, width: 18, height: 12, class: what });
  const stroke = element("path", { d: "M0 0h18", class: "footprint" });
  return element("g", {}, [
    entry(-380, stroke, "footprint"),
    entry(-284, box("live"), "live bytes"),
    entry(-172, box("range"), "range between samples"),
  ]);
}

function drawPeak(result: ReplayResult, x: number, width: number, height: number): string[] {
  if (result.peakCall < 0) return [];
  const right = x + LABEL_WIDTH < width;
  const words = `peak of live bytes: call ${formatCount(result.peakCall)}`;
  const label = text(right ? x + 6 : x - 6, -6, "tick", words, { "text-anchor": right ? "start" : "end" });
  return [line(x, -12, x, height, "peak"), label];
}
