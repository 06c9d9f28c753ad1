// morecore: malloc for TypeScript. One heap, in any memory.

export * from "./all.ts";
export { Heap } from "./heap/either.ts";
