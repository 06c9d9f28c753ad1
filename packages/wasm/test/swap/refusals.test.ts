// Modules that swap must refuse, each with its reason.

import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import { packageFile, refusal } from "../../../../test/support/swap.ts";
import { decide } from "../../src/swap/decide.ts";
import { inspectModule, swapModule, WasmFormatError } from "../../src/swap/index.ts";
import { readModule } from "../../src/swap/module.ts";

function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(
    binaryen.Features.Atomics | binaryen.Features.BulkMemory | binaryen.Features.MutableGlobals,
  );
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

describe("swap refuses", () => {
  it("an option that it does not know, by name", async () => {
    const rule = 'options: unknown option "keepimports"; known are glue, keepImports';
    await expect(swapModule(assemble(BUMP), { keepimports: true } as object)).rejects.toThrow(rule);
    expect(() => inspectModule(assemble(BUMP), { keepImports: true } as object)).toThrow("known are glue");
  });

  it("another allocator behind the exports, and says that it is not dlmalloc", async () => {
    const { refusals, functions } = await refusal(assemble(BUMP));
    expect(refusals).toEqual([
      expect.stringMatching(/^its malloc \(function 0, exported as malloc\) is not dlmalloc/),
    ]);
    expect(functions.map(({ role, action }) => `${role} ${action}`)).toEqual(["malloc left", "free left"]);
  });

  it("an allocator that a name gives away", async () => {
    const text = BUMP.replaceAll("$malloc", "$emmalloc_malloc");
    const module = binaryen.parseText(text);
    binaryen.setDebugInfo(true);
    const bytes = module.emitBinary();
    binaryen.setDebugInfo(false);
    expect((await refusal(bytes)).refusals).toEqual(["its allocator is not dlmalloc but emmalloc"]);
  });

  it("a module without malloc", async () => {
    const bytes = assemble(`(module (memory 1) (func (export "add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1))))`);
    expect((await refusal(bytes)).refusals).toEqual([expect.stringMatching(/^no malloc was found/)]);
  });

  it("a module without a memory", async () => {
    expect((await refusal(assemble(`(module (func (export "f")))`))).refusals).toEqual(["it has no memory"]);
  });

  it("a grammar of tree-sitter, which uses another module's malloc", async () => {
    const bytes = packageFile("@vscode/tree-sitter-wasm/wasm/tree-sitter-javascript.wasm");
    expect((await refusal(bytes)).refusals).toEqual([expect.stringMatching(/^no malloc was found/)]);
  });

  it("a memory of 64 bits, whether the engine knows it or not", async () => {
    const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 4, 1);
    const reason = "its memory has 64-bit addresses (memory64); the kernel has 32";
    await expect(swapModule(bytes)).rejects.toThrow(new WasmFormatError(reason));
    expect(() => inspectModule(bytes)).toThrow(new WasmFormatError(reason));
  });

  it("a module whose functions are all behind loads and stores of its own (SAFE_HEAP)", async () => {
    const { refusals } = await refusal(packageFile("web-tree-sitter/debug/web-tree-sitter.wasm"));
    expect(refusals).toEqual([expect.stringMatching(/exported as malloc\) is not dlmalloc/)]);
  });

  it("a module that was swapped already", async () => {
    const { bytes } = await swapModule(packageFile("web-tree-sitter/web-tree-sitter.wasm"));
    expect((await refusal(bytes)).refusals).toEqual([expect.stringMatching(/is not dlmalloc/)]);
  });

  it("a snapshot, whose heap is in use when it begins", async () => {
    const bytes = packageFile("@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm");
    const facts = readModule(bytes);
    const at = decide(bytes, facts).plan?.block.at ?? 0;
    const used = { address: at + 8, bytes: new Uint8Array([0, 1, 0, 0]) };
    const { report, plan } = decide(bytes, { ...facts, data: [...facts.data, used] });
    expect(plan).toBeUndefined();
    expect(report.refusals).toEqual([
      "its data begins with a heap in use: it is a snapshot of a program that ran",
    ]);
    const zeros = { address: at + 8, bytes: new Uint8Array(4) };
    expect(decide(bytes, { ...facts, data: [...facts.data, zeros] }).report.refusals).toEqual([]);
  });

  it("a memory that cannot grow, where it is not known what part of it is malloc's", () => {
    const bytes = packageFile("@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm");
    const facts = readModule(bytes);
    const fixed = facts.memories.map((memory) => ({ ...memory, maximumPages: memory.initialPages }));
    const sbrk = decide(bytes, facts).plan?.sbrk ?? -1;
    // An sbrk that keeps a break may have some of that memory: then nothing is refused.
    expect(decide(bytes, { ...facts, memories: fixed }).report.refusals).toEqual([]);
    const functions = facts.functions.map((each) =>
      each.index === sbrk ? { ...each, readsState: false, growsMemory: true, calls: new Map() } : each,
    );
    const { report } = decide(bytes, { ...facts, functions, memories: fixed });
    expect(report.refusals).toContain(
      "its memory cannot grow, and which part of it is malloc's is not known",
    );
  });

  it("what is no module, as a bad file", async () => {
    await expect(swapModule(new TextEncoder().encode("(module)"))).rejects.toThrow(WasmFormatError);
    const bytes = packageFile("web-tree-sitter/web-tree-sitter.wasm");
    await expect(swapModule(bytes.subarray(0, 5000))).rejects.toThrow(WasmFormatError);
  });
});

const BUMP = `(module
  (memory (export "memory") 1)
  (global $break (mut i32) (i32.const 1024))
  (func $malloc (export "malloc") (param i32) (result i32)
    (global.set $break (i32.add (global.get $break) (local.get 0)))
    (i32.sub (global.get $break) (local.get 0)))
  (func $free (export "free") (param i32)))`;
