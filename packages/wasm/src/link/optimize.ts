// Optimize: what binaryen may do to a linked program, and what it may not.
//
// Owns:  binaryen's settings, which are those of its whole instance; which functions are inlined.
// Needs: binaryen.
//
// The kernel comes with its slow ways outlined. Left to itself, binaryen inlines what has one caller, and malloc becomes one
// function of a thousand instructions that saves its registers before it looks at anything. So nothing of the kernel's is
// inlined but its entries, into the program's own functions.

import { type Binaryen, readModuleWith } from "../format/binaryen.ts";

type Module = InstanceType<Binaryen["Module"]>;

/** As of wasm-opt: -O and -Os. */
export interface Optimization {
  readonly optimize: number;
  readonly shrink: number;
}

/** What the kernel's functions' names begin with, and those of its entries. */
export interface Names {
  readonly kernel: string;
  readonly entry: string;
}

const ANY_SIZE = 1_000_000;

/** Optimises a kernel by itself. Of what it calls only that becomes a part of a function which is small, and is none of `apart`. */
export function optimizeKernel(
  binaryen: Binaryen,
  kernel: Module,
  apart: Iterable<string>,
  optimization: Optimization,
): void {
  for (const name of apart) keepApart(binaryen, kernel, name);
  const oneCaller = binaryen.getOneCallerInlineMaxSize();
  binaryen.setOneCallerInlineMaxSize(0);
  // No pointer that the kernel follows lies in the first 1024 bytes below 2^32: constants may be folded into loads.
  binaryen.setLowMemoryUnused(true);
  try {
    optimizeWhole(binaryen, kernel, optimization);
  } finally {
    binaryen.setLowMemoryUnused(false);
    binaryen.setOneCallerInlineMaxSize(oneCaller);
  }
}

/** Optimises a program with the kernel in it, whose functions stay apart. */
export function optimizeLinked(
  binaryen: Binaryen,
  module: Module,
  { kernel, entry }: Names,
  optimization: Optimization,
): void {
  for (const kept of [kernel, entry]) keepApart(binaryen, module, `${kept}*`);
  optimizeWhole(binaryen, module, optimization);
}

function optimizeWhole(binaryen: Binaryen, module: Module, { optimize, shrink }: Optimization): void {
  if (optimize + shrink === 0) return;
  binaryen.setOptimizeLevel(optimize);
  binaryen.setShrinkLevel(shrink);
  module.optimize();
}

/**
 * An optimised program's bytes with the entries inlined wherever they are called, if it grows by no more than `most` bytes; else
 * the same bytes.
 */
export function withEntriesInlined(
  binaryen: Binaryen,
  program: Uint8Array,
  { entry }: Names,
  { most, features }: { readonly most: number; readonly features: number },
): Uint8Array {
  const module = readModuleWith(binaryen, program, features);
  try {
    for (const first of firstLetters(binaryen, module))
      if (first !== entry) keepApart(binaryen, module, `${first}*`);
    inlineUpTo(binaryen, module, ANY_SIZE);
    const inlined = module.emitBinary();
    return inlined.length - program.length > most ? program : inlined;
  } finally {
    module.dispose();
  }
}

/** Keeps functions from being inlined, until the module is written. `*` in the pattern stands for anything. */
function keepApart(binaryen: Binaryen, module: Module, pattern: string): void {
  binaryen.setPassArgument("no-inline", pattern);
  module.runPasses(["no-inline"]);
  binaryen.setPassArgument("no-inline", null);
}

/** Inlines functions of at most this size, wherever they are called. */
function inlineUpTo(binaryen: Binaryen, module: Module, size: number): void {
  const sizes = [
    binaryen.getAlwaysInlineMaxSize(),
    binaryen.getFlexibleInlineMaxSize(),
    binaryen.getOneCallerInlineMaxSize(),
  ] as const;
  const set = ([always, flexible, oneCaller]: readonly [number, number, number]) => {
    binaryen.setAlwaysInlineMaxSize(always);
    binaryen.setFlexibleInlineMaxSize(flexible);
    binaryen.setOneCallerInlineMaxSize(oneCaller);
  };
  set([size, 0, 0]);
  module.runPasses(["inlining-optimizing"]);
  set(sizes);
}

/** The letters that the functions' names begin with. */
function firstLetters(binaryen: Binaryen, module: Module): Set<string> {
  const letters = new Set<string>();
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const { name } = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    letters.add(String.fromCodePoint(name.codePointAt(0) ?? 0));
  }
  return letters;
}
