// Link: a program that was built with lib/morecore.c and the kernel, made one module.
//
// Owns:  what is refused; how the two are joined; the start function that begins the heap.
// Needs: binary, features, binaryen; swap, for a program that has a second malloc.
//
// wasm-merge joins modules by names: the program imports morecore.mc_…, and the kernel imports of the program its memory and
// its morecore_abort. Afterwards nothing of that is left: no import morecore.…, no export mc_…. What is added is one
// export, the global morecore_heap: the address by which JavaScript can attach to the heap, to look at it.

import type { OwnBytes } from "morecore";
import type { ExportName } from "morecore/engine";
import {
  type Export,
  type Import,
  MEMORY,
  nameSection,
  readExports,
  readFeatures,
  readImports,
  readMemories,
  readSections,
  type Section,
  WasmFormatError,
  withExports,
  withImports,
  withoutStale,
  writeSections,
} from "../format/binary.ts";
import { type Binaryen, guarded, loadBinaryen, mergeModules, readModuleWith } from "../format/binaryen.ts";
import { featureBits, featureFlags, featuresWith } from "../format/features.ts";
import { BinaryenError } from "../format/parts.ts";
import { heapBaseOf } from "../run/program.ts";
import { swapBeside } from "../swap/index.ts";

/** What linkProgram can be told. */
export interface LinkOptions {
  /** As of wasm-opt -O: how far to optimise, 0 to 4. Default 3; 0: not at all. */
  readonly optimize?: number;
  /** As of wasm-opt -Os and -Oz: 1 or 2 for size before speed. Default 0. */
  readonly shrink?: number;
  /** Put a malloc of the program's own, if it has one beside ours, on the same heap. Default true; false: leave it. */
  readonly swap?: boolean;
}

/** The kernel's two builds (tools/build.ts). */
export interface Kernels {
  /** dist/kernel.wasm, which grows the memory itself. */
  readonly growing: Uint8Array;
  /** dist/kernel-grow.wasm, which asks for memory: for programs that have a say in it, and export morecore_grow. */
  readonly asking: Uint8Array;
}

/** The name that programs import the kernel's functions from. */
const KERNEL = "morecore";
/** The name that the kernel imports from; no program's own imports have it. */
const PROGRAM = "morecore:program";
const MEMORY_EXPORT = "morecore:memory";
/** What the kernel calls of the program, by its own name for it. */
const CALLED: Readonly<Record<string, string>> = { abort: "morecore_abort", grow: "morecore_grow" };
const GROW_EXPORT = "morecore_grow";
const HEAP_EXPORT = "morecore_heap";
const HEAP_BASE = "__heap_base";
const BEGIN: ExportName = "mc_begin";
const GRANULE = 16;
const PAGE_LOG2 = 16;

/**
 * The program as one module with the kernel: bytes in, bytes out. The heap is begun before anything else runs, at the
 * program's exported __heap_base, or where its memory ends. If it exports morecore_grow, it is begun in what that gives.
 * Throws a WasmFormatError for a program that it cannot do this for, a MissingToolError without binaryen, a BinaryenError if
 * that refuses.
 *
 * @example
 *
 * ```ts no-run
 * const kernels = { growing: readKernel("growing"), asking: readKernel("asking") };
 * const linked = await linkProgram(new Uint8Array(), kernels, { optimize: 2 }); // the program's bytes
 * console.log(linked.length);
 * ```
 */
export async function linkProgram(
  program: Uint8Array,
  kernels: Kernels,
  options: LinkOptions = {},
): Promise<OwnBytes> {
  const given = readSections(program);
  checkProgram(given, readExports(readSections(kernels.growing)));
  const sections = options.swap === false ? given : await withOneMalloc(program, given);
  const exports = new Set(readExports(sections).map(({ name }) => name));
  const kernel = readSections(exports.has(GROW_EXPORT) ? kernels.asking : kernels.growing);
  const features = featuresWith(readFeatures(sections));
  const binaryen = await loadBinaryen();
  const merged = mergeModules(
    [
      { name: PROGRAM, bytes: preparedProgram(sections) },
      { name: KERNEL, bytes: preparedKernel(kernel, exports) },
    ],
    { flags: featureFlags(features), names: true },
  );
  return guarded(() => finished(binaryen, merged, featureBits(binaryen.Features, features), options));
}

