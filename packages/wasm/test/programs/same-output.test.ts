// Real programs print, byte for byte, what they print with the C library's malloc, and leave a sound heap.

import { Heap } from "morecore";
import { describe, expect, test } from "vitest";
import { madeProgram, runBeside, runFile, runMerged, runSwapped } from "../../../../test/support/programs.ts";
import { findHeap } from "../../../../test/support/swap.ts";
import { SwapRefusedError } from "../../src/swap/index.ts";

// The last line that each prints, so that three empty outputs are not taken for three equal ones.
const ENDINGS = { lua: "json\t", mujs: "closures ", duktape: "closures ", sqlite: "ok" } as const;

describe.each(Object.entries(ENDINGS))("%s", (name, ending) => {
  const program = madeProgram(name);
  if (typeof program === "string") {
    test(`prints the same with every allocator (${program})`, (context) => context.skip(program));
    return;
  }
  const expected = runFile(program, program.dlmalloc);

  test("runs its workload to the end with wasi-libc's malloc", () => {
    expect(expected.errors).toBe("");
    expect(expected.exitCode).toBe(0);
    expect(expected.output.trim().split("\n").at(-1)).toMatch(new RegExp(`^${ending}`));
  });

  test("prints the same with the kernel in its module, and every invariant holds at the end", async () => {
    const run = await runMerged(program);
    expect(run).toMatchObject({ errors: "", exitCode: 0, output: expected.output });
    const heap = Heap.attach(run.memory, globalOf(run.exports, "morecore_heap"));
    heap.check();
    expect(heap.maxFootprint).toBeGreaterThan(1 << 20);
  });

  // wasm-opt has inlined malloc and realloc into SQLite's own wrappers.
  if (name === "sqlite")
    test("is refused by swap, as malloc is in it more than once", async () => {
      await expect(runSwapped(program)).rejects.toThrow(SwapRefusedError);
      await expect(runSwapped(program)).rejects.toThrow(/^malloc may be any of the functions/);
    });
  else
    test("prints the same when its malloc is swapped, and every invariant holds at the end", async () => {
      const run = await runSwapped(program);
      expect(run).toMatchObject({ errors: "", exitCode: 0, output: expected.output });
      const heap = findHeap(run.memory);
      heap?.check();
      expect(heap?.maxFootprint).toBeGreaterThan(1 << 20);
    });

  test("prints the same with a heap beside it, through heap.imports, and every invariant holds at the end", () => {
    const { run, heap } = runBeside(program);
    expect(run).toMatchObject({ errors: "", exitCode: 0, output: expected.output });
    heap.check();
    expect(heap.maxFootprint).toBeGreaterThan(1 << 20);
  });
});

function globalOf(exports: WebAssembly.Exports, name: string): number {
  const found = exports[name];
  if (!(found instanceof WebAssembly.Global)) throw new Error(`${name} is no global that is exported`);
  return found.value >>> 0;
}
