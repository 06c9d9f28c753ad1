// The order of test files: those that take minutes are begun first.

import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it } from "vitest";
import type { TestSpecification, Vitest } from "vitest/node";
import { ROOT } from "../support/c-program.ts";
import { LONGEST, LongestFirst } from "../support/longest-first.ts";

/** As much of Vitest as its own order asks: it has seen no file yet. */
const PROJECT = { name: "", config: { isolate: true, sequence: { groupOrder: 0 } } };
const VITEST = {
  config: { root: ROOT },
  cache: { getFileTestResults: () => undefined, getFileStats: () => undefined },
} as unknown as Vitest;

it.each(LONGEST)("%s is there", (name) => {
  expect(existsSync(join(ROOT, name))).toBe(true);
});

it("begins with the longest, and has all others behind them", async () => {
  const others = ["test/model/shadow.test.ts", "test/docs/pages.test.ts"];
  const mixed = [...others, ...LONGEST.toReversed()];
  const files = mixed.map(
    (name) => ({ moduleId: join(ROOT, name), project: PROJECT }) as unknown as TestSpecification,
  );
  const sorted = await new LongestFirst(VITEST).sort(files);
  const names = sorted.map(({ moduleId }) => relative(ROOT, moduleId));
  expect(names.slice(0, LONGEST.length)).toEqual(LONGEST);
  expect(new Set(names)).toEqual(new Set(mixed));
});
