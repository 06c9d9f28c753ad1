// Auto swap: what `morecore run` does with a program that has a malloc of its own: `morecore swap`, in memory.
//
// Owns:  for which programs that is tried, and why not, in a sentence.
// Needs: swap, which needs binaryen.
//
// The kernel's functions are left as imports, so that the calls can be seen. Where the heap then begins and how it grows
// must not meet what is left of the program's own: its sbrk, if something else calls that.

import { readSections, START_SECTION, WasmFormatError } from "./binary.ts";
import type { Swap, SwappedProgram } from "./run.ts";
import { BinaryenError, MissingToolError, SwapRefusedError, swapModule } from "./swap/index.ts";

/** Swaps a program's malloc; a string says why that could not be done. Other errors than those of swap are thrown. */
export const autoSwap: Swap = async (bytes) => {
  // What is no valid module for this engine cannot be run either, and is said there.
  if (!WebAssembly.validate(bytes as BufferSource)) return "it is no valid module";
  try {
    return await swapped(bytes);
  } catch (error) {
    if (error instanceof SwapRefusedError || error instanceof MissingToolError) return error.message;
    if (error instanceof WasmFormatError || error instanceof BinaryenError) return error.message;
    throw error;
  }
};

async function swapped(bytes: Uint8Array): Promise<SwappedProgram | string> {
  const { bytes: rewritten, report, origins = [] } = await swapModule(bytes, { keepImports: true });
  const { room, needsSbrk } = report;
  if (needsSbrk && readSections(bytes).some(({ id }) => id === START_SECTION))
    return "it has a start function, which would run before its heap can get memory of its sbrk";
  return { bytes: rewritten, origins, heap: needsSbrk ? "sbrk" : { from: room } };
}
