// Arenas: allocators for what ends together, what has one size, and what is known by keys.

export type { MemorySource } from "../typed/allocator.ts";
export { Bump, type BumpOptions, type Mark, type Scope } from "./bump.ts";
export { type Key, type KeyType, keyType } from "./key.ts";
export {
  type AllocatedRegion,
  type Allocation,
  type FreeBin,
  type FreeRegion,
  OffsetAllocator,
  OffsetCorruptError,
  OffsetFormatError,
  type OffsetFormatReason,
  type OffsetMisuseCode,
  OffsetMisuseError,
  type OffsetOptions,
  type OffsetReport,
} from "./offset-allocator.ts";
export { Pool, type PoolOptions } from "./pool.ts";
export { type KeySource, SecondaryColumn, SecondaryMap } from "./secondary-map.ts";
export { SlotMapFormatError } from "./slot-image.ts";
export { SlotMap, type SlotMapOptions } from "./slot-map.ts";
export { TypedArena, type TypedArenaOptions } from "./typed-arena.ts";
