// Exports: a heap's malloc family as functions of WebAssembly, for other modules.
//
// Owns:  in which forms other modules get them.
// Needs: an instance of the kernel that serves the heap; the names, from the table.

import type { CName, ImportName } from "../abi/family.ts";
import { PREFIX } from "../abi/prefix.ts";
import type { WasmExports } from "../memory/webassembly.ts";
import { C_FAMILY, WALK } from "./family-calls.ts";

/** A function of WebAssembly: 32-bit numbers in and out; addresses come back signed to JavaScript. */
export type WasmFunction = (...words: number[]) => number;

/** C's malloc family as functions of WebAssembly, under C's names. */
export type HeapExports = Readonly<Record<CName, WasmFunction>>;

/** An import object, or what glue in JavaScript spreads into its own. */
export interface HeapImports extends Readonly<Record<string, Readonly<Record<string, WasmFunction>>>> {
  /** For programs that are linked with the C library: the family under `mc_` names, and the walk. */
  readonly morecore: Readonly<Record<string, WasmFunction>>;
  /** For modules that import malloc by C's name, and for Emscripten's JavaScript, with an underscore. */
  readonly env: Readonly<Record<CName | `_${CName}`, WasmFunction>>;
}

/** The family out of all that an instance of the kernel exports. */
export function exportsOf(all: WasmExports): HeapExports {
  // The kernel is built with just these (tools/bind.ts); the engine knows its exports as a record only.
  return Object.freeze(named(all, C_FAMILY, "") as HeapExports);
}

/** The family, and for programs the walk, under the names that modules import them by. */
export function importsOf(all: WasmExports): HeapImports {
  return {
    morecore: named(all, [...C_FAMILY, ...WALK], PREFIX),
    // The keys are the family's, with and without an underscore.
    env: { ...named(all, C_FAMILY, ""), ...named(all, C_FAMILY, "_") } as HeapImports["env"],
  };
}

function named(all: WasmExports, names: readonly ImportName[], prefix: string): Record<string, WasmFunction> {
  // They are functions of 32-bit numbers, all of them.
  return Object.fromEntries(names.map((name) => [prefix + name, all[PREFIX + name] as WasmFunction]));
}
