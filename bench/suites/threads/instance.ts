// Instance: a module of programs/threads.ts in one thread.
//
// Owns:  what an instance is given: its stack, its thread-local variables, what it imports.
// Needs: a memory that its threads share.

/** As threads.h numbers them. */
const FAILURES = ["", "no memory", "a block was written to by others", "a block of calloc is not zero"];

export type Play = (index: number, turn: number, count: number) => number;

export class ThreadInstance {
  readonly #exports: WebAssembly.Exports;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, index: number) {
    const host = { now: () => performance.now(), fail };
    this.#exports = new WebAssembly.Instance(module, { env: { memory }, host }).exports;
    this.#global("__stack_pointer").value = this.call("stack_of", index);
    if (this.#global("__tls_size").value > 0) this.call("__wasm_init_tls", this.call("locals_of", index));
  }

  call(name: string, argument = 0): number {
    return this.function(name)(argument, 0, 0) >>> 0;
  }

  function(name: string): Play {
    const exported = this.#exports[name];
    if (typeof exported !== "function") throw new Error(`the module does not export ${name}`);
    // A border: all that is exported are functions of whole numbers.
    return exported as Play;
  }

  /** What an allocator wants to be told when a thread ends. */
  leave(): void {
    for (const name of ["morecore_leave", "thread_leave"]) if (name in this.#exports) this.call(name);
  }

  #global(name: string): WebAssembly.Global {
    const exported = this.#exports[name];
    if (exported instanceof WebAssembly.Global) return exported;
    throw new Error(`the module does not export ${name}`);
  }
}

function fail(code: number): never {
  throw new Error(FAILURES[code] ?? `failed with ${code}`);
}
