// Features: the proposals beyond the first WebAssembly that a module uses, for binaryen.
//
// Owns:  the translation of names into binaryen's numbers and its commands' options.
// Needs: binaryen, given by the caller.
//
// Never all features: a module may then be written in ways that an engine of its time does not read.

import type Binaryen from "binaryen";

/** What the kernel itself needs; every engine of the last years has it. */
const KERNEL = ["BulkMemory", "BulkMemoryOpt", "MutableGlobals", "SignExt", "NontrappingFPToInt"];

const OPTIONS: Readonly<Record<string, string>> = {
  Atomics: "threads",
  BulkMemory: "bulk-memory",
  BulkMemoryOpt: "bulk-memory-opt",
  CallIndirectOverlong: "call-indirect-overlong",
  ExceptionHandling: "exception-handling",
  ExtendedConst: "extended-const",
  GC: "gc",
  Multivalue: "multivalue",
  MutableGlobals: "mutable-globals",
  NontrappingFPToInt: "nontrapping-float-to-int",
  ReferenceTypes: "reference-types",
  RelaxedSIMD: "relaxed-simd",
  SIMD128: "simd",
  SignExt: "sign-ext",
  TailCall: "tail-call",
};

export interface FeatureSet {
  readonly bits: number;
  /** For binaryen's commands: --mvp-features, and what is added to it. */
  readonly options: readonly string[];
}

export function featureSet(binaryen: typeof Binaryen, used: ReadonlySet<string>): FeatureSet {
  const names = [...new Set([...KERNEL, ...used])].filter((name) => name in OPTIONS);
  // binaryen's enumeration, by name.
  const numbers = binaryen.Features as unknown as Readonly<Record<string, number>>;
  return {
    bits: names.reduce((bits, name) => bits | (numbers[name] ?? 0), 0),
    options: ["--mvp-features", ...names.map((name) => `--enable-${OPTIONS[name]}`)],
  };
}
