import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../../test/support/c-program.ts";
import {
  compileNative,
  nativeLibrary,
  needsNative,
  runWith,
  scratchFolder,
} from "../../../test/support/native.ts";
import {
  fieldsOf,
  type Outcome,
  type Row,
  rowsOf,
  tableOf,
  withTable,
  wordsIn,
} from "../../../test/support/rules-table.ts";

const DOCUMENT = join(ROOT, "docs/NATIVE.md");
const FOLDER = join(ROOT, "packages/wasm/test/c");
const MIMALLOC = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/libmimalloc.so.2`;
/** The table is of these versions: Debian 12's. */
const DEBIAN = "/etc/debian_version";

const scratch = scratchFolder();
const PROGRAM = join(scratch.path, "rules");
afterAll(scratch.remove);

/** One row in a process of its own. One that must end is right in any words, but ours must be ours. */
function outcomeOf(preload: string, { id, lastWords }: Row, ownWords: boolean): Outcome {
  const { stdout, stderr, end } = runWith(PROGRAM, [id], { preload });
  const [[said, verdict = "", found = ""] = []] = fieldsOf(stdout);
  if (said === id) return { verdict, found: found.replaceAll(/\b\d{6,}\b/g, "…") };
  const words = wordsIn(stderr);
  const isRight =
    lastWords !== "" && end === "SIGABRT" && words !== "" && (!ownWords || words.startsWith(lastWords));
  return { verdict: isRight ? "pass" : "fail", found: words || `${end}, and nothing was said` };
}

describe.skipIf(!needsNative())("the rules of C's malloc family, natively", () => {
  const isDebian12 = existsSync(DEBIAN) && readFileSync(DEBIAN, "utf8").startsWith("12");
  const hasPeers = isDebian12 && existsSync(MIMALLOC);
  let rows: readonly Row[] = [];
  let own: readonly Outcome[] = [];

  beforeAll(() => {
    const sources = readdirSync(FOLDER).filter((name) => name.endsWith(".c"));
    const flags = [`-I${join(ROOT, "packages/wasm/c/include")}`, "-Wl,-z,dynamic-undefined-weak"];
    compileNative(
      PROGRAM,
      sources.map((name) => join(FOLDER, name)),
      flags,
    );
    rows = rowsOf(runWith(PROGRAM, ["--list"], { preload: "" }).stdout);
    own = rows.map((row) => outcomeOf(nativeLibrary(), row, true));
  }, 120_000);

  it("all hold for libmorecore.so", () => {
    const others = rows.flatMap(({ id }, index) => {
      const outcome = own[index];
      return outcome?.verdict === "pass" ? [] : [`${id}: ${outcome?.verdict}`];
    });
    expect(others).toEqual([]);
  });

  it("hold when the rows run one after the other in one program, too", () => {
    const { stdout } = runWith(PROGRAM, [], { preload: nativeLibrary() });
    const failed = fieldsOf(stdout).filter(([, verdict]) => verdict === "fail");
    expect(failed).toEqual([]);
  });

  it("tell it from glibc and mimalloc: docs/NATIVE.md (vitest run test/native/ -u writes the table)", async ({
    skip,
  }) => {
    if (!hasPeers) {
      console.warn("skipped: the table is Debian 12's; there, apt-get install libmimalloc2.0");
      skip();
    }
    const outcomes = rows.map((row, index) => [
      own[index] ?? { verdict: "", found: "" },
      outcomeOf("", row, false),
      outcomeOf(MIMALLOC, row, false),
    ]);
    const differing = rows.filter((_, index) => outcomes[index]?.some(({ verdict }) => verdict !== "pass"));
    const table = tableOf(
      differing,
      ["libmorecore.so", "glibc", "mimalloc"],
      differing.map((row) => outcomes[rows.indexOf(row)] ?? []),
    );
    await expect(withTable(DOCUMENT, table)).toMatchFileSnapshot(DOCUMENT);
  });
});
