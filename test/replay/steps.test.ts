// Steps: the kernel may not need more loads and stores for the repository's traces than it did, some margin apart. The
// figures do not depend on the machine. When a change is worth its steps, or saves some:
//
//   npm run bench -- steps --hold        writes steps.json anew

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { HeldSteps } from "../../bench/suites/steps/main.ts";
import { readTraceFile } from "../../packages/inspect/src/trace/file.ts";
import { countedLibrary } from "../support/steps.ts";

const MEAN_MARGIN = 1.1;
const WORST_MARGIN = 1.25;
const { profileTrace } = await countedLibrary();

const held: Readonly<Record<string, HeldSteps>> = JSON.parse(
  readFileSync(new URL("steps.json", import.meta.url), "utf8"),
);

describe.each(Object.entries(held))("%s", (name, { calls, mean, worst, worstOrdinary }) => {
  const profile = profileTrace(
    readTraceFile(new URL(`../../traces/${name}.mct.gz`, import.meta.url).pathname),
  );
  const all = profile.kinds[0];

  test("is the trace that was counted, and all of it finds memory", () => {
    expect([profile.calls, profile.failures]).toEqual([calls, 0]);
  });

  test(`a call takes ${mean} steps in the mean, and 10 % more at most`, () => {
    expect(all?.every.mean).toBeLessThanOrEqual(mean * MEAN_MARGIN);
  });

  test(`the worst call takes ${worst} steps, and 25 % more at most`, () => {
    expect(all?.every.max, JSON.stringify(all?.every.worst)).toBeLessThanOrEqual(worst * WORST_MARGIN);
  });

  test(`refill and growth aside, it takes ${worstOrdinary} steps, and 25 % more at most`, () => {
    const { max, worst: found } = all?.ordinary ?? {};
    expect(max, JSON.stringify(found)).toBeLessThanOrEqual(worstOrdinary * WORST_MARGIN);
  });
});
