// Swap: replaces the malloc inside a prebuilt WebAssembly module.
//
// Owns:  the order of things: read, decide, rewrite, prove.
// Needs: the files beside it, and binaryen.

import { checkKeys } from "morecore/engine";
import { readSections, withoutStale, writeSections } from "../format/binary.ts";
import { BinaryenError, MissingToolError } from "../format/parts.ts";
import { LEAVE_EXPORT } from "../format/threads.ts";
import { checkNoTakers, mayTakeMemory, secondMallocError } from "./beside.ts";
import { type Decision, decide } from "./decide.ts";
import { type ModuleFacts, readModule } from "./module.ts";
import { findHeaderReaders, findLeftovers } from "./proof.ts";
import { SwapRefusedError, type SwapReport } from "./report.ts";
import { rewrite } from "./rewrite.ts";

export { WasmFormatError } from "../format/binary.ts";
export { BinaryenError, MissingToolError } from "../format/parts.ts";
export { GlueError } from "./glue.ts";
export { type FoundAction, type FoundFunction, SwapRefusedError, type SwapReport } from "./report.ts";

/** What swapModule can be told. */
export interface SwapOptions {
  /** The source of the module's JavaScript, for modules whose exports' names are minified. */
  readonly glue?: string;
  /**
   * Leave the kernel's functions as imports of module "morecore", for a host that brings them: it begins the heap, by
   * mc_begin(report.room ?? 0), before the module's first call. The module then exports `morecore_grow` if it has an sbrk,
   * and `morecore_memory` if its memory was not exported. A module whose memory is shared is refused so.
   */
  readonly keepImports?: boolean;
}

/** A module whose malloc is the kernel. */
export interface SwapResult {
  /** The module. */
  readonly bytes: Uint8Array;
  /** What was found, and what became of it. */
  readonly report: SwapReport;
  /** With `keepImports`: for each function of `bytes`, its number in the module as it was; -1: it is new. */
  readonly origins: readonly number[] | undefined;
}

/**
 * Finds the malloc family and says what a swap would do; `refusals` of the report tell why it would not.
 * Throws a WasmFormatError for what is no module, a GlueError for glue that is no JavaScript.
 *
 * @example
 *
 * ```ts
 * const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
 * console.log(inspectModule(empty).refusals.length > 0); // true
 * ```
 */
export function inspectModule(bytes: Uint8Array, options: Pick<SwapOptions, "glue"> = {}): SwapReport {
  checkKeys(options, ["glue"]);
  return decide(bytes, readModule(bytes), options).report;
}

/**
 * The module with the kernel for its allocator. Throws a SwapRefusedError if that is not surely safe, and a BinaryenError
 * if binaryen cannot do it.
 *
 * @example
 *
 * ```ts no-run
 * const { bytes, report } = await swapModule(new Uint8Array()); // the module's bytes
 * console.log(bytes.length, report.allocator);
 * ```
 */
export async function swapModule(bytes: Uint8Array, options: SwapOptions = {}): Promise<SwapResult> {
  checkKeys(options, ["glue", "keepImports"]);
  const { glue, keepImports = false } = options;
  const facts = readModule(bytes);
  const decision = decide(bytes, facts, { glue, mayImportKernel: keepImports });
  if (keepImports && facts.memories[0]?.shared === true) throw new SwapRefusedError(withoutHost(decision));
  return replaced(bytes, facts, decision, keepImports);
}

/**
 * Takes a program that imports the kernel's functions, and has a malloc of its own besides. Gives the same with that one's
 * functions calling the kernel's imports, too. Undefined: it has none. Throws a WasmFormatError if it has one that cannot be
 * replaced, or takes memory by itself as an allocator does. `heapBase`: where the kernel's heap is to begin, if that is
 * known.
 *
 * @example
 *
 * ```ts no-run
 * const swapped = await swapBeside(new Uint8Array(), undefined); // the program's bytes
 * console.log(swapped === undefined ? "no malloc of its own" : swapped.report.allocator);
 * ```
 */
export async function swapBeside(
  bytes: Uint8Array,
  heapBase: number | undefined,
): Promise<SwapResult | undefined> {
  // What this engine does not know is not looked at: it will not run here, and binaryen says what is wrong with it.
  if (!WebAssembly.validate(bytes as BufferSource)) return undefined;
  const facts = readModule(bytes);
  if (!mayTakeMemory(facts, heapBase)) return undefined;
  const decision = decide(bytes, facts, { mayImportKernel: true });
  if (!decision.isRecognised) {
    checkNoTakers(bytes, facts, heapBase);
    return undefined;
  }
  try {
    return await replaced(bytes, facts, decision, true);
  } catch (error) {
    const isSaid = [SwapRefusedError, BinaryenError, MissingToolError].some((kind) => error instanceof kind);
    throw isSaid && error instanceof Error ? secondMallocError(error) : error;
  }
}

/** A host that brings the kernel would have to begin each thread's heap, before anything else runs in its instance. */
function withoutHost({ report }: Decision): SwapReport {
  if (report.refusals.length > 0) return report;
  const functions = report.functions.map((each) => ({ ...each, action: "left" as const }));
  const refusal =
    "its memory is shared between threads, whose heaps no host can begin: leave out keepImports";
  return { ...report, functions, refusals: [refusal] };
}

async function replaced(
  bytes: Uint8Array,
  facts: ModuleFacts,
  { plan, report }: Decision,
  keepImports: boolean,
): Promise<SwapResult> {
  if (plan === undefined) throw new SwapRefusedError(report);
  const rewritten = await rewrite(bytes, facts, plan, { keepImports });
  const swapped = writeSections(withoutStale(readSections(rewritten.bytes)));
  const isShared = !keepImports && plan.share !== undefined;
  const isOurs = (name: string) =>
    (keepImports && /^morecore[._]/.test(name)) || (isShared && name === LEAVE_EXPORT);
  const leftovers = [
    ...findHeaderReaders(rewritten.own),
    ...findLeftovers(swapped, facts, plan.block, isOurs),
  ];
  if (leftovers.length > 0) throw new SwapRefusedError({ ...report, refusals: leftovers });
  return { bytes: swapped, report, origins: keepImports ? rewritten.origins : undefined };
}
