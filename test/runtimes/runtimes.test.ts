// One suite in every engine, and in every kind of page: each is one test here, which fails with what failed there.
//
// What is not on the machine is skipped: `npm run engines -- --install` brings it. What the Node that runs this counts is what
// every engine must count, file by file: a test that an engine cannot do is skipped there by name, and does not go missing.

//
// Afterwards build/runtimes/table.md has the table of docs/RUNTIMES.md; `npm run runtimes` writes it there.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/c-program.ts";
import { type Bundle, bundleSuite } from "./bundle.ts";
import { countSuite } from "./engines/commands.ts";
import { type Answer, type FileAnswer, sum, testsOf } from "./inside/answer.ts";
import { type Runtime, runtimes, titleOf } from "./runtimes.ts";

const PATIENCE = 400_000;

let bundle: Bundle;
let suite: Answer;

beforeAll(async () => {
  bundle = await bundleSuite();
  suite = await countSuite(bundle.folder);
}, PATIENCE);

const rows: string[] = [];

afterAll(() => {
  const head = ["engine", "version", "page, or rules", "kernel", "passed", "skipped", "failed"];
  const lines = [head, head.map((_, column) => (column < 4 ? "---" : "---:"))];
  const table = [...lines.map((cells) => `| ${cells.join(" | ")} |`), ...rows].join("\n");
  mkdirSync(join(ROOT, "build/runtimes"), { recursive: true });
  writeFileSync(join(ROOT, "build/runtimes/table.md"), `${table}\n`);
  if (process.env["RUNTIMES"] !== "write") return;
  const page = join(ROOT, "docs/RUNTIMES.md");
  const marked = /(<!-- runtimes -->\n)[\s\S]*?(<!-- \/runtimes -->)/;
  writeFileSync(page, readFileSync(page, "utf8").replace(marked, `$1\n${table}\n\n$2`));
});

function rowOf({ engine, version, rules }: Runtime, { files, kernel }: Answer): string {
  const all = (count: (file: FileAnswer) => number): number => sum(files.map(count));
  const counts = [
    all((file) => file.passed),
    all((file) => file.skipped.length),
    all((file) => file.failed.length),
  ];
  const served = kernel === "js" ? "JavaScript" : "WebAssembly";
  return `| ${[engine, version, rules, served, ...counts].join(" | ")} |`;
}

const countsOf = (files: readonly FileAnswer[]): Record<string, number> =>
  Object.fromEntries(files.map((file) => [file.file, testsOf(file)]));

describe("the bundle", () => {
  it("has every file once, and most of them with what was built", () => {
    const { built, sources } = bundle.parts;
    expect(new Set([...built, ...sources]).size).toBe(built.length + sources.length);
    expect(built).toContain("test/conformance/memories.test.ts");
    expect(sources.length).toBeGreaterThan(0);
    expect(built.length).toBeGreaterThan(sources.length);
  });
});

describe.each(runtimes().map((runtime) => [titleOf(runtime), runtime] as const))("%s", (_, runtime) => {
  const { version, howToGet, rules } = runtime;
  it.skipIf(version === undefined)(
    version === undefined ? `is not on this machine: ${howToGet}` : `${version} passes the suite`,
    async () => {
      const answer = await runtime.run(bundle);
      rows.push(rowOf(runtime, answer));
      console.log(`${titleOf(runtime)} ${version}: ${said(answer)}`);
      expect(answer.files.flatMap(({ file, failed }) => failed.map((each) => `${file}: ${each}`))).toEqual(
        [],
      );
      const expected = suite.files.filter(({ file }) => new RegExp(runtime.only).test(file));
      expect(countsOf(answer.files)).toEqual(countsOf(expected));
      expect(answer.kernel).toBe(/strings or bytes|without wasm-unsafe-eval/.test(rules) ? "js" : "wasm");
    },
    PATIENCE,
  );
});

function said({ files, kernel, milliseconds }: Answer): string {
  const passed = sum(files.map((file) => file.passed));
  const skipped = files.flatMap((file) => file.skipped);
  const names = skipped.length === 0 ? "" : ` (${skipped.join("; ")})`;
  return `${passed} passed, ${skipped.length} skipped${names}, by the ${kernel} kernel, in ${milliseconds} ms`;
}
