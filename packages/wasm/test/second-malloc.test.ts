// A program that imports malloc from morecore, and has an allocator of its own besides: its C library's, which WASI programs
// use for their arguments, or somebody else's. The programs in C need clang and wasi-libc.

import { describe, expect, it } from "vitest";
import { builtKernels, hasC } from "../../../test/support/c-program.ts";
import { textModule } from "../../../test/support/text-module.ts";
import { cProgram, heapProgram, WITHOUT_C, wat } from "../../../test/support/wasm-program.ts";
import { WasmFormatError } from "../src/format/binary.ts";
import { type LinkOptions, linkProgram } from "../src/link/link.ts";
import { autoSwap } from "../src/run/auto-swap.ts";
import { loadProgram, type RunOptions, type RunResult, runProgram } from "../src/run/run.ts";
import { inspectModule, SwapRefusedError, swapModule } from "../src/swap/index.ts";

const link = (bytes: Uint8Array, options?: LinkOptions) =>
  linkProgram(bytes, builtKernels(), { optimize: 0, ...options });
const beside = async (bytes: Uint8Array, options?: RunOptions): Promise<RunResult> =>
  runProgram(await loadProgram(bytes, autoSwap), options);
const merged = async (bytes: Uint8Array, options?: RunOptions): Promise<RunResult> =>
  runProgram(await loadProgram(await link(bytes)), options);

const WAYS = [
  ["run", beside],
  ["link", merged],
] as const;

const IMPORTS = `
#include <stdlib.h>
#include <string.h>
__attribute__((import_module("morecore"), import_name("mc_malloc"))) void *mc_malloc(unsigned long bytes);
__attribute__((import_module("morecore"), import_name("mc_free"))) void mc_free(void *ptr);`;

/** Only wasi-libc calls malloc: for the arguments. Its exit code is the sum of their bytes, after a block was filled. */
const ARGUMENTS = `${IMPORTS}
int main(int argc, char **argv) {
  char *block = mc_malloc(100000);
  if (!block) return 200;
  memset(block, 0xff, 100000);
  int sum = argc;
  for (int i = 0; i < argc; i++) for (char *at = argv[i]; *at; at++) sum += *at - 'a';
  return sum;
}`;

/** Blocks of both, in turn, of growing sizes; the exit code is how many were spoilt. */
const PAIRS = (own: string) => `${IMPORTS}
enum { COUNT = 60 };
static int spoilt(const char *at, int byte, int bytes) {
  for (int i = 0; i < bytes; i++) if (at[i] != byte) return 1;
  return 0;
}
int main(int argc, char **argv) {
  char *a[COUNT], *b[COUNT];
  int bad = 0;
  for (int i = 0; i < COUNT; i++) {
    int bytes = 10 + i * 97;
    if (!(a[i] = ${own}) || !(b[i] = mc_malloc(bytes))) return 200;
    memset(a[i], 1, bytes);
    memset(b[i], 2, bytes);
  }
  for (int i = 0; i < COUNT; i++) bad += spoilt(a[i], 1, 10 + i * 97) + spoilt(b[i], 2, 10 + i * 97);
  return bad;
}`;
const NEVER_FREED = PAIRS("malloc(bytes)");
const FREED = PAIRS("calloc(1, bytes)").replace(
  "return bad;",
  "for (int i = 0; i < COUNT; i++) { a[i] = realloc(a[i], 9000); free(a[i]); mc_free(b[i]); }\n  return bad;",
);

const own = (source: string, ...flags: string[]) => cProgram(source, { malloc: "own", flags });
const BUILDS = [
  ["with names", []],
  ["without names", ["-Wl,--strip-all"]],
] as const;

describe.skipIf(!hasC)(`a C program whose C library allocates, too${WITHOUT_C}`, () => {
  describe.each(WAYS)("by %s", (_, run) => {
    it.each(BUILDS)("has its arguments, %s", async (_, flags) => {
      const bytes = own(ARGUMENTS, ...flags);
      const { exitCode, death } = await run(bytes, { args: ["a", "bcd", "b"] });
      expect({ exitCode, death }).toEqual({ exitCode: 3 + 1 + 2 + 3 + 1, death: undefined });
    });

    it.each([
      ["that frees nothing", NEVER_FREED],
      ["that frees", FREED],
    ])("has no block that is another's, too, one %s", async (_, source) => {
      for (const [, flags] of BUILDS) {
        const { exitCode, death, heapFault } = await run(own(source, ...flags), { args: ["p"], stats: true });
        expect({ exitCode, death, heapFault }).toEqual({
          exitCode: 0,
          death: undefined,
          heapFault: undefined,
        });
      }
    });
  });

  it("has all its calls watched: its library's and its own", async () => {
    const options = { args: ["p"], stats: true, trace: true, checkEvery: 5 };
    const { exitCode, heap } = await beside(own(FREED), options);
    expect(exitCode).toBe(0);
    expect(heap?.calls?.counts).toMatchObject({ calloc: 61, realloc: 60, free: 120 });
  });

  it("is not touched if it never allocates, or has morecore for its malloc", async () => {
    const silent = own(`${IMPORTS} int main(void) { char *p = mc_malloc(9); memset(p, 1, 9); return p[8]; }`);
    for (const bytes of [silent, cProgram(FREED)]) {
      const program = await loadProgram(bytes, autoSwap);
      expect(program.mode).toBe("two-modules");
      expect(program.bytes).toEqual((await loadProgram(bytes)).bytes);
    }
    expect((await beside(silent)).exitCode).toBe(1);
    expect((await beside(cProgram(FREED), { args: ["p"] })).exitCode).toBe(0);
    expect((await merged(cProgram(FREED), { args: ["p"] })).exitCode).toBe(0);
  });

  it("is refused by swap, which says who can do it; with the imports kept it is swapped", async () => {
    const bytes = own(FREED);
    const why = /^it imports morecore's functions already, beside a malloc of its own: `morecore link` puts/;
    expect(inspectModule(bytes).refusals[0]).toMatch(why);
    await expect(swapModule(bytes)).rejects.toThrow(SwapRefusedError);
    const { report } = await swapModule(bytes, { keepImports: true });
    expect(report.functions.filter(({ action }) => action === "replaced").length).toBeGreaterThan(3);
  });

  it("is refused with the reason if its malloc cannot be replaced: here a function reads a block's header", async () => {
    const peeking = FREED.replace(
      "enum {",
      `__attribute__((noinline, export_name("size"))) unsigned size(void **at) {
         unsigned head = ((unsigned *)*at)[-1]; return (head & 3) == 1 ? 0 : head & ~7u; }
       enum {`,
    );
    const why =
      /^it has a malloc of its own beside morecore's, which must be put on the same heap and cannot: function \d+ \(i32 -> i32; (called by function|exported as size).*\) is none of the family's .* Build it with lib\/morecore\.c/;
    await expect(beside(own(peeking))).rejects.toThrow(why);
    await expect(link(own(peeking))).rejects.toThrow(why);
    await expect(link(own(peeking))).rejects.toThrow(WasmFormatError);
    await expect(link(own(peeking), { swap: false })).resolves.toBeInstanceOf(Uint8Array);
  });
});

