// Offset: a range of numbers, of which nothing is written to, given out in regions.

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
