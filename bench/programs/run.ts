// Run: one run of a linked program, on files given, with its time and its memory.
//
// Owns:  how a module of each way is brought to run.
// Needs: Wasi.

import { ExitError, Wasi, type WasiOptions } from "./wasi.ts";

export interface Runnable {
  readonly module: WebAssembly.Module;
  /** For a program that imports its memory, and has its allocator beside it. */
  readonly beside?: Beside;
  /** For a program that imports a memory that threads share. */
  readonly sharedMemory?: { readonly pages: number; readonly maximum: number };
}

export interface Beside {
  /** What the program wants its memory to have at first. */
  readonly pages: number;
  /** The functions that the program imports as "morecore", over a heap in this memory. */
  allocatorIn(memory: WebAssembly.Memory): WebAssembly.ModuleImports;
}

export interface ProgramRun {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
  /** From the call of main to its end, without compiling and instantiating. */
  readonly ms: number;
  /** All memory at the end, which is the most that there was, without the program's own data and stack. */
  readonly heapBytes: number;
  readonly memory: WebAssembly.Memory;
  readonly exports: WebAssembly.Exports;
}

export interface RunOptions extends WasiOptions {
  /** Milliseconds. Default: those on the wall. */
  readonly clock?: () => number;
}

export function runProgram(program: Runnable, options: RunOptions): ProgramRun {
  const { clock = () => performance.now() } = options;
  const wasi = new Wasi(options);
  const { instance, memory } = instantiate(program, { wasi_snapshot_preview1: wasi.imports(program.module) });
  wasi.memory = memory;
  const start = instance.exports["_start"];
  const base = instance.exports["__heap_base"];
  if (typeof start !== "function" || !(base instanceof WebAssembly.Global))
    throw new Error("a program must export _start and __heap_base");
  const began = clock();
  const exitCode = exitCodeOf(() => start());
  const ms = clock() - began;
  return {
    exitCode,
    output: Buffer.from(wasi.printed(1)).toString(),
    errors: Buffer.from(wasi.printed(2)).toString(),
    ms,
    heapBytes: memory.buffer.byteLength - base.value,
    memory,
    exports: instance.exports,
  };
}

function exitCodeOf(main: () => void): number {
  try {
    main();
    return 0;
  } catch (error) {
    if (error instanceof ExitError) return error.code;
    throw error;
  }
}

interface Instantiated {
  readonly instance: WebAssembly.Instance;
  readonly memory: WebAssembly.Memory;
}

/** An instance, and its memory: its own, or one of ours that it shares with the allocator beside it, or with other threads. */
export function instantiate(
  { module, beside, sharedMemory }: Runnable,
  imports: WebAssembly.Imports,
): Instantiated {
  if (sharedMemory !== undefined) {
    const { pages, maximum } = sharedMemory;
    const memory = new WebAssembly.Memory({ initial: pages, maximum, shared: true });
    return { instance: new WebAssembly.Instance(module, { ...imports, env: { memory } }), memory };
  }
  if (beside !== undefined) {
    const memory = new WebAssembly.Memory({ initial: beside.pages });
    const given = { ...imports, env: { memory }, morecore: beside.allocatorIn(memory) };
    return { instance: new WebAssembly.Instance(module, given), memory };
  }
  const instance = new WebAssembly.Instance(module, imports);
  const memory = instance.exports["memory"];
  if (memory instanceof WebAssembly.Memory) return { instance, memory };
  throw new Error("a program without an allocator beside it must export its memory");
}
