// Small modules for the tests, written as text.

import binaryen from "binaryen";

/** What the text may use. */
const FEATURES =
  binaryen.Features.MutableGlobals |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SIMD128 |
  binaryen.Features.ExceptionHandling |
  binaryen.Features.Atomics |
  binaryen.Features.Memory64 |
  binaryen.Features.MultiMemory;

/** The bytes of a module, with names, and with a section target_features if some are given. */
export function textModule(text: string, features?: readonly string[]): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(text);
  module.setFeatures(FEATURES);
  if (features !== undefined) module.addCustomSection("target_features", featureSection(features));
  binaryen.setDebugInfo(true);
  const bytes = Uint8Array.from(module.emitBinary());
  module.dispose();
  return bytes;
}

/** As clang writes it: how many, then each with a plus, its length and name. */
function featureSection(features: readonly string[]): Uint8Array {
  const plus = "+".charCodeAt(0);
  const entries = features.flatMap((name) => [plus, name.length, ...new TextEncoder().encode(name)]);
  return Uint8Array.of(features.length, ...entries);
}

/** An instance's exports, as functions of 32-bit numbers. */
export function functionsOf(
  instance: WebAssembly.Instance,
): Record<string, (...words: number[]) => number | undefined> {
  return instance.exports as Record<string, (...words: number[]) => number | undefined>;
}
