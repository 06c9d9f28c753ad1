// Tables: as Markdown, whatever stands in a cell.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { ROOT } from "../harness/paths.ts";
import { toMarkdown } from "../harness/tables.ts";

const folder = mkdtempSync(join(tmpdir(), "morecore-tables-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("a bar in a cell begins no other cell, and a line's end no other row", () => {
  const text = toMarkdown({ title: "T", head: ["a\nb", "c"], rows: [["x | 0", "1"]] });
  expect(text).toBe("## T\n\n| a b    |   c |\n| ------ | --: |\n| x \\| 0 |   1 |\n");
});

it("stands as the repository's formatter has it, numbers at the right", () => {
  const rows = [
    ["time", "dlmalloc", "0.82"],
    ["the same", "", "–"],
  ];
  const text = toMarkdown({ title: "T", head: ["what", "beside", "mean"], rows }, 0);
  const file = join(folder, "table.md");
  writeFileSync(file, text);
  const biome = join(ROOT, "node_modules/.bin/biome");
  execFileSync(biome, ["format", "--write", `--config-path=${ROOT}`, file]);
  expect(readFileSync(file, "utf8")).toBe(text);
  expect(text).toContain("| ---: |");
});
