// Palette: the colours and letters of the pictures, and what they stand for.

import type { ChunkState } from "../replay/heap-map.ts";

/** Red, green, blue; as numbers, because a cell of mixed chunks has a mixed colour. */
export const STATE_COLOURS: Readonly<Record<ChunkState, readonly [number, number, number]>> = {
  live: [47, 111, 179],
  overhead: [96, 110, 124],
  cached: [242, 177, 52],
  free: [222, 92, 84],
  top: [222, 227, 233],
};

export const STYLE = `
text { font-family: system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; fill: #1f2933; font-size: 12px; }
.title { font-size: 20px; font-weight: 600; }
.heading { font-size: 14px; font-weight: 600; }
.label { font-size: 13px; }
.note, .tick { fill: #5b6773; }
.tick { font-size: 11px; }
.paper { fill: #ffffff; }
.grid { stroke: #e8ecf0; }
.axis { stroke: #8894a0; }
.live { fill: #2f6fb3; fill-opacity: 0.6; }
.range { fill: #2f6fb3; fill-opacity: 0.28; }
.footprint { fill: none; stroke: #b4470e; stroke-width: 1.8; }
.peak { stroke: #5b6773; stroke-dasharray: 4 3; }
`;

/** "#2f6fb3" */
export function hexColour(colour: readonly number[]): string {
  return `#${colour.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}
