// morecore/bare: the library without a kernel: the program provides it.

export * from "./all.ts";
export { Heap } from "./heap/by-module.ts";
export { provideKernel } from "./heap/provided.ts";
