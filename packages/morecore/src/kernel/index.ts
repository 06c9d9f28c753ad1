// The kernel's entry points, as far as asc can compile them: the malloc family over addresses, in a heap, in a memory, and what
// design.ts is made of.

import { alignedAlloc, memalign, posixMemalign } from "./align.ts";
import { bulkFree, freeListed, independentCalloc, independentComalloc } from "./bulk.ts";
import { checkHeap } from "./check.ts";
import { free, freeAlignedSized, freeSized, usableSize } from "./free.ts";
import { formatHeap, probeHeap } from "./image.ts";
import { bytesOf, countOf, footprint, goodSize, maxFootprint, reserved, trim } from "./info.ts";
import { calloc, malloc } from "./malloc.ts";
import {
  footprintLimit,
  setAdvanceLog2,
  setFootprintLimit,
  setGrowthStep,
  setSmallLimit,
  setTrimThreshold,
  setZeroReallocFrees,
} from "./options.ts";
import { realloc, reallocarray, reallocInPlace } from "./realloc.ts";
import { firstPiece, nextPiece, pieceBytes, pieceState } from "./walk.ts";

// Not `export … from`: asc does not resolve the names of files there.
export {
  alignedAlloc,
  bulkFree,
  bytesOf,
  calloc,
  checkHeap,
  countOf,
  firstPiece,
  footprint,
  footprintLimit,
  formatHeap,
  free,
  freeAlignedSized,
  freeListed,
  freeSized,
  goodSize,
  independentCalloc,
  independentComalloc,
  malloc,
  maxFootprint,
  memalign,
  nextPiece,
  pieceBytes,
  pieceState,
  posixMemalign,
  probeHeap,
  realloc,
  reallocarray,
  reallocInPlace,
  reserved,
  setAdvanceLog2,
  setFootprintLimit,
  setGrowthStep,
  setSmallLimit,
  setTrimThreshold,
  setZeroReallocFrees,
  trim,
  usableSize,
};