describe("a program with an allocator of another kind beside morecore's functions", () => {
  const BASE = 1200;
  /** Its first address is that of its own heap. */
  const bump = (code: string, more = "") =>
    wat(`(module
      (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
      (memory (export "memory") 1)
      (global (export "__heap_base") i32 (i32.const ${BASE}))
      ${more}
      (func $take (param i32) (result i32) ${code})
      (func (export "_start") (drop (call $malloc (i32.const 8))) (drop (call $take (i32.const 8)))))`);
  /** Like AssemblyScript's and TinyGo's: all up to the memory's end is its own, and it grows when that is not enough. */
  const UP_TO_SIZE = bump(
    `(if (i32.gt_u (i32.add (global.get $at) (local.get 0)) (i32.shl (memory.size) (i32.const 16)))
       (then (drop (memory.grow (i32.const 1)))))
     (global.set $at (i32.add (global.get $at) (local.get 0)))
     (i32.sub (global.get $at) (local.get 0))`,
    "(global $at (mut i32) (i32.const 9000))",
  );
  /** As C compiles \`static char *at = &__heap_base;\`. */
  const FROM_DATA = bump(
    `(i32.store (i32.const 1024) (i32.add (i32.load (i32.const 1024)) (local.get 0)))
     (i32.load (i32.const 1024))`,
    `(data (i32.const 1024) "\\b0\\04\\00\\00")`,
  );
  const FROM_CODE = bump(
    `(if (i32.eqz (i32.load (i32.const 1024))) (then (i32.store (i32.const 1024) (i32.const ${BASE}))))
     (i32.load (i32.const 1024))`,
  );

  it.each([
    ["that takes all up to the memory's end", UP_TO_SIZE, /function 1 \(take\) looks where the memory ends/],
    ["whose data has __heap_base in it", FROM_DATA, /its data has the address __heap_base in it/],
    ["whose code uses __heap_base", FROM_CODE, /function 1 \(take\) uses the memory from __heap_base on/],
  ])("is refused before it runs, one %s", async (_, bytes, why) => {
    await expect(loadProgram(bytes, autoSwap)).rejects.toThrow(WasmFormatError);
    await expect(loadProgram(bytes, autoSwap)).rejects.toThrow(why);
    await expect(link(bytes)).rejects.toThrow(why);
    await expect(link(bytes, { swap: false })).resolves.toBeInstanceOf(Uint8Array);
  });

  it("is run and linked if that uses only what memory.grow gives to it, as Rust's and Zig's do", async () => {
    const bytes = bump(`(i32.shl (memory.grow (i32.const 1)) (i32.const 16))`);
    expect((await beside(bytes)).exitCode).toBe(0);
    expect((await merged(bytes)).exitCode).toBe(0);
  });

  it("is run and linked if that has an sbrk like wasi-libc's: its size is only told", async () => {
    const bytes = bump(
      `(if (result i32) (local.get 0)
         (then (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
         (else (i32.shl (memory.size) (i32.const 16))))`,
    );
    expect((await beside(bytes)).exitCode).toBe(0);
    expect((await merged(bytes)).exitCode).toBe(0);
  });

  it("is run and linked if a number is the same as __heap_base by chance, and no address", async () => {
    const bytes = bump(`(i32.gt_u (local.get 0) (i32.const ${BASE}))`);
    expect((await beside(bytes)).exitCode).toBe(0);
    expect((await merged(bytes)).exitCode).toBe(0);
  });

  it("may tell the memory's size where nothing grows it", async () => {
    expect((await beside(heapProgram("(drop (memory.size))"))).exitCode).toBe(0);
  });

  it("is linked where its sbrk is what the heap asks for memory: the two share that", async () => {
    const bytes = textModule(`(module
      (import "morecore" "mc_malloc" (func $malloc (param i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "morecore_grow") (param i32) (result i32)
        (drop (memory.size)) (i32.shl (memory.grow (i32.const 4)) (i32.const 16)))
      (func (export "take") (result i32) (call $malloc (i32.const 8))))`);
    await expect(link(bytes)).resolves.toBeInstanceOf(Uint8Array);
  });
});
