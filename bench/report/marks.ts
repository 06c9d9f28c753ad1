// Marks: places in a Markdown text that the results fill.
//
//   <!-- figure: traces-warm-dlmalloc -->0.81<!-- /figure -->     within a line
//   <!-- figures: traces -->                                      a table, between lines of its own
//   …
//   <!-- /figures -->
//
// Owns:  the syntax.
// Needs: figures, summaries.

import { toMarkdown } from "../harness/tables.ts";
import type { Figures } from "./figures.ts";
import { SUMMARY_NAMES, summary } from "./summaries.ts";

const INLINE = /(<!-- figure: ([^ ]+) -->)([\s\S]*?)(<!-- \/figure -->)/g;
const BLOCK = /(<!-- figures: ([^ ]+) -->)([\s\S]*?)(<!-- \/figures -->)/g;
const ANY = /<!--\s*\/?figures?\b/g;

/** A mark that cannot be filled, or is not closed. The message names it. */
export class MarkError extends Error {
  override readonly name = "MarkError";
}

/** The text with what the figures say at each mark. Throws a MarkError. */
export function filled(text: string, figures: Figures): string {
  let count = 0;
  const inline = (_: string, open: string, name: string, before: string, close: string): string => {
    count += 2;
    const figure = figures.get(name);
    if (figure === undefined)
      throw new MarkError(`figure: ${name}: there is none, for ${JSON.stringify(before)}`);
    return open + figure + close;
  };
  const block = (_: string, open: string, name: string, _before: string, close: string): string => {
    count += 2;
    const known = SUMMARY_NAMES.find((one) => one === name);
    const table = known && summary(known, figures);
    if (table === undefined)
      throw new MarkError(`figures: ${name}: there is no such table, or nothing to fill it with`);
    return `${open}\n\n${toMarkdown(table, 0)}\n${close}`;
  };
  const result = text.replace(INLINE, inline).replace(BLOCK, block);
  const marks = text.match(ANY)?.length ?? 0;
  if (marks !== count)
    throw new MarkError(`${marks - count} of the marks are not closed, or are written otherwise`);
  return result;
}
