// By JavaScript: the heap of morecore/js: the kernel in JavaScript, in any memory.

import type { Machine } from "../kernel/machine.ts";
import type { ModuleParts } from "../memory/module-parts.ts";
import type { WasmExports, WasmGlobalObject } from "../memory/webassembly.ts";
import type { Attachable } from "./begin.ts";
import { HeapCore } from "./heap.ts";
import type { HeapOptions, InsideOptions } from "./options.ts";
import { byJavaScript } from "./serve.ts";

/** A heap in any memory, without a line of WebAssembly. Its calls take two to three times as long. */
export class Heap extends HeapCore {
  /** Use Heap.create, Heap.inside or Heap.attach. */
  protected constructor(machine: Machine, base: number) {
    super(machine, base, byJavaScript);
  }

  /** As Heap.create of "morecore". */
  static create(options: HeapOptions = {}): Heap {
    return new Heap(...HeapCore.made(options)).told(options);
  }

  /** As Heap.inside of "morecore". */
  static inside(exports: WasmExports | ModuleParts, options: InsideOptions = {}): Heap {
    return new Heap(...HeapCore.madeInside(exports, options)).told(options);
  }

  /** As Heap.attach of "morecore". */
  static attach(memory: Attachable, base?: number | WasmGlobalObject): Heap {
    return new Heap(...HeapCore.found(memory, base));
  }
}
