// Features: which parts of WebAssembly a module may use, in the words of its toolchain and of binaryen.
//
// Owns:  the table of names; the features of a linked module.
// Needs: binaryen's names only.
//
// A module is given what it says that it uses, and what the kernel needs. If binaryen is allowed more, it
// writes modules that an engine may not know.

import { WasmFormatError } from "./binary.ts";

/** As binaryen's interface calls them: not its own type, since its declarations are there only where it is installed. */
type FeatureKey =
  | "MVP"
  | "Atomics"
  | "BulkMemory"
  | "BulkMemoryOpt"
  | "CallIndirectOverlong"
  | "ExceptionHandling"
  | "ExtendedConst"
  | "FP16"
  | "GC"
  | "MultiMemory"
  | "Multivalue"
  | "MutableGlobals"
  | "NontrappingFPToInt"
  | "ReferenceTypes"
  | "RelaxedSIMD"
  | "SignExt"
  | "SIMD128"
  | "Strings"
  | "TailCall"
  | "WideArithmetic";

/** In target_features: what binaryen's command and interface call it. */
const FEATURES: Readonly<Record<string, readonly [string, FeatureKey]>> = {
  atomics: ["threads", "Atomics"],
  "bulk-memory": ["bulk-memory", "BulkMemory"],
  "bulk-memory-opt": ["bulk-memory-opt", "BulkMemoryOpt"],
  "call-indirect-overlong": ["call-indirect-overlong", "CallIndirectOverlong"],
  "exception-handling": ["exception-handling", "ExceptionHandling"],
  "extended-const": ["extended-const", "ExtendedConst"],
  fp16: ["fp16", "FP16"],
  gc: ["gc", "GC"],
  multimemory: ["multimemory", "MultiMemory"],
  multivalue: ["multivalue", "Multivalue"],
  "mutable-globals": ["mutable-globals", "MutableGlobals"],
  "nontrapping-fptoint": ["nontrapping-float-to-int", "NontrappingFPToInt"],
  "reference-types": ["reference-types", "ReferenceTypes"],
  "relaxed-simd": ["relaxed-simd", "RelaxedSIMD"],
  "sign-ext": ["sign-ext", "SignExt"],
  simd128: ["simd", "SIMD128"],
  strings: ["strings", "Strings"],
  "tail-call": ["tail-call", "TailCall"],
  "wide-arithmetic": ["wide-arithmetic", "WideArithmetic"],
};

/** What the kernel is built with (tools/kernel.ts). */
const KERNEL = ["bulk-memory", "bulk-memory-opt", "mutable-globals", "nontrapping-fptoint", "sign-ext"];

/** What a module that does not say may be using, as engines of 2023 do: it is only allowed, not added. */
const UNSAID = [
  "exception-handling",
  "extended-const",
  "multivalue",
  "reference-types",
  "simd128",
  "tail-call",
];

/**
 * The features of a program and the kernel together, or the kernel for threads. Those that it declares, or those that were found in it. Undefined:
 * nothing is known. Throws for one that is not known.
 *
 * @example
 *
 * ```ts
 * console.log(featuresWith(["simd128"]).includes("simd128")); // true
 * ```
 */
export function featuresWith(declared: readonly string[] | undefined, threads = false): string[] {
  const kernel = threads ? [...KERNEL, "atomics"] : KERNEL;
  const all = [...new Set([...kernel, ...(declared ?? UNSAID)])].sort();
  const unknown = all.filter((name) => !Object.hasOwn(FEATURES, name));
  if (unknown.length > 0)
    throw new WasmFormatError(
      `its section target_features names ${unknown.join(", ")}, which is not supported`,
    );
  return all;
}

/** For wasm-merge and wasm-opt. */
export function featureFlags(features: readonly string[]): string[] {
  return ["--mvp-features", ...features.map((name) => `--enable-${FEATURES[name]?.[0]}`)];
}

/**
 * For binaryen's interface.
 *
 * @example
 *
 * ```ts no-run
 * const { default: binaryen } = await import("binaryen");
 * console.log(featureBits(binaryen.Features, featuresWith(["simd128"])));
 * ```
 */
export function featureBits(all: Readonly<Record<FeatureKey, number>>, features: readonly string[]): number {
  return features.reduce((bits, name) => bits | all[FEATURES[name]?.[1] ?? "MVP"], 0);
}
