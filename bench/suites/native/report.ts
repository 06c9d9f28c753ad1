// Report: the native results as sections of RESULTS.md.
//
// Owns:  which section a part is, and what stands around its tables.
// Needs: tables, sections; dpkg, to say which peers these are.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { machineText } from "../../harness/run.ts";
import { toMarkdown } from "../../harness/tables.ts";
import { RESULTS } from "../../paths.ts";
import { withSection } from "../../report/sections.ts";
import { MADE_BY_DEBIAN, type NativePeer } from "./peers.ts";
import { type NativeResults, nativeGoals, nativeTables } from "./tables.ts";

/** Writes a section for each part that was measured. What else the file says stays. */
export function saveNative(results: NativeResults): void {
  const parts = [
    ["native programs", { ...results, traces: [], locality: [] }],
    ["native traces", { ...results, programs: [], locality: [] }],
    ["native locality", { ...results, programs: [], traces: [] }],
  ] as const;
  let text = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : "# Results\n";
  for (const [name, part] of parts)
    if (part.programs.length + part.traces.length + part.locality.length > 0)
      text = withSection(text, name, sectionOf(part));
  writeFileSync(RESULTS, text);
  process.stderr.write(`written: ${RESULTS}\n`);
}

function sectionOf(results: NativeResults): string {
  const goals = nativeGoals(results).map(
    ({ figure, measured, aim }) => `- ${figure}: **${measured.toFixed(3)}** (goal: at most ${aim})`,
  );
  const remarks = results.remarks.map((remark) => `- ${remark}`);
  return [
    ...described(results).map((line) => `    ${line}`),
    "",
    ...nativeTables(results).map(toMarkdown),
    ...goals,
    ...remarks,
  ].join("\n");
}

function described({ peers, rounds, command, seconds }: NativeResults): string[] {
  return [
    ["command", command],
    ["machine", machineText()],
    ...peers.map((peer) => [peer, versionOf(peer)]),
    ["rounds", `${rounds}, in ${seconds} s`],
  ].map(([name, text]) => `${`${name}:`.padEnd(12)}${text}`);
}

/** The Debian package's version; ours is the working copy. */
function versionOf(peer: NativePeer): string {
  const name = MADE_BY_DEBIAN[peer];
  if (name === "") return "libmorecore.so of this commit";
  try {
    return execFileSync("dpkg-query", ["--show", name], { encoding: "utf8" }).trim().replace("\t", " ");
  } catch {
    return "not of Debian";
  }
}
