// Report: what stands around the tables, and the file RESULTS.md.
//
// Owns:  the description of the run and the notes on what is missing.
// Needs: results.

import { referencePeer } from "./goals.ts";
import { isSkipped, type PerPeer, QUADRATIC, type Results, VARIANTS } from "./results.ts";
import { allTables, toMarkdown } from "./tables.ts";

/** Machine, versions, command: without them no figure means anything. */
export function describe(results: Results): string[] {
  return [
    `command:  ${results.command}`,
    `machine:  ${results.machine}`,
    ...Object.entries(results.versions).map(([name, version]) => `${`${name}:`.padEnd(10)}${version}`),
    `rounds:   ${results.rounds}, in ${results.seconds} s`,
  ];
}

export function notes(results: Results): string[] {
  const reasons = new Set<string>();
  const collect = (label: string, cells: PerPeer<object>) => {
    for (const [peer, measured] of Object.entries(cells)) {
      if (!isSkipped(measured)) continue;
      const isPolicy = measured.skipped === QUADRATIC;
      reasons.add(`${peer}, ${isPolicy ? "whole traces" : label}: ${measured.skipped}`);
    }
  };
  for (const { pattern, nsPerPair } of results.patterns) collect(pattern, nsPerPair);
  for (const { input, nsPerCall, space } of results.traces) {
    for (const variant of VARIANTS) collect(`${input.name} ${variant}`, nsPerCall[variant]);
    collect(`${input.name} space`, space);
  }
  const reference = referencePeer(results);
  if (reference !== "dlmalloc")
    reasons.add(`figures over dlmalloc are shown over ${reference} instead, which proves no goal`);
  return [...results.remarks, ...reasons];
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
