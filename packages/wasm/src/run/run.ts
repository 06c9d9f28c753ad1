// Run: a program for WASI preview 1, from its bytes to its exit code and what its heap looked like.
//
// Owns:  the order of things: memory, heap, instance, _start, the last check; and what a program's death is called.
// Needs: program, imports, wasi, threads, death, watch, heap-report, stack; Heap; trace/record.
//
// Two modules: the heap is made before the program is instantiated, in the memory that the program will import, at its
// __heap_base or at the memory's end. So it is there before anything of the program's runs, its start function included.
// Unwatched, the kernel's own functions are what the program imports: its calls go from wasm to wasm.
//
// A program whose memory is shared has threads, and its heap inside. It runs in Workers: see threads.

import { HeapCheckError, type TraceRecorder } from "@morecore/inspect";
import { Heap, HeapCorruptError, HeapFormatError, HeapMisuseError } from "morecore";
import { FUNCTION, MEMORY, WasmFormatError } from "../format/binary.ts";
import { asError, type Death, engineDeath, engineMessage } from "./death.ts";
import { type HeapReport, reportHeap, type Watched } from "./heap-report.ts";
import { type HostHeap, isHeapImport, makeHostHeap, type WatchWishes } from "./host-heap.ts";
import { importsFor, ownOf, wasiModuleOf } from "./imports.ts";
import { HEAP_GLOBAL, type Program, readProgram } from "./program.ts";
import { makeSbrkHeap } from "./sbrk-heap.ts";
import { programFrames, STACK_DEPTH } from "./stack.ts";
import { SPAWN } from "./thread-talk.ts";
import { runThreads, type ThreadsStart } from "./threads.ts";
import { openWasi, type Wasi, type WasiOptions } from "./wasi.ts";

export interface RunOptions extends Partial<WasiOptions>, WatchWishes {
  /**
   * Called once, when all that could refuse the program has been passed: from here on, only the program
   * itself can fail.
   */
  readonly onStart?: () => void;
}

/** How a program ended. */
export interface RunResult {
  /** The program's, or DIED. */
  readonly exitCode: number;
  /** How it died; undefined: it ended by itself. */
  readonly death: Death | undefined;
  /** Undefined if it was not asked for, there is none, or it is not sound. */
  readonly heap: HeapReport | undefined;
  /** Why the heap at the end is not sound, if that is no death. */
  readonly heapFault: Error | undefined;
  /** As for a file: morecore trace v1. */
  readonly trace: TraceRecorder | undefined;
}

/** The exit code of a program that died: 128 + SIGABRT, as a shell gives for abort() and for glibc's "double free". */
export const DIED = 134;

/** A program whose malloc has been replaced by imports of morecore's. */
export interface SwappedProgram {
  readonly bytes: Uint8Array;
  /** For each function, its number in the program as it was, or -1. */
  readonly origins: readonly number[];
  /** "sbrk": its heap may grow only by what it exports as morecore_grow. Else where it may begin; undefined: at the end. */
  readonly heap: "sbrk" | { readonly from: number | undefined };
}

/** What is done about a malloc that a program has of its own. auto-swap.ts has one. */
export interface Swap {
  /** Replaces the only malloc of a program, or says in words why it cannot be replaced. */
  only(bytes: Uint8Array): Promise<SwappedProgram | string>;
  /** Replaces one that a program has beside ours; undefined: there is none. Throws a WasmFormatError if it cannot. */
  second(bytes: Uint8Array, heapBase: number | undefined): Promise<SwappedProgram | undefined>;
}

/**
 * Looks at a module and says how it can be run. A program with a malloc of its own goes to `swap` first.
 *
 * @example
 *
 * ```ts no-run
 * const program = await loadProgram(new Uint8Array()); // the program's bytes
 * console.log(program.mode);
 * ```
 */
export async function loadProgram(bytes: Uint8Array, swap?: Swap): Promise<Program> {
  const program = readProgram(bytes, isHeapImport);
  if (swap === undefined || program.mode === "merged") return program;
  const swapped =
    program.mode === "plain" ? await swap.only(bytes) : await swap.second(bytes, program.heapBase);
  if (swapped === undefined) return program;
  if (typeof swapped === "string") return { ...program, whyPlain: swapped };
  const { heap, origins } = swapped;
  return {
    ...readProgram(swapped.bytes, isHeapImport),
    mode: "swapped",
    origin: { functions: origins },
    // Its __heap_base, if it exports that, need not be malloc's to take.
    heapBase: heap === "sbrk" ? undefined : heap.from,
    needsSbrk: heap === "sbrk",
  };
}

