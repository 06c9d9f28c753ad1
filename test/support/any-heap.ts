// Any heap: what the oracle (shadow.ts, calls.ts) and the suite (conformance.ts) know of an allocator. No header's size, no word
// of an image: so a second kernel, or an allocator that is none of ours, runs under them unchanged (test/model/any-allocator.test.ts).

import type { Heap } from "morecore";

export type AnyHeap = Pick<
  Heap,
  | "malloc"
  | "free"
  | "calloc"
  | "realloc"
  | "reallocInPlace"
  | "reallocarray"
  | "memalign"
  | "alignedAlloc"
  | "posixMemalign"
  | "freeSized"
  | "freeAlignedSized"
  | "usableSize"
  | "goodSize"
  | "independentCalloc"
  | "independentComalloc"
  | "bulkFree"
  | "trim"
  | "options"
  | "footprint"
  | "maxFootprint"
  | "footprintLimit"
  | "mallinfo"
  | "inspectAll"
  | "check"
  | "base"
  | "memory"
  | "buffer"
  | "u8"
  | "u32"
> &
  // What only heaps of ours have.
  Partial<Pick<Heap, "thread" | "memorySize">>;
