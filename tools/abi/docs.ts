// Docs: the family's table as a document shows it.

import { type Call, familyCalls, type Group } from "../../packages/morecore/src/abi/family.ts";

const GROUPS: Readonly<Record<Group, string>> = {
  C: "ISO C, POSIX",
  BSD: "BSD, glibc, macOS",
  dlmalloc: "dlmalloc",
  walk: "the walk",
  program: "a program's heap",
  threads: "a program with threads",
};

export function familyTable(): string {
  const rows = familyCalls().map(([name, call]) => [
    code(`${call.c}(${call.parameters.map(([parameter]) => parameter).join(", ")})`),
    code(name),
    GROUPS[call.group],
    answerOf(call),
    call.does.replaceAll(
      /\bNULL\b|\*result|\b[A-Z_]+_MAX\b|\bE[A-Z]+\b|\w+\((?:\w*)\)|count \* bytes/g,
      code,
    ),
  ]);
  return tableOf(["C", "in the kernel", "of", "answer", "what C's function does"], rows);
}

function answerOf({ answer, answerInC }: Call): string {
  return answerInC === undefined ? answer : `${answer}; in C: ${answerInC}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A table in Markdown, as wide as the formatter makes it. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[], pad = " ") =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width, pad)).join(" | ")} |`;
  return ["", line(head), line([], "-"), ...rows.map((cells) => line(cells)), ""].join("\n");
}
