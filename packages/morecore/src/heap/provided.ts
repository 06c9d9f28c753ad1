// Provided: the wasm kernel as a module that the program has loaded by itself, from dist/kernel-grow.wasm.
//
// Owns:  which module that is.
// Needs: nothing.

import { describe } from "../memory/arguments.ts";
import type { WasmModuleObject } from "../memory/webassembly.ts";

let provided: WasmModuleObject | undefined;

/** What tells the kernel from other modules. */
const OF_THE_KERNEL = ["mc_attach", "mc_begin", "mc_malloc", "mc_free"];

/**
 * Gives the library its kernel: "morecore/kernel-grow.wasm" of the same version, compiled. For hosts that load modules but do not
 * compile bytes, such as workerd, and for pages that stream it. Once, before the first heap; the last one counts. Throws a TypeError for
 * another module.
 *
 * @example
 * import kernel from "morecore/kernel-grow.wasm";
 * provideKernel(kernel);
 */
export function provideKernel(module: WasmModuleObject): void {
  const names = exportsOf(module);
  const lacks = OF_THE_KERNEL.filter((name) => !names.includes(name));
  if (lacks.length > 0)
    throw new TypeError(
      `kernel: expected morecore/kernel-grow.wasm, got a module without ${lacks.join(", ")}`,
    );
  provided = module;
}

function exportsOf(module: unknown): string[] {
  try {
    return WebAssembly.Module.exports(module as WebAssembly.Module).map(({ name }) => name);
  } catch {
    throw new TypeError(`kernel: expected a WebAssembly.Module, got ${describe(module)}`);
  }
}

/** The module. Throws a TypeError if there is none yet. */
export function providedModule(): WasmModuleObject {
  if (provided === undefined)
    throw new TypeError("kernel: expected provideKernel(module) before the first heap is made");
  return provided;
}
