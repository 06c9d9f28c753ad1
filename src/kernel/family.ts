// The malloc family: what the wasm build of the kernel exports. The rest (checking, walking, options, laying out a new
// heap) is seldom called, and done in JavaScript on the same bytes.

import { alignedAlloc, memalign, posixMemalign } from "./align.ts";
import { bulkFree, independentCalloc, independentComalloc } from "./bulk.ts";
import { free, freeAlignedSized, freeSized, usableSize } from "./free.ts";
import { trim } from "./info.ts";
import { calloc, malloc } from "./malloc.ts";
import { realloc, reallocarray, reallocInPlace } from "./realloc.ts";

export {
  alignedAlloc,
  bulkFree,
  calloc,
  free,
  freeAlignedSized,
  freeSized,
  independentCalloc,
  independentComalloc,
  malloc,
  memalign,
  posixMemalign,
  realloc,
  reallocarray,
  reallocInPlace,
  trim,
  usableSize,
};
