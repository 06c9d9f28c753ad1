// A page's program, for compilers only: WebAssembly's own types go in and out as they are.

import { Heap, type HeapImports, type WasmMemoryObject, wasmMemory } from "morecore";

export function inMemory(memory: WebAssembly.Memory, base: WebAssembly.Global): Heap {
  const same: WebAssembly.Memory = memory satisfies WasmMemoryObject;
  Heap.create({ memory: wasmMemory(same) });
  // @ts-expect-error a module is no memory
  Heap.create({ memory: WebAssembly.Module });
  return Heap.attach(memory, base);
}

export function inside({ exports }: WebAssembly.Instance, module: WebAssembly.Module): WebAssembly.Instance {
  const imports: HeapImports = Heap.inside(exports).imports;
  return new WebAssembly.Instance(module, imports);
}
