// Run: a program for WASI preview 1, from its bytes to its exit code and what its heap looked like.
//
// Owns:  the order of things: memory, heap, instance, _start, the last check; and what a program's death is called.
// Needs: program, wasi, watch, heap-report, stack; Heap; trace/record.
//
// Two modules: the heap is made before the program is instantiated, in the memory that the program will import, at its
// __heap_base or at the memory's end. So it is there before anything of the program's runs, its start function included.
// Unwatched, the kernel's own functions are what the program imports: its calls go from wasm to wasm.

import { HeapCheckError, type TraceRecorder } from "@morecore/inspect";
import { Heap, HeapCorruptError, HeapFormatError, HeapMisuseError } from "morecore";
import { FUNCTION, type Import, MEMORY, WasmFormatError } from "../format/binary.ts";
import { type HeapReport, reportHeap, type Watched } from "./heap-report.ts";
import { type HostHeap, isHeapImport, makeHostHeap, type WatchWishes } from "./host-heap.ts";
import { HEAP_GLOBAL, type Program, readProgram } from "./program.ts";
import { makeSbrkHeap } from "./sbrk-heap.ts";
import { type Frame, programFrames, STACK_DEPTH } from "./stack.ts";
import { openWasi, WASI_VERSIONS, type Wasi, type WasiModule, type WasiOptions } from "./wasi.ts";

export interface RunOptions extends Partial<WasiOptions>, WatchWishes {
  /**
   * Called once, when all that could refuse the program has been passed: from here on, only the program
   * itself can fail.
   */
  readonly onStart?: () => void;
}

