import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findTraces, NoTracesError } from "../suites/traces/find.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

describe("the traces of a folder", () => {
  it.each(["nowhere", "docs"])("cannot be had of %s, which has none", (name) => {
    const folder = join(ROOT, name);
    expect(() => findTraces(folder)).toThrow(
      new NoTracesError(`${folder}: expected a folder with files *.mct.gz`),
    );
  });

  it("are found by their names, and the beginnings of long ones are known", () => {
    const { traces, remarks } = findTraces(join(ROOT, "traces"));
    expect(remarks).toEqual([]);
    expect(traces.find(({ name }) => name === "lua")?.isShort).toBe(false);
    expect(traces.find(({ name }) => name === "perl-20k")?.isShort).toBe(true);
  });
});
