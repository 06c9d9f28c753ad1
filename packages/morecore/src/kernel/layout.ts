// Layout: every offset, size, mask and flag of a heap in memory. No logic. test/kernel/layout.test.ts asserts
// each number drawn here.
//
//  A heap's image, in one segment; every number is a byte address or offset, little-endian words of 32 bits:
//
//  base → +0     header: magic, version, options, counters, bitmaps, bins, size classes  HEADER_BYTES
//         +2752  segment: next | end | unused                                            12 bytes
//         +2764  first chunk … last chunk, top
//  end  → -4     one word that top's header takes when top is empty
//         limit  memory that is the heap's, but not yet part of its footprint: [end, limit)
//
//  A further segment, got when others took the memory behind the last one, begins with the same 12 bytes. A segment
//  that is no longer the last is closed by a fencepost: a header word of size 0, in use, in its last 4 bytes.
//
//  chunk → +0    size | flags          P: previous in use   C: in use   O: the heap's own (C is set, too)
//  ptr   → +4    payload …             if free: +4 next, +8 previous
//          end-4                       if free: size again (the footer)
//
//  Three kinds of chunk are the heap's own. A slab: small blocks of one size class side by side, without headers. The
//  map: for each unit of SLAB_UNIT bytes, from the one that base lies in, the descriptor of the slab in it, or 0. And a
//  slab's descriptor:
//
//  slab   → +0    the first block's address
//          +4    the inverse of the block size's odd part, modulo 2^32
//          +8    blocks << 16 | L: listed | size class << 8 | log2 of the block size's even part
//          +12   the last word of bits that are in use, as it is when all its blocks are free
//          +16   a bit for each block, set if it is free                      9 words
//          +52   next, +56 previous    in the list of slabs with room, if L

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
/** The chunk is the heap's own: a slab, a slab's descriptor, the map. */
export const OWN: Word = 4;
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
/** What was 3 had another header, and other links in bins; 4 was never used (docs/JOURNAL.md: format 4). */
export const FORMAT_VERSION: Word = 5;
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
/** The largest request that is served from slabs. */
export const AT_SMALL_LIMIT: Word = 48;
export const AT_SLAB_COUNT: Word = 52;
export const AT_GROWTH_STEP: Word = 56;
export const AT_TRIM_THRESHOLD: Word = 60;
/** Memory is asked for in advance: its size so far, shifted right by this. */
export const AT_ADVANCE_LOG2: Word = 64;
export const AT_GROWTH_COUNT: Word = 68;
export const AT_COALESCE_COUNT: Word = 72;
export const AT_FLUSH_COUNT: Word = 76;
export const AT_TRIM_COUNT: Word = 80;
/**
 * What frees have learned of top (top.ts: settleTop): bytes that it may keep, 0 before anything is learned; how much has been
 * freed into it since it was last needed; where end was before those trims that are not got again yet, and after the last.
 * They lie in words that the states of the first two size classes do not need.
 */
export const AT_TRIM_KEEP: Word = 176;
export const AT_TRIM_IDLE: Word = 180;
export const AT_TRIM_FROM: Word = 208;
export const AT_TRIM_TO: Word = 212;
/** How many merges have been paid for idle slabs that were given back (slabs.ts: flushIdle). In such a word, too. */
export const AT_MERGES_PAID: Word = 240;
/** The map's address, less what makes the entry of an address lie at map + (address >>> SLAB_UNIT_LOG2) * 4. */
export const AT_MAP: Word = 84;
/** From base on, so many bytes are mapped; 0: there is no map. */
export const AT_MAPPED: Word = 88;
/** Always zero: the bits of a class that has no slab. */
export const AT_NO_BITS: Word = 92;
export const AT_BIN_SUMMARY: Word = 96;
export const AT_BIN_MAP: Word = 100;
export const AT_BINS: Word = 1144;
/** The state of size class c lies at AT_CLASSES + c * 32; there is no class 0, so its 32 bytes are others'. */
export const AT_CLASSES: Word = 120;
/** Bit c is set if the current slab of size class c may have no live block; bit 0, if a far class has such a slab. */
export const AT_MAYBE_UNUSED: Word = 2744;
/**
 * Bit c is set if that slab was so already when the last block of more than 1 KiB was placed (malloc.ts:
 * LARGE_BYTES).
 */
export const AT_IDLE: Word = 2748;
/** Bytes of the header; the first segment follows. */
export const HEADER_BYTES: Word = 2752;