/** Throws a WasmFormatError for a program that cannot be linked. */
function checkProgram(sections: readonly Section[], kernelExports: readonly Export[]): void {
  const imports = readImports(sections).filter(({ module }) => module === KERNEL);
  if (imports.length === 0)
    throw new WasmFormatError(
      "it imports nothing from morecore, so it was not built with lib/morecore.c; `morecore swap` is for modules " +
        "that have a malloc of their own",
    );
  const known = new Set(kernelExports.map(({ name }) => name));
  const unknown = imports.filter(({ name }) => !known.has(name));
  if (unknown.length > 0)
    throw new WasmFormatError(`it imports what the kernel does not have: ${namesOf(unknown)}`);
  const [memory, ...more] = readMemories(sections);
  if (memory === undefined) throw new WasmFormatError("it has no memory for a heap to be in");
  if (more.length > 0) throw new WasmFormatError("it has several memories; the heap can be in one only");
  if (memory.is64) throw new WasmFormatError("its memory has 64-bit addresses (memory64); the kernel has 32");
  if (memory.shared)
    throw new WasmFormatError("its memory is shared between threads; the kernel serves one thread only");
  const clashes = readExports(sections).filter(({ name }) => known.has(name) || RESERVED.has(name));
  if (clashes.length > 0)
    throw new WasmFormatError(
      `it exports ${clashes.map(({ name }) => name).join(", ")}: names that the kernel needs for itself`,
    );
}

/** The program with a malloc of its own, if it has one beside ours, put on the kernel's heap. */
async function withOneMalloc(program: Uint8Array, given: readonly Section[]): Promise<readonly Section[]> {
  const swapped = await swapBeside(program, heapBaseOf(given));
  if (swapped === undefined) return given;
  const sections = readSections(swapped.bytes);
  if (swapped.report.needsSbrk) return sections;
  // Its sbrk is memory.grow by another name, and what it gives is its own: the heap can do without.
  return withExports(
    sections,
    readExports(sections).filter(({ name }) => name !== GROW_EXPORT),
  );
}

const RESERVED = new Set([MEMORY_EXPORT, HEAP_EXPORT]);

function namesOf(imports: readonly Import[]): string {
  return imports.map(({ module, name }) => `${module}.${name}`).join(", ");
}

/** The program without what is about to be wrong (debug information by address), its memory exported. */
function preparedProgram(sections: readonly Section[]): Uint8Array {
  const exports = [...readExports(sections), { name: MEMORY_EXPORT, kind: MEMORY, index: 0 }];
  return writeSections(withExports(withoutStale(sections), exports));
}

/** The kernel, its exports' names given to its functions, its imports taken from the program. */
function preparedKernel(sections: readonly Section[], exports: ReadonlySet<string>): Uint8Array {
  const imports = readImports(sections).map((given) => {
    const name = given.kind === MEMORY ? MEMORY_EXPORT : CALLED[given.name];
    const isThere = name === MEMORY_EXPORT || (name !== undefined && exports.has(name));
    return isThere ? { ...given, module: PROGRAM, name } : given;
  });
  const unnamed = sections.filter(({ name }) => name !== "name");
  return writeSections([...withImports(unnamed, imports), nameSection(sections, `${KERNEL}:`)]);
}

type Module = InstanceType<Binaryen["Module"]>;

/** The merged module with its start function, without what only the merging needed, optimised. */
function finished(
  binaryen: Binaryen,
  merged: Uint8Array,
  features: number,
  { optimize = 3, shrink = 0 }: LinkOptions,
): Uint8Array<ArrayBuffer> {
  const module = readModuleWith(binaryen, merged, features);
  try {
    defineAbort(binaryen, module);
    for (const name of Object.values(CALLED)) withoutConstructors(binaryen, module, name);
    addStart(binaryen, module);
    removeExports(binaryen, module);
    binaryen.setDebugInfo(true);
    binaryen.setOptimizeLevel(optimize);
    binaryen.setShrinkLevel(shrink);
    if (optimize + shrink > 0) module.optimize();
    if (module.validate() === 0) throw new BinaryenError("the linked module is not valid: see above");
    const bytes = Uint8Array.from(module.emitBinary());
    checkLinked(bytes);
    return bytes;
  } finally {
    module.dispose();
  }
}

/** Without a morecore_abort in the program, misuse traps. */
function defineAbort(binaryen: Binaryen, module: Module): void {
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const found = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (found.module !== KERNEL || found.base !== "abort") continue;
    module.removeFunction(found.name);
    module.addFunction(found.name, found.params, found.results, [], module.unreachable());
    return;
  }
}

/**
 * wasm-ld wraps each export of a program so that it runs the constructors first and the destructors afterwards. An export
 * that the kernel calls in the middle of the program must not: takes the call out of it. It is known by being the
 * first call of another export, too.
 */
