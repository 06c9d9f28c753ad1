// Block: a stretch of a file that is made from the table, between two marks, while the rest is written by hand.
//
//   // NAME: made by `npm run abi -- --write`        <!-- NAME: made by `npm run abi -- --write` -->
//   …                                                …
//   // end of NAME                                   <!-- end of NAME -->

export type Comment = "//" | "<!--";

const MADE = "made by `npm run abi -- --write`";

function mark(comment: Comment, text: string): string {
  return comment === "//" ? `// ${text}` : `<!-- ${text} -->`;
}

/** The text with other content in a block. Throws unless both marks are there, each once and a line of its own, in order. */
export function withBlock(text: string, name: string, comment: Comment, content: string): string {
  const lines = text.split("\n");
  const begin = onlyLine(lines, mark(comment, `${name}: ${MADE}`));
  const end = onlyLine(lines, mark(comment, `end of ${name}`));
  if (end < begin) throw new Error(`the mark "end of ${name}" stands before its beginning`);
  // In Markdown a comment without an empty line behind it would run into the table.
  const made = content.replaceAll(/^\n+|\n+$/g, "");
  const between = comment === "//" ? [made] : ["", made, ""];
  return [...lines.slice(0, begin + 1), ...between, ...lines.slice(end)].join("\n");
}

function onlyLine(lines: readonly string[], line: string): number {
  const at = lines.indexOf(line);
  if (at < 0) throw new Error(`expected a line: ${line}`);
  if (lines.indexOf(line, at + 1) >= 0) throw new Error(`expected once, found twice: ${line}`);
  return at;
}
