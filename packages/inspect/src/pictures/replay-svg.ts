// Replay SVG: one picture of one replay.
//
// Owns:       where things stand on the sheet.
// Needs:      chart, map-picture, svg.

import type { ReplayResult } from "../replay/replay.ts";
import { drawChart, drawChartLegend } from "./chart.ts";
import { drawMap, type Picture } from "./map-picture.ts";
import { sheet, text, translated } from "./svg.ts";
import { formatBytes, formatCount } from "./units.ts";

const WIDTH = 1120;
const LEFT = 84;
const RIGHT = 36;
const INNER = WIDTH - LEFT - RIGHT;
const CHART_TOP = 118;
const CHART_HEIGHT = 300;
const MAP_HEADING = CHART_TOP + CHART_HEIGHT + 82;
const MAP_TOP = MAP_HEADING + 18;
const BOTTOM = 24;

/**
 * The picture of a replay as the text of an SVG file. `name` is the trace's.
 *
 * @example
 *
 * ```ts
 * const trace = decodeTrace(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 10 }]));
 * console.log(replaySvg("mine", replay(trace, Heap.create())).startsWith("<svg")); // true
 * ```
 */
export function replaySvg(name: string, result: ReplayResult): string {
  const map = drawPeakMap(result);
  const height = Math.ceil(MAP_TOP + map.height + BOTTOM);
  const summary = summaryOf(result);
  const title = `${name} on morecore`;
  return sheet({ width: WIDTH, height, title, description: summary }, [
    text(LEFT, 38, "title", title),
    text(LEFT, 60, "note", summary),
    translated(WIDTH - RIGHT, 88, [drawChartLegend()]),
    text(LEFT, 92, "heading", "Bytes over the run"),
    translated(LEFT, CHART_TOP, [drawChart(result, INNER, CHART_HEIGHT)]),
    text(LEFT, MAP_HEADING, "heading", "The heap at the peak of live bytes"),
    translated(LEFT, MAP_TOP, [map.svg]),
  ]);
}

function drawPeakMap(result: ReplayResult): Picture {
  if (result.peakMap !== undefined) return drawMap(result.peakMap, INNER);
  const words = "No map: the replay stopped before the peak was reached.";
  return { svg: text(0, 12, "note", words), height: 24 };
}

function summaryOf(result: ReplayResult): string {
  const ratio = result.peakFootprint / Math.max(1, result.peakLiveBytes);
  const errors = result.errorCount === 1 ? "1 error" : `${formatCount(result.errorCount)} errors`;
  return [
    `${formatCount(result.calls)} calls`,
    `peak live ${formatBytes(result.peakLiveBytes)}`,
    `peak footprint ${formatBytes(result.peakFootprint)}`,
    `footprint over live ${ratio.toFixed(3)}`,
    errors,
  ].join("  ·  ");
}
