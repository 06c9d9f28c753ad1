// Programs in C with a malloc of their own, swapped in memory and run. They need clang and wasi-libc.

import { describe, expect, it } from "vitest";
import { hasC } from "../../../test/support/c-program.ts";
import { cProgram, plainProgram, WITHOUT_C, wat } from "../../../test/support/wasm-program.ts";
import { autoSwap } from "../src/run/auto-swap.ts";
import { loadProgram, type RunOptions, runProgram } from "../src/run/run.ts";
import { readModule } from "../src/swap/module.ts";

const load = (bytes: Uint8Array) => loadProgram(bytes, autoSwap);
/** A C program needs a name for itself. */
const ARGS = { args: ["program"] };
const run = async (bytes: Uint8Array, options?: RunOptions) =>
  runProgram(await load(bytes), { ...ARGS, ...options });

/** Where its first block lies, in wasm pages, is its exit code. */
const FIRST_BLOCK = `
#include <stdlib.h>
int main(int argc, char **argv) { char *p = malloc(100); free(malloc(9)); return (size_t)p >> 16; }`;

/**
 * Blocks, memory of sbrk's and, unless its sbrk keeps a break, pages that it grows itself: all filled, in turn, and nobody
 * has written to what is another's. Exit code: 0, or which kind was overwritten; 9: no memory.
 */
const IN_TURN = `
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
enum { ROUNDS = 60, BLOCK = 30000 };
static int is_all(const unsigned char *at, unsigned char byte, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) if (at[i] != byte) return 0;
  return 1;
}
int main(int argc, char **argv) {
  unsigned char *blocks[ROUNDS], *broken[ROUNDS], *grown[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    if (!(blocks[i] = malloc(BLOCK))) return 9;
    memset(blocks[i], i, BLOCK);
    broken[i] = sbrk(65536);
    if (broken[i] == (void *)-1) return 9;
    memset(broken[i], 100 + i, 65536);
    grown[i] = NULL;
#ifndef ODD_SBRK
    grown[i] = (unsigned char *)(__builtin_wasm_memory_grow(0, 1) << 16);
    memset(grown[i], 200 + i, 65536);
#endif
    if (i % 3 == 0) { blocks[i] = realloc(blocks[i], 2 * BLOCK); memset(blocks[i] + BLOCK, i, BLOCK); }
  }
  for (int i = 0; i < ROUNDS; i++) {
    if (!is_all(blocks[i], i, BLOCK * (i % 3 == 0 ? 2 : 1))) return 1;
    if (!is_all(broken[i], 100 + i, 65536)) return 2;
    if (grown[i] && !is_all(grown[i], 200 + i, 65536)) return 3;
  }
  return 0;
}`;

/** An sbrk that keeps a break, not at a multiple of 16, from the first memory's end on. */
const ODD_SBRK = `
#define ODD_SBRK
#include <stddef.h>
#include <stdint.h>
void *sbrk(intptr_t bytes) {
  static char *now, *end;
  if (now == NULL) { end = (char *)(__builtin_wasm_memory_size(0) << 16); now = end + 8; }
  if (bytes > 0 && now + bytes > end) {
    size_t pages = ((size_t)(now + bytes - end) + 65535) >> 16;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return (void *)-1;
    end += pages << 16;
  }
  char *old = now;
  now += bytes;
  return old;
}`;

/** Fills all of a memory that cannot grow; its exit code is how many blocks of 64 KiB were to be had. */
const FILL = `
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
  char *list[100];
  int count = 0;
  while ((list[count] = malloc(60000))) memset(list[count++], 1, 60000);
  for (int i = 0; i < count; i++) free(list[i]);
  return count;
}`;

const MISUSE = `
#include <stdlib.h>
__attribute__((noinline)) static void release(void *p) { free(p); }
int main(int argc, char **argv) { char *volatile p = malloc(500); release(p); release(p); return 0; }`;

const own = (source: string, ...flags: string[]) => cProgram(source, { malloc: "own", flags });
const FIXED = ["-Wl,--initial-memory=1048576,--max-memory=1048576"];

