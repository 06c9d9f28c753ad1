// Arenas: allocators for what ends together, and for what has one size.

export type { MemorySource } from "../typed/allocator.ts";
export { Bump, type BumpOptions, type Mark, type Scope } from "./bump.ts";
export { Pool, type PoolOptions } from "./pool.ts";
export { TypedArena, type TypedArenaOptions } from "./typed-arena.ts";
