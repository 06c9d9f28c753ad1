// Malloc: the ways to a block, from the nearest to the farthest: a slab; bins, top, unused slabs given back, more memory.
//
// Order:  each way is tried only if the nearer ones gave nothing.
// Needs:  slabs, take, top.

import { Base, Chunk, NO_CHUNK, NO_PTR, Ptr, ptrOf, Word } from "./address.ts";
import { chunkSizeFor } from "./chunk.ts";
import { classFor, closeClassFor, closeState, farClassFor, farState, isSmall, smallMax } from "./classes.ts";
import {
  AT_FOOTPRINT,
  AT_IDLE,
  AT_LOOK_AGAIN,
  AT_MAYBE_UNUSED,
  AT_UNTOUCHED,
  FAR_MAX,
  GRANULE_LOG2,
  HEADER_WORD,
  MAX_REQUEST,
  SMALL_MAX,
} from "./layout.ts";
import { Machine } from "./machine.ts";
import { hasMail } from "./remote.ts";
import { flushIdle, flushSlabs, flushSome } from "./slab-idle.ts";
import { collectListed, readMail } from "./slab-mail.ts";
import { slabOf } from "./slab-map.ts";
import { popBlock, takeBlock } from "./slabs.ts";
import { growAndTake, takeNear, takeOrGrow } from "./take.ts";
import { topOf } from "./top.ts";

/** A heap that threads share is looked through whenever it has grown by this share, as a power of two. */
const LOOK_SHARE_LOG2: Word = 3;
/** A block larger than this is not placed before the idle slabs have been given back. */
const LARGE_BYTES: Word = 1024;

/**
 * ISO C `malloc`: a block of at least `bytes` bytes, 16-byte aligned, or 0 when there is no memory. malloc(0) is a block
 * of its own. O(1), growth and the giving back of unused slabs apart.
 */
// @hot
export function malloc(m: Machine, heap: Base, bytes: Word): Ptr {
  if (bytes <= SMALL_MAX) {
    const sizeClass = closeClassFor(bytes);
    const ptr = popBlock(m, closeState(heap, sizeClass), sizeClass);
    if (ptr !== NO_PTR) return ptr;
  } else if (m.threads && bytes <= FAR_MAX) {
    const sizeClass = farClassFor(bytes);
    const ptr = popBlock(m, farState(heap, sizeClass), sizeClass);
    if (ptr !== NO_PTR) return ptr;
  }
  return mallocSlow(m, heap, bytes);
}

/** malloc, when the size class has no block at hand, or the request is none for slabs. */
// @hot @apart
export function mallocSlow(m: Machine, heap: Base, bytes: Word): Ptr {
  if (bytes > MAX_REQUEST) return NO_PTR;
  if (isSmall(m, heap, bytes)) {
    const ptr = takeBlock(m, heap, classFor(m, bytes));
    if (ptr !== NO_PTR) return ptr;
  }
  if (bytes > LARGE_BYTES && (m.load32(heap + AT_MAYBE_UNUSED) | m.load32(heap + AT_IDLE)) !== 0)
    flushIdle(m, heap);
  return ptrOrNone(takeChunk(m, heap, chunkSizeFor(bytes), false));
}

/** The address of a chunk's payload; NO_PTR for NO_CHUNK. */
export function ptrOrNone(chunk: Chunk): Ptr {
  return chunk === NO_CHUNK ? NO_PTR : ptrOf(chunk);
}

/** takeOrGrow that gives unused slabs back before it gets more memory. */
export function takeChunk(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  if (m.threads && hasMail(m, heap)) readMail(m, heap);
  const near = takeNear(m, heap, size, whole);
  return near !== NO_CHUNK ? near : flushAndTake(m, heap, size, whole);
}

/** Some of them only, so that no call takes long; but there is no end of memory before all have been given back. */
// @rare
function flushAndTake(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  if (m.threads && isTimeToLook(m, heap)) {
    collectListed(m, heap);
    const near = takeNear(m, heap, size, whole);
    if (near !== NO_CHUNK) return near;
  }
  if (!flushSome(m, heap)) {
    const grown = growAndTake(m, heap, size);
    return grown === NO_CHUNK && m.threads ? takeLast(m, heap, size, whole) : grown;
  }
  let chunk = takeOrGrow(m, heap, size, whole);
  while (chunk === NO_CHUNK && flushSome(m, heap)) chunk = takeOrGrow(m, heap, size, whole);
  return chunk === NO_CHUNK && m.threads ? takeLast(m, heap, size, whole) : chunk;
}

/** Whether the heap has grown by an eighth since it was last looked through for what others have freed. */
function isTimeToLook(m: Machine, heap: Base): boolean {
  const footprint = m.load32(heap + AT_FOOTPRINT);
  if (footprint < m.load32(heap + AT_LOOK_AGAIN)) return false;
  m.store32(heap + AT_LOOK_AGAIN, footprint + (footprint >>> LOOK_SHARE_LOG2));
  return true;
}

/** There is no more memory, but others may have freed what this thread has not come by yet. */
// @rare
function takeLast(m: Machine, heap: Base, size: Word, whole: boolean): Chunk {
  readMail(m, heap);
  collectListed(m, heap);
  flushSlabs(m, heap);
  return takeOrGrow(m, heap, size, whole);
}

/** ISO C `calloc`: zeroed; 0 also when the product overflows. Memory that was never written is not written again. */
// @hot
export function calloc(m: Machine, heap: Base, times: Word, bytes: Word): Ptr {
  const total = productOf(m, times, bytes);
  if (total > MAX_REQUEST) return NO_PTR;
  const topBefore = topOf(m, heap);
  const ptr = malloc(m, heap, total);
  if (ptr === NO_PTR) return NO_PTR;
  if (total <= smallMax(m) && slabOf(m, heap, ptr) !== 0) m.zero(ptr, classFor(m, total) << GRANULE_LOG2);
  else zeroUsed(m, heap, ptr, chunkSizeFor(total) - HEADER_WORD, topBefore);
  return ptr;
}

/** The product of two sizes, or a number above MAX_REQUEST if that is too large. */
export function productOf(m: Machine, times: Word, bytes: Word): Word {
  if (bytes !== 0 && times > m.divide(MAX_REQUEST, bytes)) return MAX_REQUEST + 1;
  return times * bytes;
}

/** Zeroes of a payload what may have been written before. `topBefore` is where top was before the block was cut. */
export function zeroUsed(m: Machine, heap: Base, ptr: Ptr, bytes: Word, topBefore: Chunk): void {
  const untouched = m.load32(heap + AT_UNTOUCHED);
  const clean = topBefore + HEADER_WORD > untouched ? topBefore + HEADER_WORD : untouched;
  if (ptr >= clean) return;
  // A memory may have been written up to an address that is no word's.
  const used: Word = (clean - ptr + (HEADER_WORD - 1)) & ~(HEADER_WORD - 1);
  m.zero(ptr, bytes < used ? bytes : used);
}
