// One suite in every engine, and in every kind of page: each is one test here, which fails with what failed there.
//
// What is not on the machine is skipped: `npm run engines -- --install` brings it. What the Node that runs this counts is what
// every engine must count, file by file: a test that an engine cannot do is skipped there by name, and does not go missing.

import { beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundleSuite } from "./bundle.ts";
import { countSuite } from "./engines/commands.ts";
import { type Answer, type FileAnswer, sum, testsOf } from "./inside/answer.ts";
import { runtimes, titleOf } from "./runtimes.ts";

const PATIENCE = 400_000;

let bundle: Bundle;
let suite: Answer;

beforeAll(async () => {
  bundle = await bundleSuite();
  suite = await countSuite(bundle.folder);
}, PATIENCE);

const countsOf = (files: readonly FileAnswer[]): Record<string, number> =>
  Object.fromEntries(files.map((file) => [file.file, testsOf(file)]));

describe("the bundle", () => {
  it("has every file once, and most of them with what was built", () => {
    const { built, sources } = bundle.parts;
    expect(new Set([...built, ...sources]).size).toBe(built.length + sources.length);
    expect(built).toContain("test/conformance/memories.test.ts");
    expect(sources).toContain("packages/morecore/test/kernel/check.test.ts");
    expect(built.length).toBeGreaterThan(sources.length);
  });
});

describe.each(runtimes().map((runtime) => [titleOf(runtime), runtime] as const))("%s", (_, runtime) => {
  const { version, howToGet, rules } = runtime;
  it.skipIf(version === undefined)(
    version === undefined ? `is not on this machine: ${howToGet}` : `${version} passes the suite`,
    async () => {
      const answer = await runtime.run(bundle);
      console.log(`${titleOf(runtime)} ${version}: ${said(answer)}`);
      expect(answer.files.flatMap(({ file, failed }) => failed.map((each) => `${file}: ${each}`))).toEqual(
        [],
      );
      expect(countsOf(answer.files)).toEqual(countsOf(suite.files));
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
