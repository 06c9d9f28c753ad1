// Sbrk heap: the heap of a swapped program whose memory may grow only by the program's own sbrk.
//
// Owns:  an instance of the kernel that asks for memory, and what it asks.
// Needs: the kernel's file, swap's export morecore_grow; errors, Heap.
//
// The kernel's functions must be there before the program is instantiated, and its sbrk is there only afterwards. So the
// heap is begun between that and _start: whoever has a start function that allocates must not be run in this way.

import type { WasmMemoryObject } from "morecore";
import { Heap, type WasmFunction, wasmMemory } from "morecore";
import { asBase, importsOf, Machine, refuse } from "morecore/engine";
import { WasmFormatError } from "../format/binary.ts";
import { readKernel } from "../format/parts.ts";
import { type HostHeap, hostHeap, type WatchWishes } from "./host-heap.ts";

/** What swap exports of a module that has an sbrk: bytes → address, or 0. */
const GROW_EXPORT = "morecore_grow";

/** The heap, not begun yet. Throws a MissingToolError if the package was not built. */
export function makeSbrkHeap(memory: WasmMemoryObject, wishes: WatchWishes): HostHeap {
  let base = 0;
  let heap: Heap | undefined;
  let grow: WasmFunction = () => 0;
  const machine: Machine = new Machine(wasmMemory(memory), (code, address) =>
    refuse(machine, asBase(base), code, address),
  );
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readKernel("asking")), {
    env: { memory },
    morecore: {
      grow: (bytes: number) => grow(bytes),
      abort: (code: number, address: number) =>
        refuse(machine.fresh(asBase(base)), asBase(base), code, address >>> 0),
    },
  });
  return hostHeap({
    memory,
    wishes,
    imports: importsOf(exports),
    heap: () => heap,
    begin(program) {
      // The kernel and swap say what these are; the engine knows exports as a record only.
      grow = program[GROW_EXPORT] as WasmFunction;
      base = (exports["mc_begin"] as WasmFunction)(0) >>> 0;
      if (base === 0)
        throw new WasmFormatError("its sbrk has no memory for a heap (--no-swap: its own malloc)");
      heap = Heap.attach(memory, base);
    },
  });
}
