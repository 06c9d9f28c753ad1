// Embedded: the wasm kernel that the package has in its code, compiled at first use.

import type { WasmModuleObject } from "../memory/webassembly.ts";
import { compiled } from "./calls.ts";
import { KERNEL_TEXT } from "./kernel-bytes.ts";
import { bytesOfText } from "./kernel-text.ts";
import { THREADS_TEXT } from "./threads-bytes.ts";

let cached: WasmModuleObject | undefined | null = null;
let cachedThreads: WasmModuleObject | undefined | null = null;

/** The module; undefined where a content security policy forbids to compile it. */
export function embeddedModule(): WasmModuleObject | undefined {
  if (cached === null) cached = compiled(bytesOfText(KERNEL_TEXT));
  return cached;
}

/** That for heaps that threads share, or that for others. */
export function embeddedKernel(threads: boolean): WasmModuleObject | undefined {
  if (!threads) return embeddedModule();
  if (cachedThreads === null) cachedThreads = compiled(bytesOfText(THREADS_TEXT));
  return cachedThreads;
}
