// Report: what stands around the tables, and the file RESULTS.md.
//
// Owns:  the description of the run and the notes on what is missing.
// Needs: results.

import { referencePeer } from "../harness/ratios.ts";
import { skippedReasons } from "../harness/report.ts";
import { toMarkdown } from "../harness/tables.ts";
import { anomalyNotes } from "../suites/patterns/anomalies.ts";
import type { Results } from "./results.ts";
import { allTables } from "./tables.ts";

/** Machine, versions, command: without them no figure means anything. */
export function describe(results: Results): string[] {
  return [
    ["command", results.command],
    ["machine", results.machine],
    ...Object.entries(results.versions),
    ["rounds", `${results.rounds}, in ${results.seconds} s`],
  ].map(([name, text]) => `${`${name}:`.padEnd(12)}${text}`);
}

export function notes(results: Results): string[] {
  const reasons = skippedReasons(results);
  const reference = referencePeer(results);
  if (reference !== "dlmalloc")
    reasons.push(`figures over dlmalloc are shown over ${reference} instead, which proves no goal`);
  const sequences = results.anomalies === undefined ? [] : anomalyNotes(results.anomalies);
  return [...results.remarks, ...reasons, ...sequences];
}

export function toMarkdownFile(results: Results): string {
  const lines = [
    "# Results",
    "",
    "Written by the bench itself (`--save`); what the figures mean and what they do not say is in README.md.",
    "",
    ...describe(results).map((line) => `    ${line}`),
    "",
    ...allTables(results).map(toMarkdown),
    "## Notes",
    "",
    ...notes(results).map((note) => `- ${note}`),
    "",
  ];
  return lines.join("\n");
}
