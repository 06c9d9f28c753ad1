// The program of test/c, and its results as a table in a document: what the tests with wasm and those with native
// libraries share.

import { readFileSync } from "node:fs";

export interface Row {
  readonly id: string;
  readonly rule: string;
  /** What the program must say on stderr before it ends; "": it does not end. */
  readonly lastWords: string;
}

export interface Outcome {
  readonly verdict: string;
  readonly found: string;
}

const BEGIN = "<!-- table -->";
const END = "<!-- end of table -->";

/** The lines that the program prints, as fields. */
export function fieldsOf(printed: string): string[][] {
  return printed
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

/** The rows that `rules --list` prints. */
export function rowsOf(printed: string): Row[] {
  return fieldsOf(printed).map(([id = "", rule = "", lastWords = ""]) => ({ id, rule, lastWords }));
}

/** What a program has said, without its addresses. */
export function wordsIn(stderr: string): string {
  return stderr.trimEnd().replaceAll(/0x[0-9a-f]{8,12}/g, "0x…");
}

/** A table in Markdown, as wide as the formatter makes it. */
export function tableOf(
  rows: readonly Row[],
  names: readonly string[],
  outcomes: readonly (readonly Outcome[])[],
): string {
  const cell = ({ verdict, found }: Outcome) =>
    verdict === "fail" ? `**fail**: ${found.replaceAll("|", "\\|").replaceAll("\n", " ")}` : verdict;
  const head = ["row", "rule", ...names];
  const body = rows.map(({ id, rule }, index) => [id, rule, ...(outcomes[index] ?? []).map(cell)]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((cells) => (cells[column] ?? "").length)),
  );
  const line = (cells: readonly string[], pad = " ") =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0, pad)).join(" | ")} |`;
  const rule = line(
    head.map(() => ""),
    "-",
  );
  return [line(head), rule, ...body.map((cells) => line(cells))].join("\n");
}

/** A document with another text between the marks of its table. */
export function withTable(document: string, table: string): string {
  const [before, rest = ""] = readFileSync(document, "utf8").split(BEGIN);
  const [, after] = rest.split(END);
  if (after === undefined) throw new Error(`${document} has no marks for its table`);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}
