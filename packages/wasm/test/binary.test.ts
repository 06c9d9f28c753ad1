import { describe, expect, it } from "vitest";
import { textModule } from "../../../test/support/text-module.ts";
import {
  FUNCTION,
  functionNames,
  GLOBAL,
  MEMORY,
  readExports,
  readFeatures,
  readImports,
  readMemories,
  readSections,
  TABLE,
  TAG,
  WasmFormatError,
  withExports,
  withImports,
  withNames,
  writeSections,
} from "../src/format/binary.ts";

const WHOLE = textModule(
  `(module
    (import "a" "function" (func $f (param i32)))
    (import "b" "table" (table 1 2 funcref))
    (import "c" "memory" (memory 3 4))
    (import "d" "global" (global $g (mut i64)))
    (import "e" "tag" (tag $t (param i32)))
    (global $own i32 (i32.const 5))
    (export "call" (func $own))
    (export "value" (global $own))
    (func $own (call $f (i32.const 1)))
    (func $unexported (call $own)))`,
  ["simd128", "sign-ext"],
);

describe("a module's sections", () => {
  it("are read and written without a change", () => {
    expect(writeSections(readSections(WHOLE))).toEqual(WHOLE);
  });

  it("have imports of every kind, with the limits of a memory", () => {
    const imports = readImports(readSections(WHOLE));
    const kinds = Object.fromEntries(imports.map(({ module, name, kind }) => [`${module}.${name}`, kind]));
    expect(kinds).toEqual({
      "a.function": FUNCTION,
      "b.table": TABLE,
      "c.memory": MEMORY,
      "d.global": GLOBAL,
      "e.tag": TAG,
    });
    const limits = { minimum: 3, maximum: 4, shared: false, is64: false };
    expect(imports.flatMap((each) => each.limits ?? [])).toEqual([limits]);
    expect(readMemories(readSections(WHOLE))).toEqual([limits]);
  });

  it("have exports, and the features that a toolchain noted", () => {
    expect(readExports(readSections(WHOLE)).map(({ name, kind }) => [name, kind])).toEqual([
      ["call", FUNCTION],
      ["value", GLOBAL],
    ]);
    expect(readFeatures(readSections(WHOLE))).toEqual(["simd128", "sign-ext"]);
    expect(readFeatures(readSections(textModule("(module)")))).toBeUndefined();
  });

  it("tell shared and 64-bit memories, wherever they come from", () => {
    const [shared] = readMemories(readSections(textModule('(module (import "a" "b" (memory 1 2 shared)))')));
    expect(shared).toEqual({ minimum: 1, maximum: 2, shared: true, is64: false });
    const [wide] = readMemories(readSections(textModule("(module (memory i64 1))")));
    expect(wide).toMatchObject({ minimum: 1, is64: true });
  });

  it("are refused where they are no module's, or are cut off", () => {
    expect(() => readSections(new TextEncoder().encode("int main() {}"))).toThrow(
      new WasmFormatError("it is no WebAssembly module: it does not begin with \\0asm"),
    );
    expect(() => readSections(new Uint8Array(0))).toThrow("it is empty");
    expect(() => readSections(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0))).toThrow(
      "it is a WebAssembly component, not a module",
    );
    const [types, imports] = readSections(WHOLE);
    const ends = [types, imports].map(
      (section) => (section?.contents.byteOffset ?? 0) + (section?.contents.length ?? 0),
    );
    for (let length = 9; length < (ends[1] ?? 0); length++)
      if (length !== ends[0])
        expect(() => readSections(WHOLE.subarray(0, length)), String(length)).toThrow(
          "it ends in the middle of a section",
        );
  });
});

describe("a module with other imports, exports and names", () => {
  it("takes what it imports from elsewhere", () => {
    const sections = readSections(WHOLE);
    const renamed = readImports(sections).map((each) =>
      each.name === "function" ? { ...each, module: "elsewhere", name: "ƒ" } : each,
    );
    const module = new WebAssembly.Module(writeSections(withImports(sections, renamed)));
    expect(WebAssembly.Module.imports(module)).toEqual(
      expect.arrayContaining([
        { module: "elsewhere", name: "ƒ", kind: "function" },
        { module: "b", name: "table", kind: "table" },
        { module: "c", name: "memory", kind: "memory" },
      ]),
    );
  });

  it("exports what it did not, also if it had no exports", () => {
    const sections = readSections(WHOLE);
    const exports = [...readExports(sections), { name: "memory", kind: MEMORY, index: 0 }];
    const module = new WebAssembly.Module(writeSections(withExports(sections, exports)));
    expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(["call", "value", "memory"]);

    const silent = readSections(
      textModule("(module (memory 1) (tag $t) (global i32 (i32.const 1)) (func $f (throw $t)) (start $f))"),
    );
    const heard = withExports(silent, [{ name: "memory", kind: MEMORY, index: 0 }]);
    expect(WebAssembly.Module.exports(new WebAssembly.Module(writeSections(heard)))).toHaveLength(1);
  });

  it("has its exports' names for its functions, their own or a number for the others", () => {
    const sections = readSections(
      textModule(`(module (import "a" "b" (func $b))
        (func (export "outside") (call $inside)) (func $inside (call $b) (unreachable)))`),
    );
    const others = sections.filter(({ name }) => name !== "name");
    const bytes = writeSections(withNames(sections, functionNames(others, "the:")));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { a: { b: () => 0 } });
    let stack = "";
    try {
      (exports["outside"] as () => void)();
    } catch (error) {
      stack = String((error as Error).stack);
    }
    expect(stack).toMatch(/at the:2 .*at the:outside /s);
    expect([...functionNames(sections, "the:").values()]).toEqual(["the:outside", "the:inside"]);
  });
});
