// Codes: what the kernel says when it refuses a call. Numbers, because the wasm build can pass nothing else; the heap
// layer turns them into typed errors (heap/errors.ts).

import { Word } from "./address.ts";

/** The address is not one that any payload can have: not a multiple of 16. */
export const MISALIGNED: Word = 1;
/** The address lies in no segment of this heap. */
export const OUTSIDE: Word = 2;
/** The address is a block's that was freed before. */
export const DOUBLE_FREE: Word = 3;
/** There is no chunk of this heap at the address. */
export const NOT_A_BLOCK: Word = 4;
/** The size given to a sized free is not the block's. */
export const SIZE_MISMATCH: Word = 5;
/** The alignment given to a sized free is not the block's. */
export const ALIGNMENT_MISMATCH: Word = 6;
/** What the allocator wrote beside or into a free chunk has been overwritten. */
export const CORRUPTED: Word = 7;
/** The same block stands twice in one list of blocks to free. */
export const LISTED_TWICE: Word = 8;
/** The thread was not heard of, and its place in the heap has been taken back. */
export const TAKEN_BACK: Word = 9;

// What check() says when an invariant does not hold. The letters are those of the files' headers.
export const BROKEN_HEADER: Word = 101;
export const BROKEN_PREVIOUS_FLAG: Word = 102;
export const BROKEN_FREE_CHUNK: Word = 103;
export const BROKEN_BIN_MAP: Word = 111;
export const BROKEN_BIN: Word = 112;
export const BROKEN_LINK: Word = 113;
export const BROKEN_CLASS: Word = 121;
export const BROKEN_LIST: Word = 122;
export const BROKEN_BITS: Word = 123;
export const BROKEN_INTERNAL: Word = 124;
export const BROKEN_MAP: Word = 125;
export const BROKEN_TOP: Word = 131;
export const BROKEN_SEGMENT: Word = 132;
export const BROKEN_UNTOUCHED: Word = 133;

// What check() says besides where threads share a heap.
export const BROKEN_COMMON: Word = 141;
export const BROKEN_UNIT: Word = 142;
export const BROKEN_LIMIT: Word = 143;
export const BROKEN_FRESH: Word = 144;
export const BROKEN_SUM: Word = 145;
export const BROKEN_REMOTE: Word = 151;
export const BROKEN_FULL: Word = 152;
export const BROKEN_MAIL: Word = 153;
export const BROKEN_CHUNK_MAIL: Word = 154;
