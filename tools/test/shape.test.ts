// The shaping of the kernel's wasm, on small modules.

import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { expressionsOf } from "../../packages/wasm/src/format/expressions.ts";
import { bindHeap, defineImports, exportDirectly, exportWithHeap } from "../bind.ts";
import { addCopies, checkHeapsPassed, functionsOf, readHeapFromGlobal } from "../shape.ts";

const { calleeOf, visit } = expressionsOf(binaryen);

function moduleOf(...functions: readonly string[]): binaryen.Module {
  const isImport = (text: string) => text.startsWith("(import");
  const first = functions.filter(isImport);
  const rest = functions.filter((text) => !isImport(text));
  const module = binaryen.parseText(
    `(module ${first.join("\n")} (memory 1) (global $heap (mut i32) (i32.const 0)) ${rest.join("\n")})`,
  );
  module.setFeatures(binaryen.Features.All);
  return module;
}

const f = (name: string, ...calls: readonly string[]) =>
  `(func $${name} ${calls.map((callee) => `(call $${callee})`).join(" ")})`;

/** Which functions a function calls. */
function callsOf(module: binaryen.Module, name: string): string[] {
  const calls: string[] = [];
  visit(binaryen.getFunctionInfo(module.getFunction(name)).body, (each) => {
    const callee = calleeOf(each);
    if (callee !== undefined) calls.push(callee);
  });
  return calls;
}

describe("addCopies", () => {
  it("gives a hot function its own copy of all that it calls, and leaves the others as they are", () => {
    const module = moduleOf(f("hot", "a", "b"), f("a", "b"), f("b"), f("cold", "a"));
    addCopies(module, new Set(["hot"]), new Set());
    expect(callsOf(module, "hot")).toEqual(["a@hot", "b@hot"]);
    expect(callsOf(module, "a@hot")).toEqual(["b@hot"]);
    expect(callsOf(module, "a")).toEqual(["b"]);
    expect(callsOf(module, "cold")).toEqual(["a"]);
    expect(module.validate()).toBe(1);
  });

  it("copies neither hot functions nor those outside, nor imports", () => {
    const module = moduleOf(
      '(import "m" "i" (func $import))',
      f("one", "two", "outside", "import", "a"),
      f("two", "a"),
      f("outside", "a"),
      f("a"),
    );
    addCopies(module, new Set(["one", "two"]), new Set(["outside"]));
    expect(callsOf(module, "one")).toEqual(["two", "outside", "import", "a@one"]);
    expect(callsOf(module, "two")).toEqual(["a@two"]);
    expect(callsOf(module, "outside")).toEqual(["a"]);
  });

  it("ends where functions call themselves and each other", () => {
    const module = moduleOf(f("hot", "a"), f("a", "a", "b"), f("b", "a"));
    addCopies(module, new Set(["hot"]), new Set());
    expect(callsOf(module, "a@hot")).toEqual(["a@hot", "b@hot"]);
    expect([...functionsOf(module)].sort()).toEqual(["a", "a@hot", "b", "b@hot", "hot"]);
  });

  it("refuses an expression of a kind that it does not know how to look into", () => {
    const module = moduleOf("(table 1 funcref)", "(func $hot (call_indirect (i32.const 0)))");
    expect(() => addCopies(module, new Set(["hot"]), new Set())).toThrow(
      "an expression of a kind not known here",
    );
  });
});

