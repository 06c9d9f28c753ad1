// WebAssembly's types: the compiler's own, where it knows them; else the few members that are used here.
//
// Owns:  what stands for WebAssembly.Memory and the like in declarations.
// Needs: nothing.
//
// TypeScript declares WebAssembly with lib "dom" only. A program for Node, with @types/node, has it no more than one with
// lib "es2022" alone. A declaration that says WebAssembly.Memory is an error there, in a file that its reader cannot mend. With
// lib "dom" these are the very same types, and are shown under their own names.

/** The namespace, as the reader's compiler knows it. */
type Known = typeof globalThis extends { readonly WebAssembly: infer W } ? W : unknown;

/** A WebAssembly.Memory. */
export type WasmMemoryObject = Known extends { readonly Memory: { readonly prototype: infer M } }
  ? M
  : { readonly buffer: ArrayBufferLike; grow(pages: number): number };

/** A WebAssembly.Global. */
export type WasmGlobalObject = Known extends { readonly Global: { readonly prototype: infer G } }
  ? G
  : { value: unknown; valueOf(): unknown };

/** A WebAssembly.Module. */
export type WasmModuleObject = Known extends { readonly Module: { readonly prototype: infer M } }
  ? M
  : object;

/** What an instance of a module exports. */
export type WasmExports = Known extends {
  readonly Instance: { readonly prototype: { readonly exports: infer E } };
}
  ? E
  : Readonly<Record<string, unknown>>;
