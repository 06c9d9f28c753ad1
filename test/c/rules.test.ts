import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { HeapMisuseError } from "../../src/index.ts";
import { C_PACKAGES, compile, hasC, linked, needs, ROOT, runBeside } from "../support/c-program.ts";
import { runWasi, type WasiOptions, type WasiResult } from "../support/wasi.ts";

const FOLDER = join(ROOT, "test/c");
const DOCUMENT = join(ROOT, "docs/C-RULES.md");
const BEGIN = "<!-- table -->";
const END = "<!-- end of table -->";

interface Row {
  readonly id: string;
  readonly rule: string;
  /** What the program must say on stderr before it ends; "": it does not end. */
  readonly lastWords: string;
}

interface Outcome {
  readonly verdict: string;
  readonly found: string;
}

interface Allocator {
  readonly name: string;
  readonly run: Run;
  /** Whether what ended a row that must end is what should have. */
  readonly isExpected: (row: Row, result: WasiResult) => boolean;
}

type Run = (options: WasiOptions) => WasiResult;

/** The lines that a program prints, as fields. */
function fieldsOf(printed: string): string[][] {
  return printed
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

function listRows(run: Run): Row[] {
  const { stdout } = run({ args: ["rules", "--list"] });
  return fieldsOf(stdout).map(([id = "", rule = "", lastWords = ""]) => ({ id, rule, lastWords }));
}

/** One row in an instance of its own. */
function outcomeOf({ run, isExpected }: Allocator, row: Row): Outcome {
  const result = run({ args: ["rules", row.id] });
  if (result.error === undefined) {
    const [said = [], ...more] = fieldsOf(result.stdout);
    expect([said[0], more]).toEqual([row.id, []]);
    return { verdict: said[1] ?? "", found: said[2] ?? "" };
  }
  const message = result.error instanceof Error ? result.error.message : String(result.error);
  const words = result.stderr.trimEnd() || message;
  const verdict = row.lastWords !== "" && isExpected(row, result) ? "pass" : "fail";
  return { verdict, found: words.replaceAll(/0x[0-9a-f]{8}/g, "0x…") };
}

/** In C, misuse is said on stderr, and traps. */
const saysSo: Allocator["isExpected"] = ({ lastWords }, { stderr, error }) =>
  stderr.startsWith(lastWords) && error instanceof WebAssembly.RuntimeError;
/** Where the heap is JavaScript's, it throws. */
const throwsSo: Allocator["isExpected"] = (_, { error }) => error instanceof HeapMisuseError;

/** The program with each allocator. */
async function allocators(): Promise<readonly Allocator[]> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".c"));
  // Without -fno-builtin the compiler leaves out blocks that are only got and freed.
  const build = { sources: names.map((name) => join(FOLDER, name)), flags: ["-fno-builtin"] };
  const merged = await linked(compile(build));
  const imports = { ...build, flags: [...build.flags, "-Wl,--import-memory"] };
  const beside = new WebAssembly.Module(compile(imports));
  const own = new WebAssembly.Module(compile({ ...build, stub: false }));
  return [
    { name: "morecore, merged", run: (options) => runWasi(merged, options), isExpected: saysSo },
    { name: "morecore, two modules", run: (options) => runBeside(beside, options), isExpected: throwsSo },
    { name: "wasi-libc's dlmalloc", run: (options) => runWasi(own, options), isExpected: () => false },
  ];
}

/** The table of docs/C-RULES.md. */
function tableOf(rows: readonly Row[], all: readonly Allocator[], outcomes: readonly Outcome[][]): string {
  const cell = ({ verdict, found }: Outcome) =>
    verdict === "fail" ? `**fail**: ${found.replaceAll("|", "\\|").replaceAll("\n", " ")}` : verdict;
  const head = ["row", "rule", ...all.map(({ name }) => name)];
  const body = rows.map(({ id, rule }, index) => [id, rule, ...(outcomes[index] ?? []).map(cell)]);
  // As wide as the formatter makes it.
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
function withTable(document: string, table: string): string {
  const [before, rest = ""] = document.split(BEGIN);
  const [, after] = rest.split(END);
  if (after === undefined) throw new Error("docs/C-RULES.md has no marks for its table");
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}

describe.skipIf(!needs(hasC, C_PACKAGES))("the rules of C's malloc family", () => {
  let all: readonly Allocator[] = [];
  let rows: readonly Row[] = [];
  let outcomes: readonly Outcome[][] = [];

  beforeAll(async () => {
    all = await allocators();
    const [merged] = all;
    if (merged !== undefined) rows = listRows(merged.run);
    outcomes = rows.map((row) => all.map((allocator) => outcomeOf(allocator, row)));
  }, 120_000);

  it("are tried by rows with names of their own", () => {
    expect(rows.length).toBeGreaterThan(60);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  });

  it.each([0, 1])("all hold for morecore, merged or as a second module (%i)", (index) => {
    const failures = rows.flatMap(({ id }, row) => {
      const outcome = outcomes[row]?.[index];
      return outcome?.verdict === "pass" ? [] : [`${id}: ${outcome?.verdict}: ${outcome?.found}`];
    });
    expect(failures).toEqual([]);
  });

  it("hold when the rows run one after the other in one program, too", () => {
    const result = all[0]?.run({ args: ["rules"] });
    const failed = fieldsOf(result?.stdout ?? "").filter(([, verdict]) => verdict !== "pass");
    expect({ failed, exitCode: result?.exitCode }).toEqual({ failed: [], exitCode: 0 });
  });

  it("can fail, and be missing: wasi-libc's malloc does both", () => {
    const verdicts = outcomes.map((row) => row[2]?.verdict);
    expect(new Set(verdicts)).toEqual(new Set(["pass", "fail", "missing"]));
  });

  it("malloc_stats prints dlmalloc's three lines", () => {
    const { stderr } = all[0]?.run({ args: ["rules", "A2.malloc_stats"] }) ?? { stderr: "" };
    expect(stderr).toMatch(
      /^max system bytes = {1,10}\d+\nsystem bytes {5}= {1,10}\d+\nin use bytes {5}= {1,10}\d+\n$/,
    );
  });

  it("stand in docs/C-RULES.md as they were found (vitest run test/c/ -u writes them)", async () => {
    const document = readFileSync(DOCUMENT, "utf8");
    await expect(withTable(document, tableOf(rows, all, outcomes))).toMatchFileSnapshot(DOCUMENT);
  });
});
