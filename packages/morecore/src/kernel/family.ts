// Made by `npm run abi -- --write` from src/abi/family.ts: the malloc family, which the wasm build of the kernel
// exports (tools/bind.ts gives it C's names). The rest (checking, most options) is seldom called, and done in
// JavaScript on the same bytes.

import { alignedAlloc, memalign, posixMemalign } from "./align.ts";
import { bulkFree, independentCalloc, independentComalloc } from "./bulk.ts";
import { leaveHeap, settleIn } from "./common.ts";
import { free, freeAlignedSized, freeSized, usableSize } from "./free.ts";
import { bytesOf, countOf, footprint, goodSize, maxFootprint, trim } from "./info.ts";
import { calloc, malloc } from "./malloc.ts";
import { footprintLimit, setFootprintLimit } from "./options.ts";
import { beginHeap, placeFor, placeToShare } from "./program.ts";
import { realloc, reallocarray, reallocInPlace } from "./realloc.ts";
import { firstPiece, nextPiece, pieceBytes, pieceState } from "./walk.ts";

export {
  alignedAlloc,
  beginHeap,
  bulkFree,
  bytesOf,
  calloc,
  countOf,
  firstPiece,
  footprint,
  footprintLimit,
  free,
  freeAlignedSized,
  freeSized,
  goodSize,
  independentCalloc,
  independentComalloc,
  leaveHeap,
  malloc,
  maxFootprint,
  memalign,
  nextPiece,
  pieceBytes,
  pieceState,
  placeFor,
  placeToShare,
  posixMemalign,
  realloc,
  reallocarray,
  reallocInPlace,
  setFootprintLimit,
  settleIn,
  trim,
  usableSize,
};
