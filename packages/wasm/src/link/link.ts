// Link: a program that was built with lib/morecore.c and the kernel, made one module.
//
// Owns:  what is refused; how the two are joined; the start function that begins the heap.
// Needs: binary, features, binaryen; swap, for a program that has a second malloc.
//
// wasm-merge joins modules by names: the program imports morecore.mc_…, and the kernel imports of the program its memory and
// its morecore_abort. Afterwards nothing of that is left: no import morecore.…, no export mc_…. What is added is one
// export, the global morecore_heap: the address by which JavaScript can attach to the heap, to look at it.

import type { OwnBytes } from "morecore";
import { ADDRESS_END, type ExportName } from "morecore/engine";
import {
  type Export,
  GLOBAL,
  type Import,
  MEMORY,
  readExports,
  readFeatures,
  readImports,
  readMemories,
  readSections,
  type Section,
  WasmFormatError,
  withExports,
  withoutStale,
  writeSections,
} from "../format/binary.ts";
import { type Binaryen, guarded, loadBinaryen, mergeModules, readModuleWith } from "../format/binaryen.ts";
import { featureBits, featureFlags, featuresWith } from "../format/features.ts";
import { BinaryenError } from "../format/parts.ts";
import { HEAP_EXPORT, type Share } from "../format/threads.ts";
import { heapBaseOf } from "../run/program.ts";
import { swapBeside } from "../swap/index.ts";
import { ENTRY, fittedKernel, KERNEL, MEMORY_EXPORT, PROGRAM } from "./fitted.ts";
import { GRANULE, GROW_EXPORT, HEAP_BASE, join } from "./joined.ts";
import { type Names, type Optimization, optimizeLinked, withEntriesInlined } from "./optimize.ts";

/** What linkProgram can be told. */
export interface LinkOptions {
  /** As of wasm-opt -O: how far to optimise, 0 to 4. Default 3; 0: not at all. */
  readonly optimize?: number;
  /** As of wasm-opt -Os and -Oz: 1 or 2 for size before speed. Default 0. */
  readonly shrink?: number;
  /**
   * Inline the fast ways of malloc and free into their callers, if the module grows by no more than so many bytes.
   * 0: do not. Default: a 32nd of the program, at least 4096; with `optimize` below 3, or `shrink`, 0.
   */
  readonly inline?: number;
  /** Put a malloc of the program's own, if it has one beside ours, on the same heap. Default true; false: leave it. */
  readonly swap?: boolean;
}

/** The kernel's builds (tools/build.ts). */
export interface Kernels {
  /** dist/kernel.wasm, which grows the memory itself. */
  readonly growing: Uint8Array;
  /** dist/kernel-grow.wasm, which asks for memory: for programs that have a say in it, and export morecore_grow. */
  readonly asking: Uint8Array;
  /** dist/kernel-threads.wasm: for programs with threads, whose memory is shared. */
  readonly threads?: Uint8Array;
}

interface Levels extends Optimization {
  /** By how many bytes inlined entries may let the module grow. */
  readonly inline: number;
}

const NAMES: Names = { kernel: `${KERNEL}:`, entry: ENTRY };
const LEAST_INLINED = 4096;
const INLINED_SHARE = 32;
const PAGE = 65_536;
const MOST_PAGES = 65_536;
/** With one of these a program has its heap where it likes. */
const PLACING: ReadonlySet<string> = new Set<ExportName>(["mc_attach", "mc_begin", "mc_share"]);

/**
 * The program as one module with the kernel: bytes in, bytes out. The heap is begun before anything else runs, at the
 * program's exported __heap_base, or where its memory ends. If it exports morecore_grow, it is begun in what that gives. In a memory
 * that is shared each instance of the module is a thread. The first begins the heap, and each has a heap of its own in that.
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
  checkProgram(given, readExports(readSections(kernels.threads ?? kernels.growing)), kernels);
  const sections = options.swap === false ? given : await withOneMalloc(program, given);
  const exports = readExports(sections);
  const asks = exports.some(({ name }) => name === GROW_EXPORT);
  const threads = readMemories(sections)[0]?.shared === true ? kernels.threads : undefined;
  const kernel = readSections(threads ?? (asks ? kernels.asking : kernels.growing));
  const features = featuresWith(readFeatures(sections), threads !== undefined);
  const binaryen = await loadBinaryen();
  const bits = featureBits(binaryen.Features, features);
  const levels = levelsOf(options, program.length);
  const fit = { exports, base: threads ? undefined : knownBase(sections), features: bits, levels };
  const share = threads && shareOf(sections);
  return guarded(() => {
    const parts = [
      { name: PROGRAM, bytes: preparedProgram(sections) },
      { name: KERNEL, bytes: fittedKernel(binaryen, kernel, fit) },
    ];
    const merged = mergeModules(parts, { flags: featureFlags(features), names: true });
    return finished(binaryen, merged, bits, levels, share);
  });
}

/** The options, with their defaults. */
function levelsOf({ optimize = 3, shrink = 0, inline }: LinkOptions, programBytes: number): Levels {
  const isForSpeed = optimize >= 3 && shrink === 0;
  const least = isForSpeed ? Math.max(LEAST_INLINED, Math.floor(programBytes / INLINED_SHARE)) : 0;
  return { optimize, shrink, inline: inline ?? least };
}

