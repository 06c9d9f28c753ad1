// Programs: what `npm run programs` has made, run in each way.
//
// Owns:  reading the modules, the heap beside a program, and what is said when there is nothing to run.
// Needs: build/programs; nothing of it is fetched or compiled here.

import { readFileSync } from "node:fs";
import { swapModule } from "@morecore/wasm/swap";
import { Heap, type HeapOptions } from "morecore";
import { roundedUp } from "../../bench/programs/beside.ts";
import { type MadeProgram, readMade, readWorkload } from "../../bench/programs/cache.ts";
import { merge } from "../../bench/programs/link.ts";
import { type ProgramRun, type Runnable, runProgram } from "../../bench/programs/run.ts";

const made = readMade();

/** The program, or, as a string, why it is not there and what to do. */
export function madeProgram(name: string): MadeProgram | string {
  if (typeof made === "string") return made;
  const found = made.programs.find((program) => program.name === name);
  return found ?? `${name} is not there: run \`npm run programs\`, which says why`;
}

export function runFile(program: MadeProgram, file: string): ProgramRun {
  return run(program, { module: compiled(file) });
}

/** With the C library's malloc swapped for ours. Throws a SwapRefusedError where that is not sure. */
export async function runSwapped(program: MadeProgram): Promise<ProgramRun> {
  const { bytes } = await swapModule(readFileSync(program.dlmalloc));
  return run(program, { module: new WebAssembly.Module(bytes as BufferSource) });
}

export async function runMerged(program: MadeProgram): Promise<ProgramRun> {
  return runFile(program, await merge(program.name, program));
}

/** With a Heap of JavaScript's in the program's memory, and its imports. */
export function runBeside(program: MadeProgram, options: HeapOptions = {}): { run: ProgramRun; heap: Heap } {
  let heap: Heap | undefined;
  const beside = {
    pages: program.pages,
    allocatorIn(memory: WebAssembly.Memory) {
      heap = Heap.create({ memory, base: roundedUp(program.heapBase), ...options });
      return heap.imports.morecore;
    },
  };
  const result = run(program, { module: compiled(program.beside), beside });
  if (heap === undefined) throw new Error("the program was run without its heap");
  return { run: result, heap };
}

function run(program: MadeProgram, runnable: Runnable): ProgramRun {
  return runProgram(runnable, { args: [program.name, program.workload], files: readWorkload(program) });
}

function compiled(file: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(file));
}
