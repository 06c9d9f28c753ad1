// Serve: which kernel a heap is served by: each entry of the package has its own choice.
//
// Owns:  the choices, and what is said where none is left.
// Needs: calls.ts for the kernel in WebAssembly, family-calls.ts for both.

import { asBase, type Base } from "../kernel/address.ts";
import { engine } from "../kernel/design.ts";
import { Machine } from "../kernel/machine.ts";
import type { Memory } from "../memory/memory.ts";
import { wasmOf } from "../memory/wasm.ts";
import type { WasmModuleObject } from "../memory/webassembly.ts";
import { wasmCalls } from "./calls.ts";
import { embeddedKernel } from "./embedded.ts";
import { refuse } from "./errors.ts";
import { type Calls, JavaScriptCalls } from "./family-calls.ts";

/** Gives the kernel's module, for heaps that threads share or for others, if there is one to be had. */
export type FindKernel = (threads: boolean) => WasmModuleObject | undefined;

/** Gives the calls for a heap in a machine's memory; throws a TypeError if it has none for that. */
export type Serve = (machine: Machine, heap: Base) => Calls;

/** A machine over a memory, which refuses in words. */
export function machineOver(memory: Memory, base: number): Machine {
  const machine: Machine = new Machine(
    memory,
    (code, address) => refuse(machine, asBase(base), code, address),
    () => engine.limit(machine.fresh(asBase(base)), asBase(base)),
  );
  return machine;
}

/** morecore: the wasm kernel where it can reach the bytes, else the JavaScript kernel. */
export const byEither: Serve = (machine, heap) =>
  byModule(embeddedKernel, machine, heap) ?? byJavaScript(machine, heap);

/** morecore/js: the JavaScript kernel, in any memory. */
export const byJavaScript: Serve = (machine, heap) => new JavaScriptCalls(machine, heap);

/** morecore/wasm and morecore/bare: the wasm kernel only. */
export function byWasm(find: FindKernel): Serve {
  return (machine, heap) => byModule(find, machine, heap) ?? refuseMemory(machine.memory);
}

function byModule(find: FindKernel, machine: Machine, heap: Base): Calls | undefined {
  const wasm = wasmOf(machine.memory);
  return (
    wasm &&
    wasmCalls(() => find(machine.threads), wasm, heap, machine.threads, {
      grow: (bytes) => machine.fresh(heap).grow(bytes),
      refuse: (code, address) => refuse(machine.fresh(heap), heap, code, address),
    })
  );
}

function refuseMemory(memory: Memory): never {
  const found =
    wasmOf(memory) === undefined
      ? "other memory"
      : "one that is shared and whose heap is not, or an engine that forbids to compile";
  throw new TypeError(
    `memory: expected a WebAssembly.Memory that is not shared, where the kernel in WebAssembly serves, got ${found}; ` +
      'Heap of "morecore" has a kernel in JavaScript besides',
  );
}
