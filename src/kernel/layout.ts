// Layout: every offset, size, mask and flag of a heap in memory. No logic. test/unit/kernel/layout.test.ts asserts
// each number drawn here.
//
//  A heap's image, in one segment; every number is a byte address or offset, little-endian words of 32 bits:
//
//  base → +0     header: magic, version, options, counters, bitmaps, bins, caches        HEADER_BYTES
//         +2016  segment: next | end | unused                                            12 bytes
//         +2028  first chunk … last chunk, top
//  end  → -4     one word that top's header takes when top is empty
//         limit  memory that is the heap's, but not yet part of its footprint: [end, limit)
//
//  A further segment, got when others took the memory behind the last one, begins with the same 12 bytes. A segment
//  that is no longer the last is closed by a fencepost: a header word of size 0, in use, in its last 4 bytes.
//
//  chunk → +0    size | flags          P: previous in use   C: in use   Q: lies in a cache (C stays set)
//  ptr   → +4    payload …             if free: +4 next, +8 previous; if cached: +4 next
//          end-4                       if free: size again (the footer)

import { Word } from "./address.ts";

// Units.
export const GRANULE: Word = 16;
export const GRANULE_LOG2: Word = 4;
export const HEADER_WORD: Word = 4;
export const MIN_CHUNK: Word = 16;
/** The largest request: C's PTRDIFF_MAX for 32-bit addresses, so that pointer differences never overflow. */
export const MAX_REQUEST: Word = 0x7fff_ffff;
/** Memory is asked for in multiples of this: a wasm page. */
export const MEMORY_UNIT: Word = 65_536;
/** No heap reaches beyond this address: the last wasm page stays free, so that no end wraps to 0. */
export const ADDRESS_END: Word = 0xffff_0000;

// A chunk's header word.
export const PREVIOUS_IN_USE: Word = 1;
export const IN_USE: Word = 2;
export const CACHED: Word = 4;
/** Always clear: a word with this bit is no header. */
export const RESERVED_FLAG: Word = 8;
export const FLAGS: Word = 15;

// A free chunk's links, and the footer's distance from the chunk's end.
export const NEXT: Word = 4;
export const PREVIOUS: Word = 8;
export const FOOTER: Word = 4;

// The heap's header, offsets from base.
/** "MORE" when read as bytes. */
export const MAGIC: Word = 0x4552_4f4d;
export const FORMAT_VERSION: Word = 1;
export const AT_MAGIC: Word = 0;
export const AT_VERSION: Word = 4;
/** The base itself: tells a heap from a copy of one at another address. */
export const AT_SELF: Word = 8;
export const AT_FLAGS: Word = 12;
export const AT_TOP: Word = 16;
export const AT_END: Word = 20;
export const AT_LIMIT: Word = 24;
/** The last segment. */
export const AT_SEGMENT: Word = 28;
/** In the last segment, every byte from here on has never been written. */
export const AT_UNTOUCHED: Word = 32;
export const AT_FOOTPRINT: Word = 36;
export const AT_MAX_FOOTPRINT: Word = 40;
export const AT_FOOTPRINT_LIMIT: Word = 44;
export const AT_CACHED_BYTES: Word = 48;
export const AT_CACHE_LIMIT: Word = 52;
export const AT_GROWTH_STEP: Word = 56;
export const AT_TRIM_THRESHOLD: Word = 60;
/** Memory is asked for in advance: its size so far, shifted right by this. */
export const AT_ADVANCE_LOG2: Word = 64;
export const AT_GROWTH_COUNT: Word = 68;
export const AT_COALESCE_COUNT: Word = 72;
export const AT_FLUSH_COUNT: Word = 76;
export const AT_TRIM_COUNT: Word = 80;
// 84 to 95: unused, zero.
export const AT_BIN_SUMMARY: Word = 96;
export const AT_BIN_MAP: Word = 100;
export const AT_BINS: Word = 152;
export const AT_CACHES: Word = 1752;
/** Bytes of the header; the first segment follows. */
export const HEADER_BYTES: Word = 2016;

// Flags in AT_FLAGS.
/** realloc(p, 0) frees. */
export const ZERO_REALLOC_FREES: Word = 1;
/** The heap lives in a fixed region and never asks its memory for more. */
export const FIXED_REGION: Word = 2;
export const KNOWN_HEAP_FLAGS: Word = 3;

/** Stored for "no footprint limit" and "never trim by itself". */
export const UNLIMITED: Word = 0xffff_ffff;
/** Stored in AT_ADVANCE_LOG2 for "ask for what is needed and no more". */
export const NO_ADVANCE: Word = 31;

// A segment, offsets from its start.
export const SEGMENT_NEXT: Word = 0;
export const SEGMENT_END: Word = 4;
/** The first chunk's offset. */
export const SEGMENT_CHUNKS: Word = 12;

// Bins: one for each size below 512, then 16 for each doubling up to 2^32.
export const BIN_COUNT: Word = 400;
export const BIN_MAP_WORDS: Word = 13;
/** From this many granules on, a bin holds a range of sizes. */
export const EXACT_GRANULES: Word = 32;
export const BINS_PER_DOUBLING_LOG2: Word = 4;
/** How many chunks of the request's own bin are looked at. */
export const SEARCH_LIMIT: Word = 16;

// Caches: one list for each chunk size up to the largest.
export const CACHE_COUNT: Word = 65;
export const MAX_CACHED_CHUNK: Word = 1024;

/** The smallest region that a heap fits in: header, segment, one chunk, the last word. */
export const MIN_REGION: Word = 2048;
