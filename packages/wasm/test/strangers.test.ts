// Modules that are made to be hard on their readers, and what binaryen may throw.

import { describe, expect, it } from "vitest";
import { textModule } from "../../../test/support/text-module.ts";
import { HEAP_IMPORTS, heapProgram, plainProgram } from "../../../test/support/wasm-program.ts";
import {
  readExports,
  readImports,
  readSections,
  WasmFormatError,
  writeSections,
} from "../src/format/binary.ts";
import { guarded, loadBinaryen } from "../src/format/binaryen.ts";
import { BinaryenError, MissingToolError } from "../src/format/parts.ts";
import { autoSwap } from "../src/run/auto-swap.ts";
import { heapBaseOf } from "../src/run/program.ts";
import { DIED, loadProgram, type RunOptions, runProgram } from "../src/run/run.ts";
import { programFrames } from "../src/run/stack.ts";
import { GlueError, readGlue } from "../src/swap/glue.ts";
import { inspectModule } from "../src/swap/index.ts";

const run = async (bytes: Uint8Array, options?: RunOptions) => runProgram(await loadProgram(bytes), options);
const section = (id: number, ...contents: number[]) =>
  writeSections([{ id, name: "", contents: Uint8Array.from(contents) }]);

describe("what binaryen throws", () => {
  /** As Emscripten compiles C++'s exceptions: no Error, with or without a message. */
  class CppException {
    readonly message = "error in parsing wasm binary\n";
  }
  const thrownBy = (thrown: unknown) => () => {
    throw thrown;
  };

  it.each([
    [new CppException(), "binaryen cannot do it: error in parsing wasm binary"],
    [5_756_408, "binaryen cannot do it: 5756408"],
    ["Fatal: no", "binaryen cannot do it: Fatal: no"],
    [undefined, "binaryen cannot do it: undefined"],
    [new TypeError("x is not a function"), "binaryen cannot do it: x is not a function"],
  ])("is a BinaryenError that says so: %s", (thrown, message) => {
    expect(() => guarded(thrownBy(thrown))).toThrow(new BinaryenError(message));
  });

  it("stays as it is if it is ours", () => {
    for (const own of [new BinaryenError("a"), new MissingToolError("b"), new WasmFormatError("c")])
      expect(() => guarded(thrownBy(own))).toThrow(own);
  });

  it("costs the instance if it was a trap: the next work has another, which is as good", async () => {
    const before = await loadBinaryen();
    expect(() => guarded(thrownBy("no trap"))).toThrow(BinaryenError);
    expect(await loadBinaryen()).toBe(before);
    expect(() => guarded(thrownBy(new WebAssembly.RuntimeError("unreachable")))).toThrow(BinaryenError);
    const after = await loadBinaryen();
    expect(after).not.toBe(before);
    const module = after.parseText('(module (func (export "f")))');
    expect(module.validate()).toBe(1);
    module.dispose();
  });
});

