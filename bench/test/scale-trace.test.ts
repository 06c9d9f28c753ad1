// The trace for scale: that it keeps as many blocks live as it says, and calls nothing that a trace may not.

import { expect, test } from "vitest";
import { decodeTrace, encodeTrace, KIND, recordsOf } from "../../packages/inspect/src/trace/format.ts";
import { scaleTrace } from "../suites/steps/scale-trace.ts";

test("fills the live set, then replaces blocks of it one by one", () => {
  const { trace, from } = scaleTrace(50, 400);
  let live = 0;
  const counts: number[] = [];
  for (const kind of trace.kinds) {
    live += kind === KIND.free ? -1 : 1;
    counts.push(live);
  }
  expect(from).toBe(50);
  expect(counts[from - 1]).toBe(50);
  expect([...new Set(counts.slice(from))].sort()).toEqual([49, 50]);
});

test("is a trace that the format takes", () => {
  const { trace } = scaleTrace(50, 400);
  expect(decodeTrace(encodeTrace(recordsOf(trace))).slots).toEqual(trace.slots);
});
