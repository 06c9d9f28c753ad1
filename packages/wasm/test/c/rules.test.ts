import { readdirSync } from "node:fs";
import { join } from "node:path";
import { HeapMisuseError } from "morecore";
import { beforeAll, describe, expect, it } from "vitest";
import {
  C_PACKAGES,
  compile,
  hasC,
  linked,
  needs,
  ROOT,
  runBeside,
} from "../../../../test/support/c-program.ts";
import {
  fieldsOf,
  type Outcome,
  type Row,
  rowsOf,
  tableOf,
  withTable,
  wordsIn,
} from "../../../../test/support/rules-table.ts";
import { runWasi, type WasiOptions, type WasiResult } from "../../../../test/support/wasi.ts";

const FOLDER = join(ROOT, "packages/wasm/test/c");
const DOCUMENT = join(ROOT, "docs/C-RULES.md");
interface Allocator {
  readonly name: string;
  readonly run: Run;
  /** Whether what ended a row that must end is what should have. */
  readonly isExpected: (row: Row, result: WasiResult) => boolean;
}

type Run = (options: WasiOptions) => WasiResult;

function listRows(run: Run): Row[] {
  return rowsOf(run({ args: ["rules", "--list"] }).stdout);
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
  return { verdict, found: wordsIn(words) };
}

/** In C, misuse is said on stderr, and traps. */
const saysSo: Allocator["isExpected"] = ({ lastWords }, { stderr, error }) =>
  wordsIn(stderr).startsWith(lastWords) && error instanceof WebAssembly.RuntimeError;
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
    const names = all.map(({ name }) => name);
    await expect(withTable(DOCUMENT, tableOf(rows, names, outcomes))).toMatchFileSnapshot(DOCUMENT);
  });
});