describe("a module made to be hard on its readers", () => {
  it("has no list that is longer than what it lies in, and no number that is too long", () => {
    const endless = section(2, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
    expect(() => readImports(readSections(endless))).toThrow("it ends in the middle of a section");
    const long = section(7, ...Array(300).fill(0xff), 1);
    expect(() => readExports(readSections(long))).toThrow("it has a number of more than 10 bytes");
  });

  it("may export an imported global as its __heap_base: then that is not known", () => {
    const text = `(module (import "a" "b" (global $g i32)) (global i32 (i32.const 7)) (export "__heap_base" (global $g)))`;
    expect(heapBaseOf(readSections(textModule(text)))).toBeUndefined();
  });

  it("may declare tens of thousands of locals in many functions", () => {
    const body = [0x08, 0x01, 0xd0, 0x86, 0x03, 0x7f, 0x03, 0x40, 0x0b, 0x0b].with(0, 9);
    const count = 1000;
    const number = [(count & 0x7f) | 0x80, count >> 7];
    const parts = [
      [1, 1, 0x60, 0, 0],
      [3, ...number, ...Array(count).fill(0)],
      [5, 1, 0, 1],
      [10, ...number, ...Array.from({ length: count }, () => body).flat()],
    ].map(([id = 0, ...contents]) => ({ id, name: "", contents: Uint8Array.from(contents) }));
    expect(inspectModule(writeSections(parts)).refusals[0]).toMatch(/^no malloc was found/);
  });

  it("is not followed for ever: who entangles very many values is told so", () => {
    const many = Array.from(
      { length: 300 },
      (_, n) =>
        `(local.set 0 (i32.const ${(n + 9) * 1000}))(if (local.get 0) (then (local.set 0 (i32.const ${n}))))`,
    );
    const text = `(module (memory 1) (func (export "f") (param i32) ${many.join("")}))`;
    expect(() => inspectModule(textModule(text))).toThrow(
      new WasmFormatError("its functions are too entangled to follow what they do"),
    );
  });

  it("may have any bytes for its custom sections", () => {
    for (const name of ["name", "linking", "reloc.CODE", "dylink.0", "sourceMappingURL"]) {
      const sections = readSections(textModule('(module (memory 1) (func (export "f")))'));
      const contents = Uint8Array.of(1, 2, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x80);
      const broken = writeSections([...sections.filter(({ id }) => id !== 0), { id: 0, name, contents }]);
      expect(inspectModule(broken).refusals[0], name).toMatch(/^no malloc was found/);
    }
  });

  it.each(["toString", "__proto__", "constructor"])("may import from %s, which nobody has", async (name) => {
    for (const [module, field] of [
      [name, name],
      ["wasi_snapshot_preview1", name],
      [name, "memory"],
    ]) {
      const bytes = textModule(`(module (import "${module}" "${field}" (func)) ${HEAP_IMPORTS}
        (memory (export "memory") 1) (func (export "_start")))`);
      await expect(run(bytes)).rejects.toThrow(
        /^it imports what neither WASI preview 1 nor morecore provides/,
      );
    }
  });

  it("whose exception nobody catches has died of that", async () => {
    const bytes = textModule(`(module (memory (export "memory") 1) (tag $t (param i32))
      (func (export "_start") (throw $t (i32.const 1))))`);
    expect(await run(bytes)).toMatchObject({ exitCode: DIED, death: { kind: "exception" } });
  });

  it("may call with addresses that are no multiples of four, watched, too", async () => {
    const bytes = textModule(`(module
      (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
      (import "morecore" "mc_bulk_free" (func $bulk_free (param i32 i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (i32.store (i32.const 1001) (call $malloc (i32.const 8)))
        (call $bulk_free (i32.const 1001) (i32.const 1))))`);
    const { exitCode, heap } = await run(bytes, { stats: true, trace: true });
    expect({ exitCode, live: heap?.calls?.liveBytes }).toEqual({ exitCode: 0, live: 0 });
  });

  it("may give its functions any names: a stack is read in one go", () => {
    const name = " (wasm://wasm/".repeat(20_000);
    const [frame, ...more] = programFrames(`    at ${name} (wasm://wasm/0:wasm-function[3]:0x10)`);
    expect(more).toEqual([]);
    expect(frame).toMatchObject({ index: 3, offset: 0x10 });
    expect(frame?.name?.length).toBe(400);
  });

  it("may come with JavaScript that is nested too deeply", () => {
    const deep = `a = ${"1+".repeat(20_000)}1`;
    expect(() => readGlue(deep, new Set(["a"]), () => true)).toThrow(GlueError);
  });

  it("is run as it is, and why is said, if nothing of it can be swapped", async () => {
    for (const bytes of [plainProgram("(nop)"), heapProgram("(nop)")])
      expect(typeof (await autoSwap.only(bytes))).toBe("string");
  });
});
