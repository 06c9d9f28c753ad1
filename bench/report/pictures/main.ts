// Pictures: the figures of the last full run as pictures, drawn without measuring.
//
// Owns:  which pictures there are, and their files.
// Needs: bench/results.json, which --save writes; echarts, which draws SVG without a browser.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as echarts from "echarts";
import { CHARTS, RESULTS_JSON } from "../../paths.ts";
import type { Results } from "../results.ts";
import { patternChart, programChart, scaleChart, spaceChart, traceChart } from "./charts.ts";
import type { Chart } from "./frame.ts";

export interface ChartsOptions {
  readonly from?: string;
  readonly to?: string;
}

const NO_RESULTS = 2;

export function drawCharts({ from = RESULTS_JSON, to = CHARTS }: ChartsOptions): void {
  const results = readResults(from);
  if (typeof results === "string") {
    console.error(`bench: ${results}`);
    process.exitCode = NO_RESULTS;
    return;
  }
  mkdirSync(to, { recursive: true });
  for (const chart of chartsOf(results)) {
    const file = path.join(to, `${chart.name}.svg`);
    writeFileSync(file, svgOf(chart));
    console.error(`written: ${file}`);
  }
}

/** One for each thing that was measured. */
function chartsOf(results: Results): Chart[] {
  const charts: Chart[] = [];
  if (results.patterns.length > 0) charts.push(patternChart(results));
  if (results.traces.length > 0) charts.push(traceChart(results), spaceChart(results));
  if (results.scale.length > 0) charts.push(scaleChart(results));
  if (results.wasm.programs.length > 0) charts.push(programChart(results));
  return charts;
}

function svgOf({ width, height, option }: Chart): string {
  const drawing = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  drawing.setOption({ animation: false, backgroundColor: "#ffffff", ...option });
  const svg = drawing.renderToSVGString();
  drawing.dispose();
  return `${svg}\n`;
}

/** The results, or why there are none. */
function readResults(file: string): Results | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `no results to draw: ${why}; npm run bench -- --save writes them`;
  }
  const isResults = typeof parsed === "object" && parsed !== null && "traces" in parsed && "wasm" in parsed;
  // A border: what has these members was written by run.ts.
  return isResults
    ? (parsed as Results)
    : `${file}: these are no results of npm run bench -- --json or --save`;
}
