// The family's table, and what is made of it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codesForC, MISUSE } from "../../packages/morecore/src/abi/codes.ts";
import { familyCalls, PREFIX, signatureOf } from "../../packages/morecore/src/abi/family.ts";
import { C_FAMILY } from "../../packages/morecore/src/heap/family-calls.ts";
import { KERNEL_TEXT } from "../../packages/morecore/src/heap/kernel-bytes.ts";
import { bytesOfText } from "../../packages/morecore/src/heap/kernel-text.ts";
import { THREADS_TEXT } from "../../packages/morecore/src/heap/threads-bytes.ts";
import { withBlock } from "../abi/block.ts";
import { definitions, headerDeclarations, importDeclarations, nativeCalls, nativeLayout } from "../abi/c.ts";
import { madeFiles } from "../abi/files.ts";
import { heapCalls, kernelFamily } from "../abi/typescript.ts";
import { ROOT } from "../root.ts";

describe("what is made of the table", () => {
  it.each(madeFiles().map((file) => [file.path, file] as const))(
    "%s is as it says",
    (_, { found, wanted }) => {
      expect(found).toBe(wanted);
    },
  );

  it.each([
    ["the shipped kernel exports", KERNEL_TEXT, ["threads"]],
    ["the kernel for threads exports", THREADS_TEXT, []],
  ])("is what %s", (_, text, without: readonly string[]) => {
    const module = new WebAssembly.Module(bytesOfText(text));
    const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(exported.sort()).toEqual(
      familyCalls()
        .filter(([, { group }]) => !without.includes(group))
        .map(([, { c }]) => PREFIX + c)
        .sort(),
    );
  });
});

