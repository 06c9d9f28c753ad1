// Calls: the malloc family of one heap, by the kernel in JavaScript or by the same kernel in WebAssembly.
//
// Owns:  an instance of the kernel's module for each heap.
// Needs: the module, from embedded.ts or another place; family-calls.ts, which has the calls themselves.
//
// Both work on the same bytes, by the same sources. In a WebAssembly.Memory the wasm kernel serves: called from
// JavaScript it plays the traces of real programs in about half the time (docs/DESIGN.md). In any other memory, where
// wasm cannot reach, or where a page's security policy forbids to compile, the JavaScript kernel does.

import type { Base } from "../kernel/address.ts";
import { WasmCalls } from "./family-calls.ts";

/** Gives the kernel's module, if there is one to be had. */
export type FindModule = () => WebAssembly.Module | undefined;

/** What the kernel asks of whoever made it. */
export interface Host {
  /** Asks for `bytes` more: an address, or 0. */
  grow(bytes: number): number;
  refuse(code: number, address: number): never;
}

/** The calls of a heap whose bytes wasm can reach: by wasm, if the engine lets us compile; else undefined. */
export function wasmCalls(
  find: FindModule,
  memory: WebAssembly.Memory,
  heap: Base,
  host: Host,
): WasmCalls | undefined {
  // A shared memory can be imported only by a module that says so.
  if (!(memory.buffer instanceof ArrayBuffer)) return undefined;
  const module = find();
  if (module === undefined) return undefined;
  const imports = {
    env: { memory },
    morecore: {
      grow: (bytes: number) => host.grow(bytes >>> 0),
      abort: (code: number, address: number) => host.refuse(code, address >>> 0),
    },
  };
  const { exports } = new WebAssembly.Instance(module, imports);
  return new WasmCalls(exports, heap);
}

/** The kernel's bytes as a module; undefined where a content security policy forbids to compile them. */
export function compiled(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    return undefined;
  }
}
