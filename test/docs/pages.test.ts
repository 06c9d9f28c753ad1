// Pages: what every document keeps to: links that lead somewhere, sentences that can be read once, one width.

import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";
import { allPages, anchorsOf, linksOf, pageOf } from "../support/pages.ts";
import { sentencesOf, wordsOf, wordsOfPage } from "../support/prose.ts";

const README_WORDS = 900;
const SENTENCE_WORDS = 25;
const COLUMNS = 100;

const PAGES = allPages();
/** Those that are read as books; bench/RESULTS.md is written by a program. */
const BOOKS = PAGES.filter((page) => /^(?:README\.md|(?:docs|examples)\/.*|traces\/README\.md)$/.test(page));

/** Where a link of a page leads, if nowhere. */
function deadLinks(page: string): string[] {
  return linksOf(pageOf(page)).filter((link) => {
    const [path = "", anchor] = link.split("#");
    const to = path === "" ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(ROOT, to))) return true;
    if (anchor === undefined || statSync(join(ROOT, to)).isDirectory()) return false;
    return to.endsWith(".md") && !anchorsOf(pageOf(to)).includes(decodeURIComponent(anchor));
  });
}

describe("the pages", () => {
  it.each(PAGES)("%s has no link that leads nowhere", (page) => {
    expect(deadLinks(page)).toEqual([]);
  });

  it.each(BOOKS)(`%s has no sentence of more than ${SENTENCE_WORDS} words`, (page) => {
    const long = sentencesOf(pageOf(page)).filter((sentence) => wordsOf(sentence).length > SENTENCE_WORDS);
    expect(long).toEqual([]);
  });

  it.each(BOOKS)(`%s has no line of prose beyond column ${COLUMNS}`, (page) => {
    const prose = pageOf(page)
      .replace(/^( *)```.*?^\1```$/gms, "")
      .split("\n")
      // A table's row cannot be broken, nor can a link or a word; indented lines are what a terminal shows.
      .filter((line) => !/^(?:\||!\[| {4})/.test(line) && line.trim().includes(" "));
    expect(prose.filter((line) => line.length > COLUMNS)).toEqual([]);
  });

  it(`the README has at most ${README_WORDS} words, code and tables included`, () => {
    expect(wordsOfPage(pageOf("README.md")).length).toBeLessThanOrEqual(README_WORDS);
  });

  it("each page of docs/ is reached from the README in one step or two", () => {
    const near = linksOf(pageOf("README.md")).map((link) => link.replace(/#.*/, ""));
    const nearPages = near.filter((link) => link.endsWith(".md"));
    const far = nearPages.flatMap((page) =>
      linksOf(pageOf(page)).map((link) => normalize(join(dirname(page), link.replace(/#.*/, "")))),
    );
    const reached = new Set([...near, ...far]);
    expect(BOOKS.filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
  });
});

describe("the counting of sentences", () => {
  it("takes a full stop within code, a link's address or a file's name for no end", () => {
    expect(sentencesOf("See `a.b c` in [one](x. md), file.ts. Next one!")).toEqual([
      "See `a.b c` in [one], file.ts.",
      "Next one!",
    ]);
  });

  it("leaves out code, tables, headings and comments", () => {
    const page =
      "# A head. Two\n\n<!-- no. -->Yes.\n\n```ts\nno();\n```\n\n| no. | no |\n\n    no. no.\n\n- item\n- other\n";
    expect(sentencesOf(page)).toEqual(["Yes.", "- item", "- other"]);
  });
});
