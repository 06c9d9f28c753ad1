// A program that is refused memory gets an answer that it can work with.

import { expect, test } from "vitest";
import { madeProgram, runBeside } from "../../../../test/support/programs.ts";

const LIMIT = 4 << 20;

test("Lua says that there is not enough memory, and the heap is sound", (context) => {
  const program = madeProgram("lua");
  if (typeof program === "string") return context.skip(program);
  const { run, heap } = runBeside(program, { footprintLimit: LIMIT });
  expect(run.errors).toMatch(/not enough memory/);
  expect(run.exitCode).toBe(1);
  heap.check();
  expect(heap.maxFootprint).toBeLessThanOrEqual(LIMIT);
});

test("SQLite says that it is out of memory, and the heap is sound", (context) => {
  const program = madeProgram("sqlite");
  if (typeof program === "string") return context.skip(program);
  const { run, heap } = runBeside(program, { footprintLimit: LIMIT });
  expect(run.errors).toMatch(/out of memory/);
  expect(run.exitCode).toBe(1);
  heap.check();
  expect(heap.maxFootprint).toBeLessThanOrEqual(LIMIT);
});
