// Embedded: the wasm kernel that the package has in its code, compiled at first use.

import type { WasmModuleObject } from "../memory/webassembly.ts";
import { compiled } from "./calls.ts";
import { KERNEL_TEXT } from "./kernel-bytes.ts";
import { bytesOfText } from "./kernel-text.ts";

let cached: WasmModuleObject | undefined | null = null;

/** The module; undefined where a content security policy forbids to compile it. */
export function embeddedModule(): WasmModuleObject | undefined {
  if (cached === null) cached = compiled(bytesOfText(KERNEL_TEXT));
  return cached;
}