describe.skipIf(!hasC)(`a program with wasi-libc's malloc${WITHOUT_C}`, () => {
  it("has its heap where its own malloc would have begun, in the first memory", async () => {
    const program = await load(own(FIRST_BLOCK));
    expect(program).toMatchObject({ mode: "swapped", needsSbrk: false });
    expect((await runProgram(program, ARGS)).exitCode).toBe(1);
  });

  it("has the same heap without names, without exports", async () => {
    const [named, stripped] = [await load(own(FIRST_BLOCK)), await load(own(FIRST_BLOCK, "-Wl,--strip-all"))];
    expect(stripped).toMatchObject({ mode: "swapped", heapBase: named.heapBase });
  });

  it("that cannot grow its memory has all of it", async () => {
    const { exitCode } = await runProgram(await loadProgram(own(FILL, ...FIXED)), ARGS);
    expect(exitCode).toBeGreaterThan(10);
    expect((await run(own(FILL, ...FIXED))).exitCode).toBe(exitCode);
  });

  it("that brings a memory which cannot grow is left as it is: malloc's part of it is not known", async () => {
    const program = await load(own(FILL, "-Wl,--import-memory", ...FIXED));
    expect(program).toMatchObject({
      mode: "plain",
      whyPlain: "its memory cannot grow, and which part of it is malloc's is not known",
    });
  });

  it.each([{}, { trace: true, checkEvery: 7 }])(
    "may use sbrk and memory.grow for itself (%o)",
    async (options) => {
      const { exitCode, death, heapFault } = await run(own(IN_TURN), options);
      expect({ exitCode, death, heapFault }).toEqual({ exitCode: 0, death: undefined, heapFault: undefined });
    },
  );

  it.each([{}, { trace: true, stats: true, checkEvery: 7 }])(
    "whose sbrk keeps a break grows by that, and may use it (%o)",
    async (options) => {
      const program = await load(own(ODD_SBRK + IN_TURN));
      expect(program).toMatchObject({ mode: "swapped", needsSbrk: true });
      const { exitCode, death, heap, trace } = await runProgram(program, { ...ARGS, ...options });
      expect({ exitCode, death }).toEqual({ exitCode: 0, death: undefined });
      if (options.stats) expect(heap?.calls?.counts.malloc).toBeGreaterThanOrEqual(60);
      if (options.trace) expect(trace?.opCount).toBeGreaterThan(60);
    },
  );

  it.each([
    ["whose sbrk keeps a break", ODD_SBRK],
    ["whose sbrk is memory.grow", ""],
  ])("is shown where it frees twice, by its functions as they were, one %s", async (_, more) => {
    const bytes = own(more + MISUSE);
    const { exitCode, death } = await run(bytes);
    expect({ exitCode, kind: death?.kind }).toEqual({ exitCode: 134, kind: "misuse" });
    const names = death?.frames.slice(0, 3).map(({ name }) => name);
    expect(names).toEqual(["dlfree", "free", "release"]);
    const { functions } = readModule(bytes);
    for (const { name, index, offset } of death?.frames ?? []) {
      expect(functions[index]?.name).toBe(name);
      expect(offset).toBeUndefined();
    }
  });
});

describe("a program that is not swapped", () => {
  it.each([
    ["without a malloc", plainProgram("(nop)"), /^no malloc was found/],
    ["without a memory", wat(`(module (func (export "_start")))`), /^it has no memory/],
    [
      "with an allocator that is not Lea's",
      wat(`(module (memory (export "memory") 1) (global $break (mut i32) (i32.const 1024))
        (func $malloc (param i32) (result i32) (global.get $break)) (func $free (param i32))
        (func (export "_start") (call $free (call $malloc (i32.const 1)))))`),
      /^its malloc \(function 0, malloc in the name section\) is not dlmalloc/,
    ],
  ])("%s runs as it is, and why is known", async (_, bytes, why) => {
    const program = await load(bytes);
    expect(program.mode).toBe("plain");
    expect(program.whyPlain).toMatch(why);
    expect((await runProgram(program)).exitCode).toBe(0);
  });

  it("may be read from a file: a Buffer of Node's lies in a larger ArrayBuffer", async () => {
    const bytes = Buffer.concat([plainProgram("(nop)")]);
    expect(bytes.buffer.byteLength).toBeGreaterThan(bytes.length);
    expect(await autoSwap.only(bytes)).toMatch(/^no malloc was found/);
  });

  it("is not looked at when it is no valid module: what is wrong is said when it is run", async () => {
    const bytes = plainProgram("(nop)");
    bytes[bytes.length - 1] = 0xff;
    const broken = Uint8Array.from([...bytes.subarray(0, 8), 1, 1, 0xff, ...bytes.subarray(8)]);
    expect(await autoSwap.only(broken)).toBe("it is no valid module");
  });
});