function withoutConstructors(binaryen: Binaryen, module: Module, name: string): void {
  const exported = exportsOf(binaryen, module).find((all) => all.name === name);
  if (exported === undefined) return;
  const constructors = firstCall(binaryen, module, exported.value);
  if (constructors === undefined) return;
  const others = exportsOf(binaryen, module).filter(
    ({ kind, value }) => kind === binaryen.ExternalFunction && value !== exported.value,
  );
  if (!others.some(({ value }) => firstCall(binaryen, module, value) === constructors)) return;
  const { params, results, vars, body } = binaryen.getFunctionInfo(module.getFunction(exported.value));
  const block = blockOf(binaryen, body);
  if (block === undefined) return;
  const rest = block.children.slice(1).map((child) => module.copyExpression(child));
  module.removeFunction(exported.value);
  module.addFunction(exported.value, params, results, vars, module.block(block.name, rest, results));
}

/** The function without parameters and results that a function calls first of all. */
function firstCall(binaryen: Binaryen, module: Module, name: string): string | undefined {
  const { body } = binaryen.getFunctionInfo(module.getFunction(name));
  const first = blockOf(binaryen, body)?.children[0];
  if (first === undefined) return undefined;
  const call = binaryen.getExpressionInfo(first);
  if (call.id !== binaryen.CallId || !("target" in call) || !("operands" in call)) return undefined;
  const { target, operands } = call as { target: string; operands: readonly number[] };
  return operands.length === 0 && call.type === binaryen.none ? target : undefined;
}

function blockOf(
  binaryen: Binaryen,
  body: number,
): { readonly name: string | null; readonly children: readonly number[] } | undefined {
  if (body === 0) return undefined;
  const info = binaryen.getExpressionInfo(body);
  // What getExpressionInfo gives of a block; its declaration knows only what all expressions have.
  return info.id === binaryen.BlockId
    ? (info as unknown as { name: string | null; children: readonly number[] })
    : undefined;
}

/** A start function that begins the heap, then does what the program's own did. */
function addStart(binaryen: Binaryen, module: Module): void {
  const { i32, none } = binaryen;
  const exports = exportsOf(binaryen, module);
  const begin = exports.find(({ name }) => name === BEGIN);
  if (begin === undefined) throw new BinaryenError(`the kernel has no ${BEGIN}`);
  const from = heapStart(binaryen, module, exports);
  module.addGlobal(HEAP_EXPORT, i32, true, module.i32.const(0));
  module.addGlobalExport(HEAP_EXPORT, HEAP_EXPORT);
  const own = module.getStart();
  const body = [
    module.global.set(HEAP_EXPORT, module.call(begin.value, [from], i32)),
    // A memory that cannot hold the heap's header: no program could run in it.
    module.if(module.i32.eqz(module.global.get(HEAP_EXPORT, i32)), module.unreachable()),
    ...(own === 0 ? [] : [module.call(binaryen.getFunctionInfo(own).name, [], none)]),
  ];
  module.setStart(module.addFunction("morecore_start", none, none, [], module.block(null, body)));
}

/** What mc_begin is given: where the heap begins, or 0 to let it ask for memory. */
function heapStart(
  { i32, ExternalGlobal }: Binaryen,
  module: Module,
  exports: readonly { readonly name: string; readonly kind: number; readonly value: string }[],
): number {
  if (exports.some(({ name }) => name === GROW_EXPORT)) return module.i32.const(0);
  const heapBase = exports.find(({ name, kind }) => name === HEAP_BASE && kind === ExternalGlobal);
  if (heapBase === undefined) {
    const end = module.i32.shl(module.memory.size(), module.i32.const(PAGE_LOG2));
    // Where there is no memory yet, at the first granule: address 0 is nobody's.
    return module.select(module.memory.size(), end, module.i32.const(GRANULE));
  }
  const roundedUp = module.i32.add(module.global.get(heapBase.value, i32), module.i32.const(GRANULE - 1));
  return module.i32.and(roundedUp, module.i32.const(-GRANULE));
}

function exportsOf(binaryen: Binaryen, module: Module) {
  return Array.from({ length: module.getNumExports() }, (_, index) =>
    binaryen.getExportInfo(module.getExportByIndex(index)),
  );
}

/** Takes out what only the two parts needed of each other. */
function removeExports(binaryen: Binaryen, module: Module): void {
  for (const { name } of exportsOf(binaryen, module))
    if (/^mc_|^morecore:/.test(name) || Object.values(CALLED).includes(name)) module.removeExport(name);
}

/** Throws if something of the kernel's is still imported. */
function checkLinked(bytes: Uint8Array): void {
  const left = readImports(readSections(bytes)).filter(
    ({ module }) => module === KERNEL || module === PROGRAM,
  );
  if (left.length > 0) throw new BinaryenError(`the linked module still imports ${namesOf(left)}`);
}
