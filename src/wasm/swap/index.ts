// Swap: replaces the malloc inside a prebuilt WebAssembly module.
//
// Owns:  the order of things: read, decide, rewrite, prove.
// Needs: the files beside it, and binaryen.

import { readSections, withoutStale, writeSections } from "../binary.ts";
import { type Decision, decide } from "./decide.ts";
import { readModule } from "./module.ts";
import { findHeaderReaders, findLeftovers } from "./proof.ts";
import { SwapRefusedError, type SwapReport } from "./report.ts";
import { rewrite } from "./rewrite.ts";

export { WasmFormatError } from "../binary.ts";
export { BinaryenError, MissingToolError } from "../binaryen.ts";
export { GlueError } from "./glue.ts";
export { type FoundAction, type FoundFunction, SwapRefusedError, type SwapReport } from "./report.ts";

export interface SwapOptions {
  /** The source of the module's JavaScript, for modules whose exports' names are minified. */
  readonly glue?: string;
  /**
   * Leave the kernel's functions as imports of module "morecore", for a host that brings them: it begins the heap, by
   * mc_begin(report.room ?? 0), before the module's first call. The module then exports `morecore_grow` if it has an sbrk,
   * and `morecore_memory` if its memory was not exported.
   */
  readonly keepImports?: boolean;
}

export interface SwapResult {
  readonly bytes: Uint8Array;
  readonly report: SwapReport;
  /** With `keepImports`: for each function of `bytes`, its number in the module as it was; -1: it is new. */
  readonly origins: readonly number[] | undefined;
}

/**
 * Finds the malloc family and says what a swap would do; `refusals` of the report tell why it would not.
 * Throws a WasmFormatError for what is no module, a GlueError for glue that is no JavaScript.
 */
export function inspectModule(bytes: Uint8Array, options: Pick<SwapOptions, "glue"> = {}): SwapReport {
  return decide(bytes, readModule(bytes), options.glue).report;
}

/**
 * The module with the kernel for its allocator. Throws a SwapRefusedError if that is not surely safe, and a BinaryenError
 * if binaryen cannot do it.
 */
export async function swapModule(bytes: Uint8Array, options: SwapOptions = {}): Promise<SwapResult> {
  const { glue, keepImports = false } = options;
  const facts = readModule(bytes);
  const { plan, report }: Decision = decide(bytes, facts, glue);
  if (plan === undefined) throw new SwapRefusedError(report);
  const rewritten = await rewrite(bytes, facts, plan, { keepImports });
  const swapped = writeSections(withoutStale(readSections(rewritten.bytes)));
  const isOurs = (name: string) => keepImports && /^morecore[._]/.test(name);
  const leftovers = [
    ...findHeaderReaders(rewritten.own),
    ...findLeftovers(swapped, facts, plan.block, isOurs),
  ];
  if (leftovers.length > 0) throw new SwapRefusedError({ ...report, refusals: leftovers });
  return { bytes: swapped, report, origins: keepImports ? rewritten.origins : undefined };
}
