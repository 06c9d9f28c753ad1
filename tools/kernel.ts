// The kernel as WebAssembly: compiled by asc, bound to one heap, shaped for speed where it counts, given C's names.
//
// What asc makes has functions of a Machine (in wasm: nothing) and a heap. What we ship has the heap's address in a
// global, so that C can call it: mc_attach(base) sets it, mc_begin(from) begins a new heap there. Exports are named mc_…,
// so that they clash with none of a program's when the two are merged.

import binaryen from "binaryen";
import {
  readFunctionNames,
  readSections,
  withNames,
  writeSections,
} from "../packages/wasm/src/format/binary.ts";
import { bindHeap, defineImports, exportDirectly, exportWithHeap, type HostImports } from "./bind.ts";
import { compile, kernelMarkers } from "./compile.ts";
import { branchOnConditions } from "./conditions.ts";
import { checkMarked, type Marked } from "./markers.ts";
import { addCopies, checkHeapsPassed, functionsOf, isCopy, readHeapFromGlobal } from "./shape.ts";

const FEATURES =
  binaryen.Features.MVP |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.MutableGlobals |
  binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt;

/**
 * The shipped kernel: imports env.memory and morecore.abort(code, address), exports mc_…. It grows by memory.grow, or,
 * with `importsGrow`, by an imported morecore.grow(bytes), which answers with an address or 0. With `named`, the functions
 * that are apart have names, without their files': `morecore link` takes what malloc hands on to by its name.
 */
export async function boundKernel({
  importsGrow = false,
  named = false,
  threads = false,
} = {}): Promise<Uint8Array> {
  const { module: shaped, marked } = await boundModule({ importsGrow, threads });
  // No pointer that the kernel follows lies in the first 1024 bytes below 2^32: constants may be folded into loads.
  binaryen.setLowMemoryUnused(true);
  addCopies(shaped, marked.hot, new Set([...marked.rare, ...marked.apart]));
  readHeapFromGlobal(shaped, marked.hot);
  inlineCopies(shaped);
  const module = writtenAndRead(shaped, threads);
  shrink(module, marked);
  exportDirectly(module);
  shrink(module, marked);
  branchOnConditions(module, functionsOf(module));
  module.runPasses(["remove-unused-names", "merge-blocks", "vacuum", "optimize-instructions"]);
  if (!module.validate()) throw new Error("the bound kernel is no valid module");
  return named ? withOnlyNames(emittedWithNames(module), marked.apart) : emitted(module);
}

/**
 * The kernel of the native library, for a compiler that inlines by itself: each function of the sources is one, by its name, and each
 * export takes the heap first. It imports what it does to words that threads share, morecore.grow(bytes) and
 * morecore.release(from, to), which is told of what top gives back. And the markers of its functions.
 */
export async function nativeKernel(): Promise<{ bytes: Uint8Array; marked: Marked }> {
  const module = binaryen.readBinary(await compile("native.ts", "native"));
  module.setFeatures(FEATURES);
  exportWithHeap(module);
  // The sources' constants, which asc -O0 leaves as globals, become numbers, and where they are added to addresses, parts of
  // loads and stores: C cannot do that, since it must let 32 bits wrap. No pointer lies in the first 1024 bytes below 2^32.
  binaryen.setLowMemoryUnused(true);
  module.runPasses([
    "simplify-globals",
    "remove-unused-module-elements",
    "precompute-propagate",
    "optimize-added-constants-propagate",
  ]);
  return { marked: markersOf(module), bytes: emittedWithNames(module) };
}

interface BuildOptions extends HostImports {
  /** For heaps that threads share. */
  readonly threads: boolean;
}

/** The kernel as asc makes it, with its imports and exports, and the markers of the functions that it has. */
async function boundModule(options: BuildOptions): Promise<{ module: binaryen.Module; marked: Marked }> {
  const { threads } = options;
  const module = binaryen.readBinary(await compile("family.ts", threads ? "threads" : "one"));
  module.setFeatures(featuresOf(threads));
  checkHeapsPassed(module);
  defineImports(module, options);
  bindHeap(module, threads);
  // What only threads need is not in the other kernel.
  if (threads) checkAllThere(module);
  return { module, marked: markersOf(module) };
}

/** Throws if a marker is of no function. */
function checkAllThere(module: binaryen.Module): void {
  const { hot, rare, apart } = kernelMarkers();
  const functions = functionsOf(module);
  checkMarked(new Set([...hot, ...rare, ...apart]), (name) => functions.has(name));
}

/** The markers of the functions that a module has. */
function markersOf(module: binaryen.Module): Marked {
  const { hot, rare, apart } = kernelMarkers();
  const functions = functionsOf(module);
  const here = (names: ReadonlySet<string>) => new Set([...names].filter((name) => functions.has(name)));
  return { hot: here(hot), rare: here(rare), apart: here(apart) };
}

function featuresOf(threads: boolean): number {
  return threads ? FEATURES | binaryen.Features.Atomics : FEATURES;
}

/** Inlines the copies, and nothing else. */
function inlineCopies(module: binaryen.Module): void {
  for (const name of functionsOf(module)) if (!isCopy(name)) noInline(module, name);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  binaryen.setAlwaysInlineMaxSize(1_000_000);
  module.runPasses([
    "precompute-propagate",
    "simplify-locals",
    "coalesce-locals",
    "vacuum",
    "remove-unused-brs",
  ]);
  for (let round = 0; round < 4; round++) module.runPasses(["inlining-optimizing", "dae-optimizing"]);
}

/** Makes all as small as it gets, without taking apart what is hot. */
function shrink(module: binaryen.Module, { hot, rare, apart }: Marked): void {
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  binaryen.setAlwaysInlineMaxSize(2);
  for (const name of new Set([...hot, ...rare, ...apart])) noInline(module, name);
  for (let round = 0; round < 3; round++) module.optimize();
}

function noInline(module: binaryen.Module, name: string): void {
  binaryen.setPassArgument("no-inline", name);
  module.runPasses(["no-inline"]);
  binaryen.setPassArgument("no-inline", null);
}

/** The module written and read again: what a pass leaves behind in binaryen's own notes is gone. The one given is, too. */
function writtenAndRead(module: binaryen.Module, threads: boolean): binaryen.Module {
  const again = binaryen.readBinary(emittedWithNames(module));
  again.setFeatures(featuresOf(threads));
  return again;
}

function emittedWithNames(module: binaryen.Module): Uint8Array {
  binaryen.setDebugInfo(true);
  const bytes = emitted(module);
  binaryen.setDebugInfo(false);
  return bytes;
}

/** The module's bytes with the names of these functions alone, each without its file's. */
function withOnlyNames(bytes: Uint8Array, kept: ReadonlySet<string>): Uint8Array {
  const sections = readSections(bytes);
  const found = [...(readFunctionNames(sections) ?? [])].filter(([, name]) => kept.has(name));
  return writeSections(
    withNames(sections, new Map(found.map(([index, name]) => [index, name.replace(/.*\//, "")]))),
  );
}

function emitted(module: binaryen.Module): Uint8Array {
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}
