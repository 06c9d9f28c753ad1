// Prose: the sentences and words of a Markdown page, as a reader counts them.
//
// Owns:       what counts as a sentence: up to a full stop, a question or an exclamation mark, or the end of a paragraph,
//             a list's item or a heading. Code, tables and comments are no prose.

/** The page without fenced and indented code, and without comments. */
function withoutCode(page: string): string {
  return page
    .replace(/<!--.*?-->/gs, "")
    .replace(/^( *)```.*?^\1```$/gms, "")
    .replace(/^ {4,}.*$/gm, "");
}

/** The words of a text: what stands between spaces and has a letter or a digit. */
export function wordsOf(text: string): string[] {
  return text.match(/\S*[\p{L}\p{N}]\S*/gu) ?? [];
}

/** The words of a whole page, code and tables included, comments not. */
export function wordsOfPage(page: string): string[] {
  return wordsOf(page.replace(/<!--.*?-->/gs, ""));
}

/** The sentences of a page's paragraphs and lists. */
export function sentencesOf(page: string): string[] {
  const paragraphs = withoutCode(page)
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|(?<=^#.*)\n/m)
    .map((paragraph) => paragraph.replace(/\s+/g, " ").trim())
    .filter((paragraph) => paragraph !== "" && !/^[|#]/.test(paragraph));
  // What a link leads to is not read; nor does a dot within code or a name end a sentence.
  const read = paragraphs.map((paragraph) => paragraph.replace(/\]\([^)]*\)/g, "]"));
  return read.flatMap((paragraph) => paragraph.split(/(?<=[.!?][*_"')\]]*) (?=\S)/));
}
