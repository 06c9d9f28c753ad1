// Calls: the malloc family of one heap, by the kernel in JavaScript or by the same kernel in WebAssembly.
//
// Owns:  an instance of the kernel's module for each heap.
// Needs: the module, from embedded.ts or another place; family-calls.ts, which has the calls themselves.
//
// Both work on the same bytes, by the same sources. In a WebAssembly.Memory the wasm kernel serves: called from
// JavaScript it plays the traces of real programs in about half the time (docs/DESIGN.md). In any other memory, where
// wasm cannot reach, or where a page's security policy forbids to compile, the JavaScript kernel does.

import type { Base } from "../kernel/address.ts";
import type { OwnBytes } from "../memory/own-bytes.ts";
import { isArrayBuffer, isErrorOf, outOfMemory } from "../memory/slots.ts";
import type { WasmMemoryObject, WasmModuleObject } from "../memory/webassembly.ts";
import { WasmCalls } from "./family-calls.ts";

/** Gives the kernel's module, if there is one to be had. */
export type FindModule = () => WasmModuleObject | undefined;

/** What the kernel asks of whoever made it. */
export interface Host {
  /** Asks for `bytes` more: an address, or 0. */
  grow(bytes: number): number;
  refuse(code: number, address: number): never;
}

/** The calls of a heap whose bytes wasm can reach: by wasm, if the engine lets us compile; else undefined. */
export function wasmCalls(
  find: FindModule,
  memory: WasmMemoryObject,
  heap: Base,
  threads: boolean,
  host: Host,
): WasmCalls | undefined {
  // A shared memory can be imported only by a module that says so, and the kernel that does is for heaps that threads share.
  if (isArrayBuffer(memory.buffer) === threads) return undefined;
  const module = isForbidden ? undefined : find();
  if (module === undefined) return undefined;
  const imports = {
    env: { memory },
    morecore: {
      grow: (bytes: number) => host.grow(bytes >>> 0),
      abort: (code: number, address: number) => host.refuse(code, address >>> 0),
    },
  };
  const instance = unlessForbidden(() => new WebAssembly.Instance(module, imports));
  if (instance !== undefined) return new WasmCalls(instance.exports, heap);
  isForbidden = true;
  return undefined;
}

/** Whether the host has forbidden an instance. It will do so the next time, too. */
let isForbidden = false;

/** The kernel's bytes as a module; undefined where that is forbidden. */
export function compiled(bytes: OwnBytes): WasmModuleObject | undefined {
  return unlessForbidden(() => new WebAssembly.Module(bytes));
}

/**
 * What is made; undefined where that is forbidden. A host says so by a CompileError: the policy of a page, also when it has
 * compiled already (WebKit), hosts that take no bytes (workerd, Node's codeGeneration), or an engine that does not know all
 * instructions. An older WebKit throws an EvalError. No memory or no room for another instance is no ban: it may be over soon.
 */
function unlessForbidden<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (isErrorOf(error, "CompileError", "EvalError")) return undefined;
    const said = outOfMemory(error);
    if (said === undefined) throw error;
    throw new RangeError(
      `the engine has no room for the kernel of another heap (${said}); expected fewer heaps at a time, or arenas in one`,
      { cause: error },
    );
  }
}
