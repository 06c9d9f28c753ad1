// Tables: text in rows and columns, for a terminal and for Markdown.
//
// Owns:  the shape, and how samples and ratios are written.
// Needs: cli-table3 for the terminal.

import Table from "cli-table3";
import { type Sample, spread } from "./stats.ts";

export interface TextTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * A table as lines for a terminal.
 *
 * @example
 *
 * ```ts
 * console.log(toTerminal({ title: "", head: ["peer"], rows: [["morecore"]] }).includes("morecore")); // true
 * ```
 */
export function toTerminal({ title, head, rows }: TextTable): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push([...row]);
  return `\n${title}\n${table.toString()}\n`;
}

/**
 * With its title as a heading of the level, or without one. Columns are aligned as Biome's formatter has them, so that it leaves
 * the table as it is.
 */
export function toMarkdown({ title, head, rows }: TextTable, level = 2): string {
  // Heads are broken into lines for the terminal's sake; a bar would begin another cell.
  const cell = (text: string) => text.replaceAll("\n", " ").replaceAll("|", "\\|");
  const lines = [head, ...rows].map((line) => line.map(cell));
  const columns = head.map((_, index) =>
    columnOf(
      lines.map((line) => line[index] ?? ""),
      index > 0,
    ),
  );
  const text = (line: readonly string[]) =>
    `| ${columns.map((column, index) => column.padded(line[index] ?? "")).join(" | ")} |`;
  const [first = [], ...others] = lines;
  const heading = level === 0 ? [] : [`${"#".repeat(level)} ${title}`, ""];
  const rule = `| ${columns.map((column) => column.rule).join(" | ")} |`;
  return [...heading, text(first), rule, ...others.map(text), ""].join("\n");
}

interface Column {
  readonly rule: string;
  padded(cell: string): string;
}

/** Numbers stand at the right. */
function columnOf([head = "", ...cells]: readonly string[], mayBeNumbers: boolean): Column {
  const width = Math.max(3, head.length, ...cells.map((cell) => cell.length));
  if (mayBeNumbers && cells.every((cell) => /^([\d–≤≥]|$)/.test(cell)))
    return { rule: `${"-".repeat(width - 1)}:`, padded: (cell) => cell.padStart(width) };
  return { rule: "-".repeat(width), padded: (cell) => cell.padEnd(width) };
}

/** "12.3 ±2% (12.1)": the median, its spread where there is one, and the minimum. */
export function sampleText(sample: Sample, digits: number): string {
  const part = spread(sample);
  const around = part === undefined ? "" : ` ±${Math.round(part * 100)}%`;
  return `${sample.median.toFixed(digits)}${around} (${sample.min.toFixed(digits)})`;
}

/** "0.81"; "–" where there is none. */
export function ratioText(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : "–";
}
