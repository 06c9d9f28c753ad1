// Tables: as Markdown, whatever stands in a cell.

import { expect, it } from "vitest";
import { toMarkdown } from "../harness/tables.ts";

it("a bar in a cell begins no other cell, and a line's end no other row", () => {
  const text = toMarkdown({ title: "T", head: ["a\nb", "c"], rows: [["x | 0", "1"]] });
  expect(text).toBe("## T\n\n| a b | c |\n| --- | --: |\n| x \\| 0 | 1 |\n");
});
