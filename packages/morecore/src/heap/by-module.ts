// By module: the heap of morecore/bare: the kernel in WebAssembly, as a module that the program provides.

import type { Machine } from "../kernel/machine.ts";
import type { ModuleParts } from "../memory/module-parts.ts";
import type { WasmExports, WasmGlobalObject } from "../memory/webassembly.ts";
import type { Attachable } from "./begin.ts";
import { HeapCore } from "./heap.ts";
import type { HeapOptions, InsideOptions } from "./options.ts";
import { providedModule } from "./provided.ts";
import { byWasm } from "./serve.ts";

/** A heap in a WebAssembly.Memory that is not shared, once provideKernel has been called. Throws a TypeError for any other. */
export class Heap extends HeapCore {
  /** Use Heap.create, Heap.inside or Heap.attach. */
  protected constructor(machine: Machine, base: number) {
    super(
      machine,
      base,
      byWasm((threads) => (threads ? undefined : providedModule())),
    );
  }

  /** As Heap.create of "morecore"; throws a TypeError before provideKernel, and for memory that WebAssembly cannot reach. */
  static create(options: HeapOptions = {}): Heap {
    return new Heap(...HeapCore.made(options)).told(options);
  }

  /** As Heap.inside of "morecore"; throws a TypeError before provideKernel, and for memory that WebAssembly cannot reach. */
  static inside(exports: WasmExports | ModuleParts, options: InsideOptions = {}): Heap {
    return new Heap(...HeapCore.madeInside(exports, options)).told(options);
  }

  /** As Heap.attach of "morecore"; throws a TypeError before provideKernel, and for memory that WebAssembly cannot reach. */
  static attach(memory: Attachable, base?: number | WasmGlobalObject): Heap {
    return new Heap(...HeapCore.found(memory, base));
  }
}