// Flags in AT_FLAGS.
/** realloc(p, 0) frees. */
export const ZERO_REALLOC_FREES: Word = 1;
/** The heap lives in a fixed region and never asks its memory for more. */
export const FIXED_REGION: Word = 2;
/** The memory that the heap was made in never grows. */
export const FIXED_MEMORY: Word = 4;
/** The heap's memory was got from a module's own allocator: only a Memory that asks there may make it larger. */
export const MODULE_MEMORY: Word = 8;
export const KNOWN_HEAP_FLAGS: Word = 15;

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

// Size classes: class c has blocks of c granules.
export const CLASS_COUNT: Word = 31;
/** The largest block of a slab, but where threads share memory. */
export const SMALL_MAX: Word = 496;
/** Larger blocks of slabs are wide: they need a heap in which the shortest slab is at most this share of the footprint. */
export const NARROW_MAX: Word = 256;
/** That share, as a power of two. */
export const WIDE_SHARE_LOG2: Word = 8;
/** The same where threads share memory. */
export const WIDE_SHARE_OF_THREAD_LOG2: Word = 5;

// Where threads share memory, there are classes beyond those, which are further apart.
/** The first of them, and the last: class c has blocks of c granules here, too. */
export const FIRST_FAR: Word = 32;
export const LAST_FAR: Word = 64;
/** From one to the next. */
export const FAR_STEP: Word = 4;
export const FAR_STEP_LOG2: Word = 2;
/** The largest block of a slab there. */
export const FAR_MAX: Word = 1024;

// A size class's state, offsets from AT_CLASSES + c * 32; of a far class, see FAR_STATES.
export const CLASS_BYTES_LOG2: Word = 5;
/** The address of the word of bits that malloc takes from. */
export const CLASS_BITS: Word = 0;
/** The block that the lowest bit of that word stands for. */
export const CLASS_FIRST: Word = 4;
/** The descriptor that the word lies in: the current slab, which is in no list. */
export const CLASS_SLAB: Word = 8;
/** The first and the last of the other slabs that have room. */
export const CLASS_HEAD: Word = 12;
export const CLASS_TAIL: Word = 16;
/** How many slabs there are. */
export const CLASS_SLABS: Word = 20;

// Slabs. No two lie, even in part, in the same unit of SLAB_UNIT bytes, so that the map needs one entry for a unit.
export const SLAB_UNIT: Word = 4096;
export const SLAB_UNIT_LOG2: Word = 12;
/** A slab has at least so many bytes and so many blocks … */
export const MIN_SLAB: Word = 1024;
export const MIN_BLOCKS: Word = 8;
/** … and when it is cut from more, about as many bytes as this, but the first slabs of a class less (slab-room.ts: stepOf). */
export const MAX_SLAB: Word = 32_768;
/** At most this share of what the heap may ever have, as a power of two. */
export const SLAB_SHARE_LOG2: Word = 7;

// A slab's descriptor, offsets from its address.
export const SLAB_FIRST: Word = 0;
export const SLAB_INVERSE: Word = 4;
export const SLAB_SHAPE: Word = 8;
export const SLAB_LAST: Word = 12;
export const SLAB_BITS: Word = 16;
export const SLAB_NEXT: Word = 52;
export const SLAB_PREVIOUS: Word = 56;
export const SLAB_BYTES: Word = 60;
/** Where the bits end. */
export const SLAB_BITS_END: Word = 52;
/** The most blocks: a bit for each. */
export const MAX_BLOCKS: Word = 288;

// In SLAB_SHAPE. The lowest five bits are a number of bits to rotate by.
export const SHAPE_CLASS_SHIFT: Word = 8;
export const SHAPE_CLASS: Word = 127;
export const SLAB_LISTED: Word = 0x8000;
export const SHAPE_BLOCKS_SHIFT: Word = 16;

/** The smallest region that a heap fits in: header, segment, one chunk, the last word. */
export const MIN_REGION: Word = 2784;

