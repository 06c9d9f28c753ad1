// Pictures: the figures of the last full run as pictures, drawn without measuring.
//
// Owns:  which pictures there are, and their files.
// Needs: bench/results/main.json, which --save writes.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CHARTS, RESULTS } from "../../harness/paths.ts";
import type { Results } from "../../suites/results.ts";
import { patternChart, programChart, scaleChart, spaceChart, traceChart } from "./charts.ts";
import type { Chart } from "./frame.ts";

export interface ChartsOptions {
  readonly from?: string;
  readonly to?: string;
}

const NO_RESULTS = 2;
const LAST = path.join(RESULTS, "main.json");

/** The exit code: 2 if there are no results. */
export function drawCharts({ from = LAST, to = CHARTS }: ChartsOptions): number {
  const results = readResults(from);
  if (typeof results === "string") {
    console.error(`bench: ${results}`);
    return NO_RESULTS;
  }
  mkdirSync(to, { recursive: true });
  for (const chart of chartsOf(results)) {
    const file = path.join(to, `${chart.name}.svg`);
    writeFileSync(file, chart.svg);
    console.error(`written: ${file}`);
  }
  return 0;
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
  // A border: what has these members was written by suites/whole.ts.
  return isResults
    ? (parsed as Results)
    : `${file}: these are no results of npm run bench -- --json or --save`;
}
