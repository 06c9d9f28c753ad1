// The suite's list: what is left out of it, and why.

import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../bench/harness/paths.ts";
import { LEFT_OUT, STAND_INS, suiteFiles } from "./suite.ts";

describe("the suite for all engines", () => {
  it("has test files of each folder", () => {
    const folders = new Set(suiteFiles().map((file) => path.dirname(file)));
    expect([...folders].sort()).toEqual([
      ...["arena", "containers", "heap", "memory", "offset", "slotmap", "typed"].map(
        (name) => `packages/morecore/test/${name}`,
      ),
      ...["test/conformance", "test/regress", "test/workers"],
    ]);
  });

  it.each(Object.entries(LEFT_OUT))("leaves out %s, which is there, for a reason", (file, reason) => {
    expect(existsSync(path.join(ROOT, file))).toBe(true);
    expect(reason.length).toBeGreaterThan(20);
    expect(suiteFiles()).not.toContain(file);
  });

  it.each(Object.entries(STAND_INS))("has a stand-in for %s", (file, standIn) => {
    expect([file, standIn].map((name) => existsSync(path.join(ROOT, name)))).toEqual([true, true]);
  });
});