/** How a program died that did not end by itself. */
export interface Death {
  /** "misuse" and "corrupt" are the heap's; "exception" is one of WebAssembly's that nobody caught. */
  readonly kind: "trap" | "misuse" | "corrupt" | "exception";
  /** What was thrown. */
  readonly error: Error;
  /** Where the program was, innermost first; none when it was not running. */
  readonly frames: readonly Frame[];
  /** The number of the heap's call that it died in or after, if the calls were watched. */
  readonly call: number | undefined;
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
  const wasiModule = wasiModuleOf(program);
  const wasi = await openWasi(wasiModule, { args, env, dirs });
  const imports = importsFor(program, (given) => {
    if (given.kind === MEMORY) return memory;
    if (given.module === wasiModule) return ownOf(wasi.imports, given.name);
    const served = host === undefined ? undefined : ownOf(host.functions, given.module);
    return given.kind === FUNCTION && served !== undefined ? ownOf(served, given.name) : undefined;
  });
  options.onStart?.();
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = STACK_DEPTH;
  try {
    const end = ran(program, module, imports, wasi, memory, host);
    return finished(program, end, host, options);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
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

/** The engine's words without the call's name: "WebAssembly.compile(): …". */
function engineMessage(error: Error): string {
  return error.message.replace(/^WebAssembly\.\w+\(\): /, "");
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

function wasiModuleOf({ imports }: Program): WasiModule {
  const isWasi = (module: string): module is WasiModule => Object.hasOwn(WASI_VERSIONS, module);
  return imports.map(({ module }) => module).find(isWasi) ?? "wasi_snapshot_preview1";
}

/** What a table has under a name; not what every object has, such as toString. */
function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The import object; throws and names them if some imports are nobody's. */
function importsFor(
  { imports }: Program,
  provide: (given: Import) => WebAssembly.ImportValue | undefined,
): WebAssembly.Imports {
  const all = new Map<string, [string, WebAssembly.ImportValue][]>();
  const missing: string[] = [];
  for (const given of imports) {
    const value = provide(given);
    if (value === undefined) missing.push(`${given.module}.${given.name}`);
    else {
      const values = all.get(given.module) ?? [];
      values.push([given.name, value]);
      all.set(given.module, values);
    }
  }
  if (missing.length > 0)
    throw new WasmFormatError(
      `it imports what neither WASI preview 1 nor morecore provides: ${missing.join(", ")}`,
    );
  // Names are the program's to choose, __proto__ among them.
  return Object.fromEntries([...all].map(([module, values]) => [module, Object.fromEntries(values)]));
}

/** How a run ended. */
interface End {
  readonly exitCode: number;
  readonly error: Error | undefined;
  readonly memory: WebAssembly.Memory | undefined;
  readonly exports: WebAssembly.Exports;
}

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
    return { exitCode, error: undefined, memory, exports };
  } catch (error) {
    if (error instanceof WebAssembly.LinkError)
      throw new WasmFormatError(`it cannot be instantiated: ${engineMessage(error)}`);
    const died = asError(error);
    if (!(died instanceof Error) || died instanceof WasmFormatError || deathKind(died) === undefined)
      throw error;
    return { exitCode: DIED, error: died, memory, exports };
  }
}

/** An exception that the program threw and nobody caught. */
class UncaughtError extends Error {
  override readonly name = "UncaughtError";
}

/** An exception of WebAssembly's is no Error: it has neither a message nor, by default, a stack. */
function asError(thrown: unknown): unknown {
  return "Exception" in WebAssembly && thrown instanceof WebAssembly.Exception
    ? new UncaughtError("the program threw it, and did not catch it", { cause: thrown })
    : thrown;
}

/** What an error says about the program; undefined: it is none of the program's. */
function deathKind(error: unknown): Death["kind"] | undefined {
  if (error instanceof HeapMisuseError) return "misuse";
  if (error instanceof HeapCorruptError || error instanceof HeapCheckError) return "corrupt";
  if (error instanceof WebAssembly.RuntimeError) return "trap";
  // V8 says so of a stack that is too deep.
  if (error instanceof RangeError && error.message.includes("call stack")) return "trap";
  return error instanceof UncaughtError ? "exception" : undefined;
}

/** What is left when the program has ended: the last check, the figures, the trace. */
function finished(program: Program, end: End, host: HostHeap | undefined, options: RunOptions): RunResult {
  const { stats = false, checkEvery = 0 } = options;
  let death = deathOf(program, end.error, host?.watched);
  let heapFault: Error | undefined;
  let heap: HeapReport | undefined;
  if (end.memory !== undefined && (stats || checkEvery > 0) && death?.kind !== "corrupt") {
    try {
      heap = soundHeap(end, end.memory, host);
    } catch (error) {
      if (!isHeapFault(error)) throw error;
      heapFault = error;
    }
  }
  if (heapFault !== undefined && checkEvery > 0 && death === undefined) {
    death = { kind: "corrupt", error: heapFault, frames: [], call: host?.watched?.watch.calls };
    heapFault = undefined;
  }
  return {
    exitCode: death === undefined ? end.exitCode : DIED,
    death,
    heap: stats ? heap : undefined,
    heapFault,
    trace: options.trace ? host?.watched?.recorder : undefined,
  };
}

function deathOf(
  { origin }: Program,
  error: Error | undefined,
  watched: Watched | undefined,
): Death | undefined {
  const kind = deathKind(error);
  if (error === undefined || kind === undefined) return undefined;
  return { kind, error, frames: programFrames(error.stack, origin), call: watched?.watch.calls };
}

/** The figures of the program's heap, if it has one of ours. Throws if it is not sound. */
function soundHeap(
  { exports }: End,
  memory: WebAssembly.Memory,
  host: HostHeap | undefined,
): HeapReport | undefined {
  const heap = host?.heap ?? mergedHeap(exports, memory);
  if (heap === undefined) return undefined;
  if (host?.watched === undefined) heap.check();
  else host.watched.watch.check();
  return reportHeap(heap, memory, host?.watched);
}

/** The heap of a merged program: its address is in a global, 0 before it has begun. */
function mergedHeap(exports: WebAssembly.Exports, memory: WebAssembly.Memory): Heap | undefined {
  const base = exports[HEAP_GLOBAL];
  if (!(base instanceof WebAssembly.Global) || !base.value) return undefined;
  return Heap.attach(memory, base);
}

function isHeapFault(error: unknown): error is Error {
  return (
    error instanceof HeapCorruptError || error instanceof HeapCheckError || error instanceof HeapFormatError
  );
}
