// morecore/wasm: the library with the kernel in WebAssembly only.

export * from "./all.ts";
export { Heap } from "./heap/by-wasm.ts";
