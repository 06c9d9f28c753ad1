import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { timeCalls } from "../src/replay/time.ts";
import { decodeTrace, encodeTrace, KIND } from "../src/trace/format.ts";
import { TraceLimitError } from "../src/trace/limits.ts";
import { openTrace, traceName } from "../src/trace/open.ts";

const folder = mkdtempSync(join(tmpdir(), "morecore-open-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("a trace that asks for too much is opened only unlimited", () => {
  const file = join(folder, "greedy.mct");
  writeFileSync(file, encodeTrace([0, 1].map((slot) => ({ kind: KIND.malloc, slot, size: 2 ** 30 - 1 }))));
  expect(() => openTrace(file, false)).toThrow(TraceLimitError);
  expect(openTrace(file, true).opCount).toBe(2);
});

it("a trace is called what its file is called, without folder and endings", () => {
  expect(["a/lua.mct.gz", "lua.mct", "lua.gz", "lua"].map(traceName)).toEqual(["lua", "lua", "lua", "lua"]);
});

it("a trace has a speed, unless it has no calls", () => {
  expect(timeCalls(decodeTrace(encodeTrace([{ kind: KIND.malloc, slot: 0, size: 16 }])))).toBeGreaterThan(0);
  expect(timeCalls(decodeTrace(encodeTrace([])))).toBeUndefined();
});
