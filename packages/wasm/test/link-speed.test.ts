// What link does for speed: malloc and free inlined, the slow ways apart, the heap's address a number, errno set where malloc fails.

import { describe, expect, it } from "vitest";
import { builtKernels } from "../../../test/support/c-program.ts";
import { functionsOf, textModule } from "../../../test/support/text-module.ts";
import { readSections } from "../src/format/binary.ts";
import { type LinkOptions, linkProgram } from "../src/link/link.ts";
import { readModule } from "../src/swap/module.ts";

const IMPORTS = `
  (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
  (import "morecore" "mc_free" (func $free (param i32)))
  (import "morecore" "mc_memalign" (func $memalign (param i32 i32) (result i32)))`;
const CALLERS = `
  (memory (export "memory") 2 20)
  (func (export "take") (param i32) (result i32) (call $malloc (local.get 0)))
  (func (export "give") (param i32) (call $free (local.get 0)))
  (func (export "aligned") (param i32 i32) (result i32) (call $memalign (local.get 0) (local.get 1)))`;
const HEAP_BASE = '(global (export "__heap_base") i32 (i32.const 70000))';

function linked(rest: string, options?: LinkOptions): Promise<Uint8Array<ArrayBuffer>> {
  return linkProgram(textModule(`(module ${IMPORTS} ${rest})`), builtKernels(), options);
}

function instanceOf(bytes: Uint8Array<ArrayBuffer>): ReturnType<typeof functionsOf> {
  return functionsOf(new WebAssembly.Instance(new WebAssembly.Module(bytes)));
}

/** The names of the functions that an exported one calls. */
function calledBy(bytes: Uint8Array, exported: string): (string | undefined)[] {
  const { functions } = readModule(bytes);
  const found = functions.find(({ exportedAs }) => exportedAs.includes(exported));
  return [...(found?.calls.keys() ?? [])].map((index) => functions[index]?.name);
}