// A heap that threads share: what is common to all, then the map, then a heap for each thread. What a thread's heap has besides.
//
//  common → +0     magic, version, its own address, flags: as a heap's header
//          +16    the first thread's heap | the address from which on no unit was ever used | free units
//          +36    footprint, its peak, its bound; options: where a heap's header has them
//          +68    threads that came so far
//          +84    the map and how far it reaches: where a heap's header has them
//          +244   its own address, where a thread's header has it, too
//          +256   room for up to 63 bytes (units.ts: mapStart), then the map: a word for each unit of SLAB_UNIT bytes, from the one
//                 that common lies in, to the last there can be
//
//  heap   → -448   9 size classes, 32 bytes each
//          -128   the next thread's heap | the thread | its beat                     written seldom
//          -64    slabs in which others have freed | chunks that others have freed    written by others
//          +0     a heap's header, as above; its magic is another, as nobody attaches to it
//
//  Word of the map:  0: not the heap's   FREE_UNIT: no thread's   heap | OF_CHUNKS: chunks only   slab | state of the slab
/** "MORE" is a whole heap's; this is a thread's. */
export const THREAD_MAGIC: Word = 0x4854_4f4d;
export const SHARED_VERSION: Word = 7;
/** The first thread's heap; each has the next one's. */
export const AT_FIRST_HEAP: Word = 16;
/** No unit from this address on has ever been a thread's. */
export const AT_FRESH: Word = 20;
/** Where AT_LIMIT is, common has the end of all that threads may have: machine.ts reads it. */
/** How many units are FREE_UNIT. */
export const AT_FREE_UNITS: Word = 28;
/** How many threads have come so far: the last one's number. */
export const AT_THREADS: Word = 68;
/** For so many milliseconds a thread need not be heard of. */
export const AT_LEASE: Word = 72;
/** How many heaps have been taken over from threads that stopped, perhaps in the middle of a call. */
export const AT_TAKEN_OVER: Word = 76;
export const COMMON_BYTES: Word = 256;
/** What a processor takes from another at once. The map's words of the 64 KiB that a thread takes at once are such a line. */
export const CACHE_LINE: Word = 64;

/** What lies before a thread's heap, in bytes. */
export const PLACE_BYTES: Word = 448;
/**
 * A thread's memory has room for two headers, so many bytes apart, each with a place before it. The other one is for who takes the heap
 * over from a thread that is gone: that may come back, and finds its own header empty. The first chunk, which is the heap's own, keeps
 * the room; behind it, the other header's first chunk is the one after it.
 */
export const OTHER_HEADER: Word = 3264;
/** The smallest footprint of a thread's heap. */
export const MIN_THREAD: Word = 6048;
/** In a thread's header, and in common's: common's address. In a word that the state of a size class does not need. */
export const AT_COMMON: Word = 244;
/** In a thread's header: the footprint at which slabs that others freed into are looked through next. In such a word, too. */
export const AT_LOOK_AGAIN: Word = 272;
// Before the thread's header, as distances from it.
/** The states of the far classes. */
export const FAR_STATES: Word = 448;
export const NEXT_HEAP: Word = 128;
/** The number of the thread that it is; NO_THREAD: nobody's; GONE: this header serves no thread, the other one may. */
export const THREAD: Word = 124;
/** When the thread was last heard of, in milliseconds; or, of a header that serves no thread, that somebody has called. */
export const BEAT: Word = 120;
/** The first of the slabs in which others have freed and the owner would not look; CLOSED: nobody reads it any more. */
export const MAIL_SLABS: Word = 64;
/** The first of the chunks that others have freed. */
export const MAIL_CHUNKS: Word = 60;

export const NO_THREAD: Word = 0;
export const GONE: Word = 0xffff_ffff;
export const CLOSED: Word = 1;
/** In BEAT of a header that serves no thread: one that had it has called. */
export const CALLED: Word = 0xffff_ffff;

// A word of the map.
export const FREE_UNIT: Word = 1;
export const OF_CHUNKS: Word = 2;
/** The slab is full: who frees in it tells the owner. In the word of the slab's first unit, as is … */
export const SLAB_FULL: Word = 4;
/** … that somebody has told: the slab stands in the owner's mail. */
export const SLAB_TOLD: Word = 8;
export const UNIT_FLAGS: Word = 15;

// What a slab's descriptor has besides.
/** The heap whose thread malloc takes from it for. */
export const SLAB_OWNER: Word = 60;
/** The next slab in the owner's mail. */
export const SLAB_MAIL: Word = 64;
/** A bit for each block, set if another thread has freed it and the owner has not looked yet. */
export const SLAB_REMOTE: Word = 68;
/** From a word of bits to that of the same blocks in the second row. */
export const TO_REMOTE: Word = 52;
export const SHARED_SLAB_BYTES: Word = 104;

// What a chunk's payload holds that another thread has freed: the next such, and two words by which a second free is seen.
export const MAIL_NEXT: Word = 0;
export const MAIL_MARK: Word = 4;
export const MAIL_MARK_2: Word = 8;