describe("the table", () => {
  const calls = familyCalls();

  it("gives no two calls one name in C", () => {
    expect(new Set(calls.map(([, { c }]) => c)).size).toBe(calls.length);
  });

  it("has a kind of trace record for each call that gives or takes back a block", () => {
    const untold = calls.filter(
      ([, { answer, parameters, traced }]) =>
        traced === undefined &&
        (answer === "block" || (answer === "nothing" && parameters[0]?.[1] === "block")),
    );
    expect(untold.map(([name]) => name)).toEqual([]);
  });

  it("has C's codes in the order of their numbers, each once", () => {
    const numbers = codesForC().map(([, number]) => number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(new Set(Object.values(MISUSE).map(({ is }) => is)).size).toBe(Object.keys(MISUSE).length);
  });

  it("gives a call's type in WebAssembly, and that of C's function where it answers in another way", () => {
    const types = new Map(
      calls.map(([name, call]) => [name, [signatureOf(call), signatureOf(call, call.answerInC)]]),
    );
    expect(types.get("malloc")).toEqual(["i32 -> i32", "i32 -> i32"]);
    expect(types.get("footprint")).toEqual(["-> i32", "-> i32"]);
    expect(types.get("bulkFree")).toEqual(["i32 i32 ->", "i32 i32 -> i32"]);
  });
});

describe("the generators", () => {
  it("leave out for JavaScript the parameter that only C has a use for, and say so to the kernel by 0", () => {
    const text = heapCalls();
    expect(text).toContain("independentCalloc(count: number, bytes: number): number;");
    expect(text).toContain("this.exports.mc_independent_calloc(count, bytes, 0) >>> 0");
    expect(text).toContain(
      "kernel.independentCalloc(this.machine.fresh(this.heap), this.heap, count, bytes, asPtr(0))",
    );
  });

  it("make of an answer what JavaScript expects: unsigned, a truth, an error number as it is", () => {
    const text = heapCalls();
    expect(text).toContain("return this.exports.mc_malloc(bytes) >>> 0;");
    expect(text).toContain("return this.exports.mc_malloc_trim(pad) !== 0;");
    expect(text).toContain("return this.exports.mc_posix_memalign(result, alignment, bytes);");
  });

  it("export the parts of mc_begin, and not what tools/bind.ts makes itself", () => {
    const exported = /export \{(.*)\}/s
      .exec(kernelFamily())?.[1]
      ?.split(",")
      .map((name) => name.trim());
    expect(exported).toEqual(expect.arrayContaining(["placeFor", "beginHeap", "malloc", "pieceBytes"]));
    expect(exported).not.toContain("begin");
    expect(exported).not.toContain("attach");
  });

  it("declare for C what <stdlib.h> does not, as C's function answers, and imports as the kernel does", () => {
    expect(headerDeclarations("C")).not.toMatch(/\b(malloc|free|calloc|realloc)\(/);
    expect(headerDeclarations("C")).toContain("void *reallocarray(void *ptr, size_t count, size_t bytes);");
    expect(headerDeclarations("dlmalloc")).toContain("size_t bulk_free(void *array[], size_t count);");
    expect(importDeclarations()).toContain(
      "IMPORT(bulk_free) void mc_bulk_free(void *array[], size_t count);",
    );
    expect(importDeclarations()).toContain("IMPORT(malloc_footprint) size_t mc_malloc_footprint(void);");
    expect(importDeclarations()).not.toMatch(/mc_(begin|attach)/);
  });

  it("define for C what is no more than a call: by its name if it may be misuse, with errno if it gives memory", () => {
    const text = definitions();
    expect(text).toContain(
      "void *calloc(size_t count, size_t bytes) { return or_no_memory(mc_calloc(count, bytes)); }",
    );
    expect(text).toContain("size_t malloc_footprint(void) { return mc_malloc_footprint(); }");
    const realloc = [
      "void *realloc(void *ptr, size_t bytes) {",
      '  CALLING("realloc");',
      "  void *answer = mc_realloc(ptr, bytes);",
      "  CALLING(NULL);",
      "  return or_no_memory(answer);",
      "}",
    ];
    expect(text).toContain(realloc.join("\n"));
    expect(text).toContain('{\n  CALLING("free_sized");\n  mc_free_sized(ptr, bytes);\n  CALLING(NULL);\n}');
    expect(text).not.toMatch(/\b(malloc|free|bulk_free|posix_memalign)\(/);
  });

  it("leave no function of C's family without a definition in morecore.c, or with two", () => {
    const source = readFileSync(join(ROOT, "packages/wasm/c/lib/morecore.c"), "utf8");
    const defined = C_FAMILY.map((name) => [
      name,
      source.match(new RegExp(`^\\w[\\w *]*[ *]${name}\\([^;]*\\) \\{`, "gm"))?.length ?? 0,
    ]);
    expect(defined).toEqual(C_FAMILY.map((name) => [name, 1]));
  });

  it("give the native library the states, the codes and the calls", () => {
    expect(nativeLayout()).toMatch(/^#define OVERHEAD 4u$/m);
    expect(nativeLayout()).toMatch(/^#define DOUBLE_FREE 3u$/m);
    expect(nativeLayout()).toContain('X(DOUBLE_FREE, "the block was freed before")');
    expect(nativeCalls()).toContain("void mc_free(Base base, u32 heap, u32 ptr);");
    expect(nativeCalls()).toContain("u32 mc_join(Base base, u32 common);");
  });

  it("keep comments within a line of C", () => {
    const lines = ["C", "BSD", "dlmalloc"].flatMap((group) => headerDeclarations(group as "C").split("\n"));
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });
});

describe("withBlock", () => {
  const text = "a\n// B: made by `npm run abi -- --write`\nold\n// end of B\nz\n";

  it("changes what lies between the marks, and nothing else", () => {
    expect(withBlock(text, "B", "//", "new\n")).toBe(text.replace("old", "new"));
    const markdown = text.replaceAll(/^\/\/ (.*)$/gm, "<!-- $1 -->");
    expect(withBlock(markdown, "B", "<!--", "new")).toBe(markdown.replace("old", "\nnew\n"));
  });

  it("refuses a text without the marks, with one twice, or with them the wrong way round", () => {
    expect(() => withBlock("a\n", "B", "//", "")).toThrow("expected a line: // B: made by");
    expect(() => withBlock(text.replace("// end of B", ""), "B", "//", "")).toThrow(
      "expected a line: // end of B",
    );
    expect(() => withBlock(text + text, "B", "//", "")).toThrow("expected once, found twice");
    const turned = text.split("\n").reverse().join("\n");
    expect(() => withBlock(turned, "B", "//", "")).toThrow('"end of B" stands before its beginning');
  });
});