describe("malloc and free", () => {
  it("are inlined where they are called, but for their slow ways", async () => {
    const bytes = await linked(`${CALLERS} ${HEAP_BASE}`);
    expect(calledBy(bytes, "take")).toEqual(["morecore:mallocSlow"]);
    expect(calledBy(bytes, "give")).toEqual(["morecore:freeSlow"]);
  });

  it.each<[string, LinkOptions]>([
    ["when that is not asked for", { inline: 0 }],
    ["where the program would grow by more than it may", { inline: 20 }],
    ["when not all is for speed: -O2", { optimize: 2 }],
    ["when not all is for speed: -Os", { optimize: 2, shrink: 1 }],
  ])("are called %s", async (_, options) => {
    const bytes = await linked(CALLERS, options);
    expect(calledBy(bytes, "take")).toEqual(["~morecore:mc_malloc"]);
    expect(calledBy(bytes, "give")).toEqual(["~morecore:mc_free"]);
  });

  it("serve and refuse as they do when they are called", async () => {
    const seen: unknown[] = [];
    for (const options of [{ optimize: 0 }, { inline: 0 }, {}]) {
      const { take, give } = instanceOf(await linked(`${CALLERS} ${HEAP_BASE}`, options));
      const sizes = Array.from({ length: 400 }, (_, i) => (i * 37) % 1500);
      const blocks = sizes.map((bytes) => take?.(bytes) ?? 0);
      for (const [index, ptr] of blocks.entries()) if (index % 3 !== 0) give?.(ptr);
      const again = sizes.map((bytes) => take?.(bytes) ?? 0);
      for (const wrong of [blocks[1] ?? 0, blocks[2] ?? 0]) give?.(wrong);
      expect(() => give?.(blocks[2] ?? 0)).toThrow(WebAssembly.RuntimeError);
      expect(() => give?.((blocks[3] ?? 0) + 16)).toThrow(WebAssembly.RuntimeError);
      expect(take?.(0x7000_0000)).toBe(0);
      seen.push([blocks, again]);
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });
});

describe("the heap's address", () => {
  const globalsOf = (bytes: Uint8Array) => {
    const section = readSections(bytes).find(({ id }) => id === 6);
    return section?.contents[0] ?? 0;
  };
  const known = 2;
  it.each([
    ["the exported __heap_base", `${CALLERS} ${HEAP_BASE}`, known],
    ["where the program's own memory ends", `${CALLERS} (global (export "mine") i32 (i32.const 1))`, known],
    [
      "not known while the module is linked: a memory of the host's",
      `(import "env" "memory" (memory 1)) ${CALLERS.replace(/\(memory .*/, "")} (global (export "mine") i32 (i32.const 1))`,
      known + 1,
    ],
  ])("is a number and no global where it is %s", async (_, rest, globals) => {
    // The program's own, the exported morecore_heap, and perhaps the kernel's.
    expect(globalsOf(await linked(rest))).toBe(globals);
  });

  it("is the program's affair if it begins a heap by itself", async () => {
    const { take, begin } = instanceOf(
      await linked(`(import "morecore" "mc_begin" (func $begin (param i32) (result i32))) ${CALLERS}
        (func (export "begin") (param i32) (result i32) (call $begin (local.get 0)))`),
    );
    expect(begin?.(65_536)).toBe(65_536);
    expect(take?.(100)).toBeLessThan(131_072);
  });
});

describe("a program that exports morecore_malloc and morecore_no_memory", () => {
  const TOLD = `
    (memory 2 20)
    (global $told (mut i32) (i32.const 0))
    (func (export "told") (result i32) (global.get $told))
    (func (export "aligned") (param i32 i32) (result i32) (call $memalign (local.get 0) (local.get 1)))
    (func $own (param i32) (result i32)
      (local.set 0 (call $malloc (local.get 0)))
      (if (i32.eqz (local.get 0)) (then (call $no_memory)))
      (local.get 0))
    (func $no_memory (global.set $told (i32.add (global.get $told) (i32.const 1))))
    (func (export "take") (param i32) (result i32) (call $own (local.get 0)))`;
  const PLAIN = `${TOLD} (export "morecore_malloc" (func $own)) (export "morecore_no_memory" (func $no_memory))`;
  const HANDED = `${TOLD} (export "malloc" (func $own))
    (func (export "morecore_malloc") (param i32) (result i32) (call $own (local.get 0)))
    (export "morecore_no_memory" (func $no_memory))`;
  const WRAPPED = `${TOLD}
    (func $before (global.set $told (i32.const 100)))
    (func $after (global.set $told (i32.const 200)))
    (func (export "other") (call $before) (call $after))
    (func (export "morecore_malloc") (param i32) (result i32)
      (call $before) (local.set 0 (call $own (local.get 0))) (call $after) (local.get 0))
    (func (export "morecore_no_memory") (call $before) (call $no_memory) (call $after))`;

  it.each([
    ["", PLAIN, 0],
    ["", PLAIN, 3],
    [", through one that hands on", HANDED, 0],
    [", through one that hands on", HANDED, 3],
    [", wrapped by wasm-ld", WRAPPED, 0],
    [", wrapped by wasm-ld", WRAPPED, 3],
  ])("is told once where malloc fails, by the kernel%s (%#)", async (_, rest, optimize) => {
    const bytes = await linked(rest, { optimize });
    const { take, aligned, told } = instanceOf(bytes);
    expect([take?.(100) !== 0, told?.()]).toEqual([true, 0]);
    expect([take?.(0x7fff_0000), told?.()]).toEqual([0, 1]);
    expect([take?.(0xffff_fff0), told?.()]).toEqual([0, 2]);
    // What fails elsewhere in the kernel is for C to tell.
    expect([aligned?.(16, 0x7fff_0000), told?.()]).toEqual([0, 2]);
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name);
    expect(exports).not.toContain("morecore_malloc");
    expect(exports).not.toContain("morecore_no_memory");
  });

  it("has a malloc that looks at no answer", async () => {
    const bytes = await linked(PLAIN);
    expect(calledBy(bytes, "take")).toEqual(["morecore:mallocSlow, telling"]);
  });

  it("keeps its own malloc if that is not the kernel's", async () => {
    const { take, told } = instanceOf(
      await linked(`${TOLD.replace("(call $malloc (local.get 0))", "(call $memalign (i32.const 32) (local.get 0))")}
        (export "morecore_malloc" (func $own)) (export "morecore_no_memory" (func $no_memory))
        (func (export "other") (param i32) (result i32) (call $malloc (local.get 0)))`),
    );
    expect((take?.(100) ?? 1) % 32).toBe(0);
    expect([take?.(0x7fff_0000), told?.()]).toEqual([0, 1]);
  });
});
