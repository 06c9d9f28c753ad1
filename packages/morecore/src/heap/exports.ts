// Exports: a heap's malloc family as functions of WebAssembly, for other modules.
//
// Owns:  which names there are.
// Needs: an instance of the kernel that serves the heap.

/** C's and POSIX's malloc family, and dlmalloc's extensions, under C's names. */
export const C_FAMILY = [
  "malloc",
  "free",
  "calloc",
  "realloc",
  "reallocarray",
  "memalign",
  "aligned_alloc",
  "posix_memalign",
  "free_sized",
  "free_aligned_sized",
  "malloc_usable_size",
  "malloc_good_size",
  "malloc_trim",
  "malloc_footprint",
  "malloc_max_footprint",
  "malloc_footprint_limit",
  "malloc_set_footprint_limit",
  "realloc_in_place",
  "independent_calloc",
  "independent_comalloc",
  "bulk_free",
] as const;

/** What lib/morecore.c makes mallinfo and malloc_inspect_all of: a walk over the pieces, and sums by their state. */
const WALK = ["count_of", "bytes_of", "first_piece", "next_piece", "piece_state", "piece_bytes"] as const;

type CName = (typeof C_FAMILY)[number];
/** A function of WebAssembly: 32-bit numbers in and out; addresses come back signed to JavaScript. */
export type WasmFunction = (...words: number[]) => number;

export type HeapExports = Readonly<Record<CName, WasmFunction>>;

/** An import object, or what glue in JavaScript spreads into its own. */
export interface HeapImports extends Readonly<Record<string, Readonly<Record<string, WasmFunction>>>> {
  readonly morecore: Readonly<Record<string, WasmFunction>>;
  readonly env: Readonly<Record<CName | `_${CName}`, WasmFunction>>;
}

const PREFIX = "mc_";

/** The family out of all that an instance of the kernel exports. */
export function exportsOf(all: WebAssembly.Exports): HeapExports {
  // The kernel is built with just these (tools/kernel.mjs); the engine knows its exports as a record only.
  return Object.freeze(named(all, C_FAMILY, "") as HeapExports);
}

/** The family, and for programs the walk, under the names that modules import them by. */
export function importsOf(all: WebAssembly.Exports): HeapImports {
  return {
    morecore: named(all, [...C_FAMILY, ...WALK], PREFIX),
    // The keys are the family's, with and without an underscore.
    env: { ...named(all, C_FAMILY, ""), ...named(all, C_FAMILY, "_") } as HeapImports["env"],
  };
}

function named(
  all: WebAssembly.Exports,
  names: readonly string[],
  prefix: string,
): Record<string, WasmFunction> {
  // They are functions of 32-bit numbers, all of them.
  return Object.fromEntries(names.map((name) => [prefix + name, all[PREFIX + name] as WasmFunction]));
}