/** Throws a WasmFormatError for a program that cannot be linked. */
function checkProgram(
  sections: readonly Section[],
  kernelExports: readonly Export[],
  { threads }: Kernels,
): void {
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
  if (memory.shared) checkShared(sections, threads);
  const clashes = readExports(sections).filter(({ name }) => known.has(name) || RESERVED.has(name));
  if (clashes.length > 0)
    throw new WasmFormatError(
      `it exports ${clashes.map(({ name }) => name).join(", ")}: names that the kernel needs for itself`,
    );
}

/** Throws a WasmFormatError for a program with threads that cannot be linked. */
function checkShared(sections: readonly Section[], threads: Uint8Array | undefined): void {
  if (threads === undefined)
    throw new WasmFormatError("its memory is shared between threads; expected the kernel for threads, too");
  if (readExports(sections).some(({ name }) => name === GROW_EXPORT))
    throw new WasmFormatError(
      `its memory is shared between threads, and it exports ${GROW_EXPORT}; the kernel for threads grows the memory itself`,
    );
}

/** Where the heap of a program with threads begins, the same in each instance, and up to where it may come to reach. */
function shareOf(sections: readonly Section[]): Share {
  const [memory] = readMemories(sections);
  const end = (memory?.minimum ?? 0) * PAGE;
  const exported = readExports(sections).some(({ name, kind }) => name === HEAP_BASE && kind === GLOBAL);
  const start = placeFrom(exported ? heapBaseOf(sections) : Math.max(end, GRANULE));
  if (start === undefined)
    throw new WasmFormatError("its __heap_base is no constant, or leaves no memory for a heap");
  return { start, most: Math.min((memory?.maximum ?? MOST_PAGES) * PAGE, ADDRESS_END) };
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

/** Where the heap will begin, if that is known before the program runs. */
function knownBase(sections: readonly Section[]): number | undefined {
  const exports = readExports(sections);
  const imports = readImports(sections);
  if (exports.some(({ name }) => name === GROW_EXPORT)) return undefined;
  if (imports.some(({ module, name }) => module === KERNEL && PLACING.has(name))) return undefined;
  if (exports.some(({ name, kind }) => name === HEAP_BASE && kind === GLOBAL))
    return placeFrom(heapBaseOf(sections));
  const [memory] = readMemories(sections);
  // Of one that the host brings only the least size is known.
  if (memory === undefined || imports.some(({ kind }) => kind === MEMORY)) return undefined;
  return placeFrom(memory.minimum === 0 ? GRANULE : memory.minimum * PAGE);
}

/** As the kernel's placeFor rounds it. From 0 and from 2^32, which wraps to it, the kernel asks for memory. */
function placeFrom(address: number | undefined): number | undefined {
  if (address === undefined) return undefined;
  const rounded = Math.ceil(address / GRANULE) * GRANULE;
  return rounded === 0 || rounded >= 2 ** 32 ? undefined : rounded;
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

/** The merged module with its start function, without what only the merging needed, optimised. */
function finished(
  binaryen: Binaryen,
  merged: Uint8Array,
  features: number,
  levels: Levels,
  share: Share | undefined,
): OwnBytes {
  const module = readModuleWith(binaryen, merged, features);
  try {
    join(binaryen, module, share);
    optimizeLinked(binaryen, module, NAMES, levels);
    if (module.validate() === 0) throw new BinaryenError("the linked module is not valid: see above");
    binaryen.setDebugInfo(true);
    const bytes = module.emitBinary();
    const inlining = { most: levels.inline, features };
    const all = levels.inline > 0 ? withEntriesInlined(binaryen, bytes, NAMES, inlining) : bytes;
    checkLinked(all);
    return Uint8Array.from(all);
  } finally {
    module.dispose();
  }
}

/** Throws if something of the kernel's is still imported. */
function checkLinked(bytes: Uint8Array): void {
  const left = readImports(readSections(bytes)).filter(
    ({ module }) => module === KERNEL || module === PROGRAM,
  );
  if (left.length > 0) throw new BinaryenError(`the linked module still imports ${namesOf(left)}`);
}
