// Calls: the malloc family of one heap, by the kernel in JavaScript or by the same kernel in WebAssembly.
//
// Owns:  the choice between the two; the compiled module.
// Needs: its wasm build (kernel-bytes.ts); family-calls.ts, which has the calls themselves.
//
// Both work on the same bytes, by the same sources. In a WebAssembly.Memory the wasm kernel serves: called from
// JavaScript it plays the traces of real programs in about half the time (docs/DESIGN.md). In any other memory, where
// wasm cannot reach, or where a page's security policy forbids to compile, the JavaScript kernel does.

import type { Base } from "../kernel/address.ts";
import { WasmCalls } from "./family-calls.ts";
import { KERNEL_BYTES } from "./kernel-bytes.ts";

/** What the kernel asks of whoever made it. */
export interface Host {
  /** Asks for `bytes` more: an address, or 0. */
  grow(bytes: number): number;
  refuse(code: number, address: number): never;
}

/** The calls of a heap whose bytes wasm can reach: by wasm, if the engine lets us compile; else undefined. */
export function wasmCalls(memory: WebAssembly.Memory, heap: Base, host: Host): WasmCalls | undefined {
  // A shared memory can be imported only by a module that says so.
  if (!(memory.buffer instanceof ArrayBuffer)) return undefined;
  const module = compiled();
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

let cached: WebAssembly.Module | undefined | null = null;

/** The module, compiled at first use; undefined where a content security policy forbids it. */
function compiled(): WebAssembly.Module | undefined {
  if (cached === null) {
    try {
      cached = new WebAssembly.Module(Uint8Array.from(atob(KERNEL_BYTES), (char) => char.charCodeAt(0)));
    } catch (error) {
      if (!(error instanceof WebAssembly.CompileError)) throw error;
      cached = undefined;
    }
  }
  return cached;
}
