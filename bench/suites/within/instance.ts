// Instance: a module of patterns.c or replay.c, started, with the heap that it lives on.
//
// Owns:  calls of its exports by name.
// Needs: a clock that goes, and no environment: mimalloc asks for both.

import { wasiFor } from "../../peers/wasm.ts";
import { instantiate, type Runnable } from "../../programs/run.ts";

export type Exported = (argument: number) => number;

export class Instance {
  readonly #exports: WebAssembly.Exports;
  readonly #memory: WebAssembly.Memory;

  constructor(runnable: Runnable) {
    const imports = wasiFor(runnable.module, () => this.#memory);
    const { instance, memory } = instantiate(runnable, imports);
    this.#exports = instance.exports;
    this.#memory = memory;
    // Without a C library there is none.
    if ("_initialize" in this.#exports) this.call("_initialize");
  }

  call(name: string, argument = 0): number {
    return this.function(name)(argument) >>> 0;
  }

  function(name: string): Exported {
    const exported = this.#exports[name];
    if (typeof exported !== "function") throw new Error(`the module does not export ${name}`);
    // A border: parts.ts exports functions of whole numbers only.
    return exported as Exported;
  }

  write(address: number, words: Uint32Array): void {
    new Uint32Array(this.#memory.buffer, address, words.length).set(words);
  }
}
