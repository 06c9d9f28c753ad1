// Map picture: a heap as rows of coloured cells, lowest address first.
//
// Owns:       the lower half of a replay's picture.
// Needs:      heap-map, palette.
//
// Cells of one colour are one path: a heap of 3000 cells is some tens of kilobytes of SVG, not some hundreds.

import { CHUNK_STATES, type ChunkState, cellsOf, type HeapMap } from "../replay/heap-map.ts";
import { hexColour, STATE_COLOURS } from "./palette.ts";
import { element, text, translated } from "./svg.ts";
import { formatBytes, formatCount, formatShare } from "./units.ts";

const COLUMNS = 120;
const MOST_ROWS = 28;
/** Shares of a cell are drawn to the nearest of so many steps, so that colours repeat. */
const SHADES = 24;

const MEANINGS: Readonly<Record<ChunkState, string>> = {
  live: "in use by the program",
  overhead: "the heap's own",
  cached: "freed, kept for its own size",
  free: "freed, merged, in a bin",
  top: "the free end of the heap",
};

export interface Picture {
  readonly svg: string;
  readonly height: number;
}

/** The map, `width` wide and as high as it needs. */
export function drawMap(map: HeapMap, width: number): Picture {
  const { cellBytes, cellCount, stateBytes } = cellsOf(map, COLUMNS * MOST_ROWS);
  const pitch = width / COLUMNS;
  const rows = Math.ceil(cellCount / COLUMNS);
  const paths = new Map<string, string[]>();
  for (let cell = 0; cell < cellCount; cell++) {
    const colour = mixedColour(stateBytes.subarray(cell * CHUNK_STATES.length), CHUNK_STATES.length);
    const at = `M${tenths((cell % COLUMNS) * pitch)} ${tenths(Math.floor(cell / COLUMNS) * pitch)}`;
    const side = tenths(pitch - 1);
    const square = `${at}h${side}v${side}h-${side}z`;
    const known = paths.get(colour);
    if (known === undefined) paths.set(colour, [square]);
    else known.push(square);
  }
  const cells = [...paths].map(([fill, squares]) => element("path", { fill, d: squares.join("") }));
  const note = `One cell is ${formatBytes(cellBytes)}, a row ${formatBytes(cellBytes * COLUMNS)}.`;
  const below = rows * pitch;
  return {
    svg: element("g", {}, [
      ...cells,
      text(
        0,
        below + 18,
        "note",
        `Lowest address first, headers and rounding included. ${note} Cells of several states have mixed colours.`,
      ),
      translated(0, below + 46, [drawLegend(map, width)]),
    ]),
    height: below + 78,
  };
}

function drawLegend(map: HeapMap, width: number): string {
  const total = CHUNK_STATES.reduce((sum, state) => sum + map.bytes[state], 0);
  const entries = CHUNK_STATES.map((state, index) => {
    const share = formatShare(total === 0 ? 0 : map.bytes[state] / total);
    const blocks = map.counts[state] === 1 ? "1 block" : `${formatCount(map.counts[state])} blocks`;
    return translated((index * width) / CHUNK_STATES.length, 0, [
      element("rect", { y: -9, width: 12, height: 12, fill: hexColour(STATE_COLOURS[state]) }, [
        `<title>${state}: ${MEANINGS[state]}</title>`,
      ]),
      // A line each: what is side by side must be short, in any font.
      text(18, 2, "legend", `${state} ${share}`),
      text(18, 17, "tick", `${formatBytes(map.bytes[state])}, ${blocks}`),
      text(18, 31, "tick", MEANINGS[state]),
    ]);
  });
  return element("g", {}, entries);
}

/** The states' colours, each as much as it has bytes in the cell. */
function mixedColour(bytes: Float64Array, count: number): string {
  let total = 0;
  for (let state = 0; state < count; state++) total += bytes[state] ?? 0;
  const mixed = [0, 0, 0];
  CHUNK_STATES.forEach((state, index) => {
    const share = Math.round((SHADES * (bytes[index] ?? 0)) / total) / SHADES;
    STATE_COLOURS[state].forEach((part, channel) => {
      mixed[channel] = (mixed[channel] ?? 0) + part * share;
    });
  });
  return hexColour(mixed.map((part) => Math.min(255, part)));
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
