// Fitted: the kernel as it goes into one program, before the two are merged.
//
// Owns:  the names that its functions have there, where its imports come from, its entries: malloc and free as programs call
//        them, which `link` can inline, and whose failure it can tell of.
// Needs: binary, placed, expressions.
//
// An entry that tells is a copy. What the kernel itself calls tells nobody: its other functions answer for themselves, and
// posix_memalign may not touch errno.

import type { ExportName } from "morecore/engine";
import {
  type Export,
  functionNames,
  MEMORY,
  readExports,
  readFunctionNames,
  readImports,
  type Section,
  withImports,
  withNames,
  writeSections,
} from "../format/binary.ts";
import { type Binaryen, readModuleWith } from "../format/binaryen.ts";
import { expressionsOf } from "../format/expressions.ts";
import { placeHeap } from "../format/placed.ts";
import { type Optimization, optimizeKernel } from "./optimize.ts";

/** The name that programs import the kernel's functions from, and with a colon the beginning of their names. */
export const KERNEL = "morecore";
/** The name that the kernel imports from; no program's own imports have it. */
export const PROGRAM = "morecore:program";
export const MEMORY_EXPORT = "morecore:memory";
/** What the kernel calls of the program, by its own name for it. */
export const CALLED: Readonly<Record<string, string>> = { abort: "morecore_abort", grow: "morecore_grow" };
/** C's malloc, and what sets errno when that gives none. */
export const MALLOC_EXPORT = "morecore_malloc";
export const NO_MEMORY_EXPORT = "morecore_no_memory";
/** An entry's name begins with this, and no other function's: all but these are kept from being inlined by their first letters. */
export const ENTRY = "~";
/** What malloc's entry calls in place of the kernel's slow way. It does what that does, until `link` gives it more to do. */
export const TELLING: string = `${KERNEL}:mallocSlow, telling`;

export const MALLOC: ExportName = "mc_malloc";
const ENTRIES: ReadonlySet<string> = new Set<ExportName>([MALLOC, "mc_free"]);
/** By its name in the kernel's sources: it answers for malloc when the fast way cannot. */
const SLOW: string = `${KERNEL}:mallocSlow`;

/** What is known of the program. */
export interface Fit {
  readonly exports: readonly Export[];
  /** Where its heap will begin; undefined: that is known at its start only. */
  readonly base: number | undefined;
  readonly features: number;
  readonly levels: Optimization;
}

type Module = InstanceType<Binaryen["Module"]>;

/** The kernel's bytes, with its imports from PROGRAM. */
export function fittedKernel(binaryen: Binaryen, sections: readonly Section[], fit: Fit): Uint8Array {
  const module = readModuleWith(binaryen, namedKernel(sections, fit.exports), fit.features);
  try {
    if (fit.base !== undefined) placeHeap(binaryen, module, fit.base);
    const apart = [...(readFunctionNames(sections)?.values() ?? [])].map((name) => `${KERNEL}:${name}`);
    optimizeKernel(binaryen, module, apart, fit.levels);
    if (fit.exports.some(({ name }) => name === NO_MEMORY_EXPORT)) addTellingMalloc(binaryen, module);
    binaryen.setDebugInfo(true);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** The kernel, its functions with names of the kernel's, its imports taken from the program. */
function namedKernel(sections: readonly Section[], exports: readonly Export[]): Uint8Array {
  const has = new Set(exports.map(({ name }) => name));
  const imports = readImports(sections).map((given) => {
    const name = given.kind === MEMORY ? MEMORY_EXPORT : CALLED[given.name];
    const isThere = name === MEMORY_EXPORT || (name !== undefined && has.has(name));
    return isThere ? { ...given, module: PROGRAM, name } : given;
  });
  const entries = new Set(
    readExports(sections).flatMap(({ name, index }) => (ENTRIES.has(name) ? [index] : [])),
  );
  const names = [...functionNames(sections, `${KERNEL}:`)].map(
    ([index, name]) => [index, entries.has(index) ? `${ENTRY}${name}` : name] as const,
  );
  return writeSections(withNames(withImports(sections, imports), new Map(names)));
}

/** Exports, in malloc's place, a copy of it whose slow way is the telling one; if the kernel has one by the name that is known. */
function addTellingMalloc(binaryen: Binaryen, module: Module): void {
  const slow = module.getFunction(SLOW);
  const exported = module.getExport(MALLOC);
  if (slow === 0 || exported === 0) return;
  const { value } = binaryen.getExportInfo(exported);
  const { params, results, vars, body } = binaryen.getFunctionInfo(module.getFunction(value));
  const { calleeOf, retarget, visit } = expressionsOf(binaryen);
  const own = module.copyExpression(body);
  visit(own, (each) => {
    if (calleeOf(each) === SLOW) retarget(each, TELLING);
  });
  addForward(binaryen, module, slow);
  const entry = `${value}, telling`;
  module.addFunction(entry, params, results, vars, own);
  module.removeExport(MALLOC);
  module.addFunctionExport(entry, MALLOC);
}

/** TELLING, which hands all on. */
function addForward(binaryen: Binaryen, module: Module, to: number): void {
  const { name, params, results } = binaryen.getFunctionInfo(to);
  const given = binaryen.expandType(params).map((type, index) => module.local.get(index, type));
  module.addFunction(TELLING, params, results, [], module.call(name, given, results));
}
