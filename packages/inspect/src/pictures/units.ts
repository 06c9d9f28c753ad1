// Units: numbers for people. KB, MB and GB are powers of ten, as in traces/README.md.

import { format } from "d3-format";

const UNITS = ["B", "KB", "MB", "GB"] as const;

export interface Unit {
  readonly name: (typeof UNITS)[number];
  readonly bytes: number;
}

/** The largest unit of which `bytes` has at least one. */
export function unitFor(bytes: number): Unit {
  let unit: Unit = { name: "B", bytes: 1 };
  UNITS.forEach((name, index) => {
    if (bytes >= 1000 ** index) unit = { name, bytes: 1000 ** index };
  });
  return unit;
}

/**
 * "4.92 MB"
 *
 * @example
 *
 * ```ts
 * console.log(formatBytes(4_920_000)); // 4.92 MB
 * ```
 */
export function formatBytes(bytes: number): string {
  const unit = unitFor(bytes);
  return `${unit.bytes === 1 ? bytes : (bytes / unit.bytes).toPrecision(3)} ${unit.name}`;
}

/** "894,294" */
export const formatCount: (count: number) => string = format(",d");

/** "400k", for axes */
export const formatShort: (count: number) => string = format("~s");

/** "93.2%" */
export const formatShare: (share: number) => string = format(".1%");
