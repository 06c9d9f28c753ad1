// Glue in the ways that Emscripten's versions write it.

import { describe, expect, it } from "vitest";
import { GlueError, readGlue } from "../../src/swap/glue.ts";
import { roleNamed } from "../../src/swap/roles.ts";

const EXPORTS = new Set(["Ia", "Ja", "v", "malloc", "free"]);

function read(source: string): Record<string, string> {
  return Object.fromEntries(readGlue(source, EXPORTS, (name) => roleNamed(name) !== undefined));
}

describe("readGlue", () => {
  it.each([
    ["k._malloc=c.Ia;", { _malloc: "Ia" }],
    ["da=k._malloc=c.Ia;ea=k._free=c.Ja;", { _malloc: "Ia", _free: "Ja" }],
    [`var _malloc = Module["_malloc"] = wasmExports["v"];`, { _malloc: "v" }],
    ["p._malloc=a=>(p._malloc=L.v)(a)", { _malloc: "v" }],
    [`var _malloc = (a0) => (_malloc = wasmExports["malloc"])(a0);`, { _malloc: "malloc" }],
    [`var _free = Module._free = createExportWrapper("free", 1);`, { _free: "free" }],
    ["export default { _malloc: w.Ia };", { _malloc: "Ia" }],
  ])("reads %s", (source, names) => {
    expect(read(source)).toEqual(names);
  });

  it("leaves out what may be one of two exports", () => {
    expect(read("m._malloc = c.Ia; m._malloc = c.Ja;")).toEqual({});
    expect(read("m._malloc = x ? c.Ia : c.Ja;")).toEqual({});
  });

  it("leaves out other names, and members that are no exports", () => {
    expect(read("m._mallocs = c.Ia; m._malloc = c.other; m._malloc = f;")).toEqual({});
  });

  it("reads classic scripts that are no modules", () => {
    expect(read("with (m) { m._malloc = c.Ia }")).toEqual({ _malloc: "Ia" });
  });

  it("refuses what is no JavaScript", () => {
    expect(() => read("int main(void) { return 0; }")).toThrow(GlueError);
  });
});
