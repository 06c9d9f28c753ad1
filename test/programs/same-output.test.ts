// Real programs print, byte for byte, what they print with the C library's malloc, and leave a sound heap.

import { describe, expect, test } from "vitest";
import { Heap } from "../../src/index.ts";
import { madeProgram, runBeside, runFile, runMerged } from "../support/programs.ts";

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
