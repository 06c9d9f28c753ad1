// @morecore/os: heaps in the operating system's memory. Needs the package koffi or Node's own node:ffi, and Linux or macOS.

export { OsError, type OsErrorCode } from "./errors.ts";
export { Heap, type OpenOptions } from "./heap.ts";
export { type MmapOptions, mmapMemory } from "./mmap.ts";
export type { OsMemory } from "./region.ts";
export { type SbrkMemory, type SbrkOptions, sbrkMemory } from "./sbrk.ts";
export type { RepairReport } from "./sound.ts";
