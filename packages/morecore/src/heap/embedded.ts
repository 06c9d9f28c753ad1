// Embedded: the wasm kernel that the package has in its code, compiled at first use.

import { compiled } from "./calls.ts";
import { KERNEL_TEXT } from "./kernel-bytes.ts";
import { bytesOfText } from "./kernel-text.ts";

let cached: WebAssembly.Module | undefined | null = null;

/** The module; undefined where a content security policy forbids to compile it. */
export function embeddedModule(): WebAssembly.Module | undefined {
  if (cached === null) cached = compiled(bytesOfText(KERNEL_TEXT));
  return cached;
}
