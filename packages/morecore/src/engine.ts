// morecore/engine: what the packages of the family build on. Not for programs: it changes with the kernel.

export * from "./heap/calls.ts";
export * from "./heap/errors.ts";
export * from "./heap/exports.ts";
export * from "./heap/options.ts";
export * from "./kernel/address.ts";
export * from "./kernel/bins.ts";
export * from "./kernel/check.ts";
export * from "./kernel/chunk.ts";
export * from "./kernel/layout.ts";
export { Machine, type Words } from "./kernel/machine.ts";
export * from "./kernel/slab.ts";
export * from "./kernel/slab-map.ts";
export * from "./kernel/slabs.ts";
export * from "./kernel/top.ts";
export { CACHED, FREE, TOP } from "./kernel/walk.ts";
export * from "./memory/arguments.ts";