/**
 * Runs a program to its end. Throws a WasmFormatError for one that cannot be run, and Node's error for a directory that
 * cannot be opened. What happens once it runs is in the result. The program has the process's standard streams.
 *
 * @example
 *
 * ```ts no-run
 * const program = await loadProgram(new Uint8Array()); // the program's bytes
 * const { exitCode, death } = await runProgram(program);
 * console.log(exitCode, death?.kind);
 * ```
 */
export async function runProgram(program: Program, options: RunOptions = {}): Promise<RunResult> {
  const { args = [], env = {}, dirs = {} } = options;
  const module = await compiled(program);
  const memory = importedMemory(program);
  const host = memory === undefined ? undefined : heapFor(program, memory, options);
  const wasiModule = wasiModuleOf(program.imports);
  const wasi = await openWasi(wasiModule, { args, env, dirs });
  const isThreaded = memory !== undefined && program.memory?.shared === true;
  const imports = importsFor(program.imports, (given) => {
    if (given.kind === MEMORY) return memory;
    if (given.kind !== FUNCTION) return undefined;
    if (given.module === wasiModule) return ownOf(wasi.imports, given.name);
    if (isThreaded && given.module === SPAWN.module && given.name === SPAWN.name) return spawnsElsewhere;
    const served = host === undefined ? undefined : ownOf(host.functions, given.module);
    return served === undefined ? undefined : ownOf(served, given.name);
  });
  options.onStart?.();
  if (isThreaded) {
    const wanted = program.imports.map(({ module, name, kind }) => ({ module, name, kind }));
    const end = await ranThreads({ module, memory, imports: wanted, wasiModule, args, env }, wasi);
    return finished(program, end, undefined, options);
  }
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = STACK_DEPTH;
  try {
    const end = ran(program, module, imports, wasi, memory, host);
    return finished(program, end, host, options);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Stands for the import that starts a thread, where it is only asked whether all imports are there. */
function spawnsElsewhere(): never {
  throw new Error("expected a thread's own import");
}

/** The heap that a program imports; undefined: it imports none. */
function heapFor(program: Program, memory: WebAssembly.Memory, wishes: WatchWishes): HostHeap | undefined {
  if (program.mode !== "two-modules" && program.mode !== "swapped") return undefined;
  return program.needsSbrk ? makeSbrkHeap(memory, wishes) : makeHostHeap(program.heapBase, memory, wishes);
}

async function compiled({ bytes }: Program): Promise<WebAssembly.Module> {
  try {
    // A copy: what is compiled may not lie in a memory that is shared.
    return await WebAssembly.compile(new Uint8Array(bytes));
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new WasmFormatError(`it is no valid WebAssembly module: ${engineMessage(error)}`);
  }
}

/** The memory that a program imports, made as it asks for it. */
function importedMemory({ imports }: Program): WebAssembly.Memory | undefined {
  const limits = imports.find(({ kind }) => kind === MEMORY)?.limits;
  if (limits === undefined) return undefined;
  const { minimum, maximum, shared } = limits;
  try {
    return new WebAssembly.Memory({
      initial: minimum,
      ...(maximum === undefined ? {} : { maximum }),
      ...(shared ? { shared } : {}),
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new WasmFormatError(`its memory of ${minimum} wasm pages cannot be had: ${engineMessage(error)}`);
  }
}

/** How a run ended. */
interface End {
  readonly exitCode: number;
  readonly died: { readonly kind: Death["kind"]; readonly error: Error } | undefined;
  readonly memory: WebAssembly.Memory | undefined;
  /** Where the heap of a merged program is; undefined: it has none, or it has not begun. */
  readonly heapBase: number | undefined;
  /** The thread that died; undefined: the first, or none. */
  readonly thread: number | undefined;
  /** How many threads were stopped, perhaps in the middle of a call. */
  readonly stoppedCount: number;
}

const ONE_THREAD = { thread: undefined, stoppedCount: 0 } as const;

function ran(
  program: Program,
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  wasi: Wasi,
  imported: WebAssembly.Memory | undefined,
  host: HostHeap | undefined,
): End {
  let memory = imported;
  let exports: WebAssembly.Exports = {};
  try {
    exports = new WebAssembly.Instance(module, imports).exports;
    memory ??= Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
    if (memory === undefined && program.imports.length > 0 && program.memory !== undefined)
      throw new WasmFormatError("it does not export its memory, which WASI needs");
    host?.begin(exports);
    const exitCode = wasi.start(exports["_start"], memory ?? new WebAssembly.Memory({ initial: 0 }));
    return { exitCode, died: undefined, memory, heapBase: mergedBase(exports), ...ONE_THREAD };
  } catch (error) {
    if (error instanceof WebAssembly.LinkError)
      throw new WasmFormatError(`it cannot be instantiated: ${engineMessage(error)}`);
    const died = asError(error);
    const kind = deathKind(died);
    if (!(died instanceof Error) || kind === undefined) throw error;
    const heapBase = mergedBase(exports);
    return { exitCode: DIED, died: { kind, error: died }, memory, heapBase, ...ONE_THREAD };
  }
}

/** The same for a program with threads. */
async function ranThreads(given: ThreadsStart, wasi: Wasi): Promise<End> {
  const { exitCode = DIED, death, heapBase, stoppedCount } = await runThreads(given, wasi);
  const { memory } = given;
  if (death === undefined)
    return { exitCode, died: undefined, memory, heapBase, thread: undefined, stoppedCount };
  const { how, name, message, stack, thread } = death;
  const error = Object.assign(new Error(message), { name, stack });
  return { exitCode, died: { kind: how, error }, memory, heapBase, thread, stoppedCount };
}

/** What an error says about the program; undefined: it is none of the program's. */
function deathKind(error: unknown): Death["kind"] | undefined {
  if (error instanceof HeapMisuseError) return "misuse";
  if (error instanceof HeapCorruptError || error instanceof HeapCheckError) return "corrupt";
  return engineDeath(error);
}

/** Who looks at a heap that threads share takes a place in it. */
const FULL = "its memory is full, and has no room for looking at its heap";

/** What is left when the program has ended: the last check, the figures, the trace. */
function finished(program: Program, end: End, host: HostHeap | undefined, options: RunOptions): RunResult {
  const { stats = false, checkEvery = 0 } = options;
  let death = deathOf(program, end, host?.watched);
  let heapFault: Error | undefined;
  let heap: HeapReport | undefined;
  if (end.memory !== undefined && (stats || checkEvery > 0) && death?.kind !== "corrupt") {
    try {
      heap = soundHeap(end, end.memory, host);
    } catch (error) {
      const isFull = program.memory?.shared === true && error instanceof RangeError;
      if (!isFull && !isHeapFault(error)) throw error;
      const isDeath = !isFull && checkEvery > 0 && death === undefined && end.stoppedCount === 0;
      if (isDeath) death = corruptAtEnd(error, host?.watched);
      else if (isFull) heapFault = new Error(FULL, { cause: error });
      else heapFault = end.stoppedCount > 0 ? withStopped(error, end.stoppedCount) : error;
    }
  }
  return {
    exitCode: death === undefined ? end.exitCode : DIED,
    death,
    heap: stats ? heap : undefined,
    heapFault,
    trace: options.trace ? host?.watched?.recorder : undefined,
  };
}

function corruptAtEnd(error: Error, watched: Watched | undefined): Death {
  return { kind: "corrupt", error, frames: [], call: watched?.watch.calls, thread: undefined };
}

/** A thread that was stopped inside a call leaves its part of the heap as it was then: that is no fault of the program's. */
function withStopped(error: Error, count: number): Error {
  const threads = count === 1 ? "a thread was stopped" : `${count} threads were stopped`;
  return new Error(`${error.message}; ${threads} when the program ended, perhaps inside a call`, {
    cause: error,
  });
}

function deathOf(
  { origin }: Program,
  { died, thread }: End,
  watched: Watched | undefined,
): Death | undefined {
  if (died === undefined) return undefined;
  const { kind, error } = died;
  return { kind, error, frames: programFrames(error.stack, origin), call: watched?.watch.calls, thread };
}

/** The figures of the program's heap, if it has one of ours. Throws if it is not sound. */
function soundHeap(
  { heapBase }: End,
  memory: WebAssembly.Memory,
  host: HostHeap | undefined,
): HeapReport | undefined {
  const heap = host?.heap ?? (heapBase === undefined ? undefined : Heap.attach(memory, heapBase));
  if (heap === undefined) return undefined;
  if (host?.watched === undefined) heap.check();
  else host.watched.watch.check();
  return reportHeap(heap, memory, host?.watched);
}

/** Where the heap of a merged program is: in a global, 0 before it has begun. */
function mergedBase(exports: WebAssembly.Exports): number | undefined {
  const base = exports[HEAP_GLOBAL];
  return base instanceof WebAssembly.Global && base.value ? base.value >>> 0 : undefined;
}

function isHeapFault(error: unknown): error is Error {
  return (
    error instanceof HeapCorruptError || error instanceof HeapCheckError || error instanceof HeapFormatError
  );
}
