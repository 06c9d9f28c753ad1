// Write: what is made of the saved results: RESULTS.md, the charts, and the figures in pages for people.
//
// Owns:  which pages have figures.
// Needs: saved results.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { RESULTS_PAGE, ROOT } from "../harness/paths.ts";
import { figuresOf } from "./figures.ts";
import { filled } from "./marks.ts";
import { resultsPage } from "./page.ts";
import { drawCharts } from "./pictures/main.ts";
import { readSaved } from "./saved.ts";

/** A page, as it is and as the results say that it should be. */
export interface Page {
  readonly file: string;
  readonly text: string;
  readonly wanted: string;
}

/** RESULTS.md, and each page that may have marks. Throws a MarkError that names the page. */
export function pages(): Page[] {
  const saved = readSaved();
  const figures = figuresOf(saved);
  const text = existsSync(RESULTS_PAGE) ? readFileSync(RESULTS_PAGE, "utf8") : "";
  return [
    { file: RESULTS_PAGE, text, wanted: resultsPage(saved, kernelBytes()) },
    ...markedFiles().map((file) => {
      const text = readFileSync(file, "utf8");
      try {
        return { file, text, wanted: filled(text, figures) };
      } catch (error) {
        throw error instanceof Error ? new Error(`${file}: ${error.message}`, { cause: error }) : error;
      }
    }),
  ];
}

function kernelBytes(): number | undefined {
  const file = path.join(ROOT, "packages", "morecore", "dist", "kernel.wasm");
  return existsSync(file) ? statSync(file).size : undefined;
}

function markedFiles(): string[] {
  const docs = path.join(ROOT, "docs");
  const names = readdirSync(docs).filter((name) => name.endsWith(".md"));
  return [path.join(ROOT, "README.md"), ...names.map((name) => path.join(docs, name))];
}

/** Pages and charts, from what was saved. */
export function writeAll(): void {
  for (const { file, text, wanted } of pages())
    if (text !== wanted) {
      writeFileSync(file, wanted);
      console.error(`written: ${file}`);
    }
  drawCharts({});
}

/** The command `npm run figures`: the exit code is 1 if a page is older than the results. */
export function checkPages(): number {
  const stale = pages().filter(({ text, wanted }) => text !== wanted);
  for (const { file } of stale)
    console.error(`${file}: its figures are not those of bench/results: npm run figures -- --write`);
  return stale.length > 0 ? 1 : 0;
}
