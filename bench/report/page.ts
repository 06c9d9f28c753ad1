// Page: RESULTS.md, wholly of what was saved.
//
// Owns:  its order and its words. What a user wants to know comes first, then what was aimed at, then all tables.
// Needs: saved results.

import { timeRatio, wholeTraces } from "../harness/ratios.ts";
import type { Variant } from "../harness/results.ts";
import { ratioText, type TextTable, toMarkdown } from "../harness/tables.ts";
import { nativeTables } from "../suites/native/tables.ts";
import type { Results } from "../suites/results.ts";
import { threadsTables } from "../suites/threads/tables.ts";
import { typedTables } from "../suites/typed/tables.ts";
import { viewTable } from "../suites/typed/views.ts";
import { aboutNative, aboutRun, aboutTyped, notes } from "./about.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { GOALS, goalTable, savedGoals } from "./goals.ts";
import type { Saved } from "./saved.ts";
import { SUMMARY_NAMES, summary } from "./summaries.ts";
import { runTables } from "./tables.ts";

const OPENING = `# Results

How fast morecore is, how much memory it takes, and where it is slower. All figures are **morecore's over the other's**:
below 1 is less time, or less memory. They were measured on one machine, in turns; yours will give other times, and
ratios near these. [README.md](README.md) says how, and how to do it again.

The bench writes this page from [results/](results/), and nobody else does.`;

/** What is shown as 1.00 is no slower. */
const SLOWER = 1.005;

const MISSING: Readonly<Record<keyof Saved, string>> = {
  main: "npm run bench -- --save",
  "native-programs": "npm run bench:native -- programs --save",
  "native-traces": "npm run bench:native -- traces --save",
  "native-locality": "npm run bench:native -- locality --save",
  "native-threads": "npm run bench:native -- threads --save",
  typed: "npm run bench:typed -- --save",
  threads: "npm run bench:threads -- --save",
  views: "npm run bench:views -- --save",
};

/** `kernelBytes`: what the kernel has now; undefined: it has not been built. */
export function resultsPage(saved: Saved, kernelBytes?: number): string {
  const figures = figuresOf(saved);
  const parts = [
    OPENING,
    ...ageText(saved, kernelBytes),
    ...SUMMARY_NAMES.flatMap((name) => tableText(summary(name, figures), name === "all" ? 2 : 3)),
    ...slower(saved, figures),
    goalsText(saved),
    ...runText(saved.main),
    ...nativeText(saved),
    ...threadsText(saved),
    ...typedText(saved),
    ...missingText(saved),
  ];
  return `${parts.map((part) => part.replace(/^\n+|\s+$/g, "")).join("\n\n")}\n`;
}

/** That another kernel was measured than there is: told by its size, which hardly any change leaves as it was. */
function ageText({ main }: Saved, kernelBytes: number | undefined): string[] {
  const measured = main?.sizes?.kernelBytes;
  if (measured === undefined || kernelBytes === undefined || measured === kernelBytes) return [];
  return [
    `**These figures are of an earlier kernel**, of ${measured} bytes; it has ${kernelBytes} now. What has changed is in
[docs/JOURNAL.md](../docs/JOURNAL.md). \`${MISSING.main}\` measures the present one.`,
  ];
}

/** What a user would want to be told before finding out. */
function slower({ main }: Saved, figures: Figures): string[] {
  const lines = [
    ...(main === undefined ? [] : slowerTraces(main, "cold untouched", "on a new heap")),
    ...(main === undefined ? [] : slowerTraces(main, "warm untouched", "on a heap in use")),
    ...(figures.has("native-threads-mimalloc")
      ? [
          `With four threads that allocate at the same time, natively: ${figures.get("native-threads-glibc")} times glibc's time, ${figures.get("native-threads-mimalloc")} times mimalloc's.`,
        ]
      : []),
    ...(figures.has("scale")
      ? [`With a million live blocks a call takes ${figures.get("scale")} times as long as with a thousand.`]
      : []),
  ];
  if (lines.length === 0) return [];
  return ["### Where it is slower", lines.map((line) => `- ${line}`).join("\n")];
}

/** "Than dlmalloc on a new heap: 6 of 14 programs, lua 1.43, node 1.20 …" */
function slowerTraces(results: Results, variant: Variant, where: string): string[] {
  const traces = wholeTraces(results);
  return (["dlmalloc", "mimalloc"] as const).flatMap((peer) => {
    const ratios = traces.flatMap(({ input, nsPerCall }) => {
      const ratio = timeRatio(nsPerCall[variant], peer) ?? 0;
      return ratio >= SLOWER ? [{ name: input.name, ratio }] : [];
    });
    const worst = ratios
      .sort((a, b) => b.ratio - a.ratio)
      .map(({ name, ratio }) => `${name} ${ratioText(ratio)}`);
    if (worst.length === 0) return [];
    return `Than ${peer}, called from JavaScript ${where}: ${worst.length} of ${traces.length} programs, ${worst.join(", ")}.`;
  });
}

function goalsText(saved: Saved): string {
  const figures = savedGoals(saved);
  const words = Object.entries(GOALS)
    .filter(([name]) => figures.some(({ goal }) => goal === name))
    .map(([name, text]) => `- ${name}: ${text}`);
  return ["## What was aimed at", words.join("\n"), toMarkdown(goalTable(figures), 0)].join("\n\n");
}

function runText(results: Results | undefined): string[] {
  if (results === undefined) return [];
  return [
    "## From JavaScript and in WebAssembly",
    indented(aboutRun(results)),
    ...runTables(results).flatMap((table) => tableText(table, 3)),
    "### Notes",
    listed(notes(results)),
  ];
}

function nativeText(saved: Saved): string[] {
  const parts = [
    saved["native-programs"],
    saved["native-traces"],
    saved["native-locality"],
    saved["native-threads"],
  ];
  const texts = parts.flatMap((results) =>
    results === undefined
      ? []
      : [
          indented(aboutNative(results)),
          ...nativeTables(results).flatMap((table) => tableText(table, 3)),
          listed(results.remarks),
        ],
  );
  return texts.length === 0 ? [] : ["## Native", ...texts];
}

function threadsText({ threads }: Saved): string[] {
  if (threads === undefined) return [];
  return [
    "## Threads in WebAssembly",
    indented(aboutRun(threads)),
    ...threadsTables(threads).flatMap((table) => tableText(table, 3)),
    ...(threads.remarks.length > 0 ? [listed(threads.remarks)] : []),
  ];
}

function typedText({ typed, views }: Saved): string[] {
  const texts = [
    ...(typed === undefined
      ? []
      : [
          indented(aboutTyped(typed)),
          ...typedTables(typed).flatMap((table) => tableText(table, 3)),
          listed(typed.remarks),
        ]),
    ...(views === undefined
      ? []
      : [indented([`command:    ${views.command}`]), ...tableText(viewTable(views), 3)]),
  ];
  return texts.length === 0 ? [] : ["## Arenas and the typed layer", ...texts];
}

function missingText(saved: Saved): string[] {
  const names = Object.entries(MISSING).filter(([name]) => !(name in saved));
  if (names.length === 0) return [];
  return ["## Not measured", listed(names.map(([, command]) => `\`${command}\``))];
}

function tableText(table: TextTable | undefined, level: number): string[] {
  return table === undefined ? [] : [toMarkdown(table, level)];
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`).join("\n");
}

function listed(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}
