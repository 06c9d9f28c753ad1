// Auto swap: what `morecore run` does with a program that has a malloc of its own: `morecore swap`, in memory.
//
// Owns:  for which programs that is tried, and why not, in a sentence.
// Needs: swap, which needs binaryen.
//
// The kernel's functions are left as imports, so that the calls can be seen. Where the heap then begins and how it grows
// must not meet what is left of the program's own: its sbrk, if something else calls that.

import { readSections, START_SECTION, WasmFormatError } from "../format/binary.ts";
import {
  BinaryenError,
  MissingToolError,
  SwapRefusedError,
  type SwapResult,
  swapBeside,
  swapModule,
} from "../swap/index.ts";
import type { Swap, SwappedProgram } from "./run.ts";

const NEEDS_START = "it has a start function, which would run before its heap can get memory of its sbrk";

export const autoSwap: Swap = {
  async only(bytes) {
    // What is no valid module for this engine cannot be run either, and is said there.
    if (!WebAssembly.validate(bytes as BufferSource)) return "it is no valid module";
    try {
      return swapped(bytes, await swapModule(bytes, { keepImports: true })) ?? NEEDS_START;
    } catch (error) {
      const why = whyNotSwapped(error);
      if (why === undefined) throw error;
      return why;
    }
  },

  async second(bytes, heapBase) {
    const result = await swapBeside(bytes, heapBase);
    if (result === undefined) return undefined;
    const program = swapped(bytes, result, heapBase);
    if (program === undefined)
      throw new WasmFormatError(`it has a malloc of its own beside morecore's, and ${NEEDS_START}`);
    return program;
  },
};

/** Undefined: an error that is nobody's but ours. */
function whyNotSwapped(error: unknown): string | undefined {
  const isSaid = [SwapRefusedError, MissingToolError, WasmFormatError, BinaryenError];
  return error instanceof Error && isSaid.some((kind) => error instanceof kind) ? error.message : undefined;
}

/** Undefined: its start function would run before there is a heap. */
function swapped(
  before: Uint8Array,
  { bytes, report, origins = [] }: SwapResult,
  heapBase?: number,
): SwappedProgram | undefined {
  const { room, needsSbrk } = report;
  if (needsSbrk && readSections(before).some(({ id }) => id === START_SECTION)) return undefined;
  return { bytes, origins, heap: needsSbrk ? "sbrk" : { from: room ?? heapBase } };
}
