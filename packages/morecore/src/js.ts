// morecore/js: the library with the kernel in JavaScript only.

export * from "./all.ts";
export { Heap } from "./heap/by-javascript.ts";
