import { describe, expect, it } from "vitest";
import {
  HEAP_BASE,
  HEAP_IMPORTS,
  heapProgram,
  plainProgram,
  wat,
} from "../../../test/support/wasm-program.ts";
import { MEMORY, readImports, readMemories, readSections, WasmFormatError } from "../src/format/binary.ts";
import { isHeapImport } from "../src/run/host-heap.ts";
import { heapBaseOf, MEMORY_IMPORT, type Program, readProgram } from "../src/run/program.ts";

const read = (bytes: Uint8Array): Program => readProgram(bytes, isHeapImport);

/** The contents of the code section. */
function codeOf(bytes: Uint8Array): Uint8Array | undefined {
  return readSections(bytes).find(({ id }) => id === 10)?.contents;
}

describe("the mode of a program", () => {
  it("is two-modules when it imports its malloc from morecore", () => {
    expect(read(heapProgram("(nop)")).mode).toBe("two-modules");
  });

  it("is two-modules when it imports malloc from env", () => {
    const program = wat(`(module (import "env" "malloc" (func (param i32) (result i32)))
      (memory (export "memory") 1) (func (export "_start")))`);
    expect(read(program).mode).toBe("two-modules");
  });

  it("is merged when it exports morecore_heap", () => {
    const program = wat(`(module (memory (export "memory") 1)
      (global (export "morecore_heap") (mut i32) (i32.const 0)) (func (export "_start")))`);
    expect(read(program).mode).toBe("merged");
  });

  it("is plain otherwise, and its bytes are as they were", () => {
    const bytes = plainProgram("(nop)");
    const program = read(bytes);
    expect(program).toMatchObject({ mode: "plain", origin: { shift: 0 }, heapBase: undefined });
    expect(program.bytes).toBe(bytes);
  });
});

describe("a program with a memory of its own", () => {
  const bytes = heapProgram("(drop (call $malloc (i32.const 10)))");
  const program = read(bytes);

  it("is changed to import it, with the same limits", () => {
    const memories = readImports(readSections(program.bytes)).filter(({ kind }) => kind === MEMORY);
    expect(memories).toMatchObject([{ ...MEMORY_IMPORT, limits: readMemories(readSections(bytes))[0] }]);
    expect(readMemories(readSections(program.bytes))).toHaveLength(1);
    expect(() => new WebAssembly.Module(new Uint8Array(program.bytes))).not.toThrow();
  });

  it("keeps its code as it is, and its origin says how far that has moved", () => {
    expect(codeOf(program.bytes)).toEqual(codeOf(bytes));
    const offset = (all: Uint8Array) => (codeOf(all)?.byteOffset ?? 0) - all.byteOffset;
    expect(program.origin).toEqual({ shift: offset(program.bytes) - offset(bytes) });
    expect(program.origin).not.toEqual({ shift: 0 });
  });

  it("keeps the maximum of its memory", () => {
    const bounded = read(
      wat(`(module ${HEAP_IMPORTS} (memory (export "memory") 3 70) (func (export "_start")))`),
    );
    expect(bounded.imports.find(({ kind }) => kind === MEMORY)?.limits).toMatchObject({
      minimum: 3,
      maximum: 70,
    });
  });

  it("is left as it is when it imports its memory already", () => {
    const imports = wat(
      `(module ${HEAP_IMPORTS} (import "env" "memory" (memory 3)) (func (export "_start")))`,
    );
    expect(read(imports).bytes).toBe(imports);
  });
});

describe("__heap_base", () => {
  it("is read before there is an instance", () => {
    expect(read(heapProgram("(nop)")).heapBase).toBe(HEAP_BASE);
  });

  it.each([
    ["a small number", 64],
    ["one of five bytes in the module", 0x7654_3210],
    ["above 2 GiB", 0x8765_4320],
  ])("may be %s", (_, base) => {
    const bytes = wat(`(module (memory 1) (global i32 (i32.const -1)) (global i64 (i64.const -1))
      (global f32 (f32.const 1)) (global (mut f64) (f64.const 2)) (global funcref (ref.null func))
      (global (export "__heap_base") i32 (i32.const ${base})))`);
    expect(heapBaseOf(readSections(bytes))).toBe(base);
  });

  it.each([
    ["it is mutable", `(global (export "__heap_base") (mut i32) (i32.const 64))`],
    ["it comes from an import", `(import "env" "base" (global i32)) (export "__heap_base" (global 0))`],
    [
      "it is computed from an import",
      `(import "env" "base" (global $b i32)) (global (export "__heap_base") i32 (global.get $b))`,
    ],
    ["it is no i32", `(global (export "__heap_base") i64 (i64.const 64))`],
    ["it is a function", `(func (export "__heap_base"))`],
    ["nothing of the name is exported", `(global i32 (i32.const 64))`],
  ])("is not known if %s", (_, fields) => {
    expect(heapBaseOf(readSections(wat(`(module ${fields})`)))).toBeUndefined();
  });
});

describe("what cannot be run", () => {
  const whyNot = (bytes: Uint8Array): string => {
    try {
      read(bytes);
    } catch (error) {
      if (error instanceof WasmFormatError) return error.message;
      throw error;
    }
    throw new Error("it was taken for a program");
  };

  it.each([
    [
      "text",
      new TextEncoder().encode("(module)"),
      "it is no WebAssembly module: it does not begin with \\0asm",
    ],
    ["nothing", new Uint8Array(), "it is no WebAssembly module: it is empty"],
    [
      "a component",
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0),
      /^it is a WebAssembly component, not a module/,
    ],
    ["half a module", plainProgram("(nop)").subarray(0, 40), "it ends in the middle of a section"],
    ["no _start", wat("(module)"), "it has no _start: it is not a program for WASI"],
    ["a _start that is no function", wat(`(module (memory (export "_start") 1))`), /^it has no _start/],
    [
      "a library",
      wat(`(module (func (export "_initialize")))`),
      "it has no _start, but _initialize: it is a library (a WASI reactor), not a program",
    ],
    [
      "a 64-bit memory",
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 4, 1),
      "it is a wasm64 module (its memory has 64-bit addresses)",
    ],
    [
      "two memories",
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 5, 2, 0, 1, 0, 1),
      "it has several memories; WASI and the heap need one",
    ],
    [
      "malloc from morecore without a memory",
      wat(`(module ${HEAP_IMPORTS} (func (export "_start")))`),
      "it has no memory for a heap to be in",
    ],
  ])("%s is refused, and why is said", (_, bytes, why) => {
    expect(whyNot(bytes)).toMatch(why);
  });

  it("a shared memory is refused for a heap beside the program", () => {
    const program = heapProgram("(nop)");
    const at = program.findIndex((_, index) =>
      [5, 3, 1, 0, 2].every((byte, n) => program[index + n] === byte),
    );
    expect(at).toBeGreaterThan(0);
    const shared = Uint8Array.from([
      ...program.subarray(0, at),
      5,
      4,
      1,
      3,
      2,
      9,
      ...program.subarray(at + 5),
    ]);
    expect(whyNot(shared)).toMatch(/^its memory is shared between threads, and it imports its malloc; /);
  });
});
