// Offset allocator: shares out a range of which it touches nothing.

export {
  OffsetCorruptError,
  OffsetFormatError,
  type OffsetFormatReason,
  type OffsetMisuseCode,
  OffsetMisuseError,
} from "./errors.ts";
export type { Allocation } from "./handle.ts";
export { OffsetAllocator, type OffsetOptions } from "./offset-allocator.ts";
export type { AllocatedRegion, FreeBin, FreeRegion, OffsetReport } from "./report.ts";