describe("readHeapFromGlobal", () => {
  const reads =
    "(param $m i32) (param $heap i32) (result i32) (i32.add (local.get $heap) (i32.load (local.get $heap)))";

  it("lets a function read the global wherever it read its parameter", () => {
    const module = moduleOf(`(func $cold ${reads})`);
    readHeapFromGlobal(module, new Set());
    const text = binaryen.emitText(binaryen.getFunctionInfo(module.getFunction("cold")).body);
    expect(text.match(/global\.get \$heap/g)).toHaveLength(2);
    expect(text).not.toContain("local.get");
    expect(module.validate()).toBe(1);
  });

  it("lets a hot function read it once, and its copies take it from there", () => {
    const module = moduleOf(`(func $hot ${reads})`, `(func $a@hot ${reads})`);
    readHeapFromGlobal(module, new Set(["hot"]));
    const text = (name: string) => binaryen.emitText(binaryen.getFunctionInfo(module.getFunction(name)).body);
    expect(text("hot").match(/global\.get \$heap/g)).toHaveLength(1);
    expect(text("a@hot")).not.toContain("global.get");
    expect(module.validate()).toBe(1);
  });

  it("leaves a function without such a parameter alone, and refuses one that changes it", () => {
    const other = moduleOf("(func $f (param $at i32) (result i32) (local.get $at))");
    readHeapFromGlobal(other, new Set());
    expect(binaryen.emitText(binaryen.getFunctionInfo(other.getFunction("f")).body)).not.toContain("global");
    const changing = moduleOf("(func $f (param $heap i32) (local.set $heap (i32.const 1)))");
    expect(() => readHeapFromGlobal(changing, new Set())).toThrow("f changes its heap");
  });
});

describe("checkHeapsPassed", () => {
  const callee = "(func $callee (param $m i32) (param $heap i32))";
  const calling = (params: string, given: string) =>
    `(func $caller ${params} (call $callee (i32.const 0) ${given}))`;

  it("lets a function hand on its own heap", () => {
    checkHeapsPassed(moduleOf(callee, calling("(param $heap i32)", "(local.get $heap)")));
  });

  it.each([
    ["another parameter", "(param $heap i32) (param $common i32)", "(local.get $common)"],
    ["what it has reckoned", "(param $heap i32)", "(i32.add (local.get $heap) (i32.const 16))"],
    ["a heap, though it has none", "(param $common i32)", "(local.get $common)"],
  ])("refuses one that hands on %s", (_, params, given) => {
    expect(() => checkHeapsPassed(moduleOf(callee, calling(params, given)))).toThrow(
      "caller hands another heap than its own to callee",
    );
  });
});

describe("bindHeap", () => {
  const part = (name: string) => `(func (export "${name}") (param i32 i32) (result i32) (i32.const 0))`;
  const begin = (name: string) => `(func (export "${name}") (param i32 i32 i32))`;
  const without = () =>
    binaryen.parseText(`(module ${part("placeFor")} ${begin("beginHeap")} ${part("mallok")})`);

  it("refuses a kernel that lacks a function of the table's", () => {
    expect(() => bindHeap(without())).toThrow(/the table has \w+, which the kernel does not export/);
  });
});

describe("defineImports and exportDirectly", () => {
  it("give imports a body, and export what a function only hands on to", () => {
    const module = moduleOf(
      '(import "morecore" "grow" (func $grow (param i32) (result i32)))',
      '(import "morecore" "release" (func $release (param i32 i32)))',
      "(func $inner (param i32) (result i32) (call $grow (local.get 0)))",
      '(func (export "f") (param i32) (result i32) (call $inner (local.get 0)))',
      '(func (export "g") (param i32) (result i32) (call $inner (i32.const 1)))',
    );
    defineImports(module, { importsGrow: false });
    exportDirectly(module);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(module.emitBinary())));
    const { f, g } = instance.exports as Record<string, (bytes: number) => number>;
    expect(f?.(65_536)).toBe(65_536);
    expect(g?.(0)).toBe(131_072);
    expect(f?.(-65_536)).toBe(0);
    const exported = (name: string) =>
      Array.from({ length: module.getNumExports() }, (_, index) =>
        binaryen.getExportInfo(module.getExportByIndex(index)),
      ).find((each) => each.name === name)?.value;
    expect(exported("f")).toBe("inner");
    expect(exported("g")).not.toBe("inner");
  });
});

describe("exportWithHeap", () => {
  it("refuses a kernel that lacks a function that the native library calls", () => {
    const module = binaryen.parseText(
      '(module (func (export "mallok") (param i32 i32 i32) (result i32) (i32.const 0)))',
    );
    expect(() => exportWithHeap(module)).toThrow("the kernel does not export malloc");
  });

  it("refuses a function with other parameters than the table says", () => {
    const module = binaryen.parseText(
      '(module (func (export "malloc") (param i32 i32) (result i32) (i32.const 0)))',
    );
    expect(() => exportWithHeap(module)).toThrow("malloc is -> i32, but i32 -> i32 in the table");
  });
});
