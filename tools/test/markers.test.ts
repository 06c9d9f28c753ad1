import { describe, expect, it } from "vitest";
import { kernelMarkers } from "../compile.ts";
import { checkMarked, markersIn } from "../markers.ts";

const marked = (...lines: string[]) => markersIn(new Map([["file", lines.join("\n")]]));

describe("markersIn", () => {
  it("reads what stands beside a function, with a reason or without", () => {
    const { hot, rare, apart } = marked(
      "/** Words. */",
      "// @hot",
      "export function one(): void {}",
      "// @rare: only when memory is short",
      "function two(): void {}",
      "// @hot @apart: both",
      "function three(): void {}",
      "function four(): void {} // no marker",
    );
    expect([...hot]).toEqual(["file/one", "file/three"]);
    expect([...rare]).toEqual(["file/two"]);
    expect([...apart]).toEqual(["file/three"]);
  });

  it("refuses a marker that stands beside no function, by file and line", () => {
    const beside = "file.ts:2: the next line begins no function: // @hot";
    expect(() => marked("", "// @hot", "const x = 1;")).toThrow(beside);
    expect(() => marked("", "// @hot", "", "function f(): void {}")).toThrow(beside);
    expect(() => marked("", "// @hot")).toThrow(beside);
    expect(() => marked("", "// @hot", "  function inner(): void {}")).toThrow(beside);
  });

  it("refuses what is nearly a marker", () => {
    expect(() => marked("// @hto", "function f(): void {}")).toThrow(
      "no marker is called @hto; there are @hot, @rare, @apart",
    );
    expect(() => marked("// @hot because", "function f(): void {}")).toThrow("file.ts:1: expected a marker");
    expect(() => marked("//@hot", "function f(): void {}")).toThrow("expected a marker");
    expect(() => marked("  // @hot", "function f(): void {}")).toThrow("expected a marker");
    expect(() => marked("// @toString", "function f(): void {}")).toThrow("no marker is called @toString");
  });

  it("refuses a function that is both hot and rare", () => {
    expect(() => marked("// @hot @rare", "function f(): void {}")).toThrow(
      "file/f cannot be both hot and rare",
    );
  });
});

describe("checkMarked", () => {
  it("refuses a marked function that the wasm has not", () => {
    const has = (name: string) => name === "a/b";
    expect(() => checkMarked(new Set(["a/b"]), has)).not.toThrow();
    expect(() => checkMarked(new Set(["a/b", "a/c"]), has)).toThrow("not in its wasm: a/c");
  });
});

describe("the kernel's markers", () => {
  it("have malloc and free among the hot functions", () => {
    expect([...kernelMarkers().hot]).toEqual(expect.arrayContaining(["malloc/malloc", "free/free"]));
  });
});
