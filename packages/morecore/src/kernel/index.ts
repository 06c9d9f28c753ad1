// The kernel's entry points: the malloc family over addresses, in a heap, in a memory. Everything else is private to it.

import { alignedAlloc, memalign, posixMemalign } from "./align.ts";
import { bulkFree, claim, independentCalloc, independentComalloc, unclaim } from "./bulk.ts";
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
import { flushSlabs } from "./slabs.ts";
import { firstPiece, nextPiece, pieceBytes, pieceState } from "./walk.ts";

// Not `export … from`: asc does not resolve the names of files there.
export {
  alignedAlloc,
  bulkFree,
  bytesOf,
  calloc,
  checkHeap,
  claim,
  countOf,
  firstPiece,
  flushSlabs,
  footprint,
  footprintLimit,
  formatHeap,
  free,
  freeAlignedSized,
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
  unclaim,
  usableSize,
};
